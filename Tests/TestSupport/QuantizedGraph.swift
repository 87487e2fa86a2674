import WherryBytes
import WherryGraph
import WherryOperators

/// Builds small graphs of float operators between quantizations.
public struct QuantizedGraph {
  public var nodes: [Node] = []
  public var constants: [Initializer] = []
  public var inputs: [ValueInfo] = []
  private var seed: UInt64

  public init(seed: UInt64 = 1) { self.seed = seed }

  public mutating func random() -> UInt64 {
    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return seed >> 33
  }

  public mutating func input(
    _ name: String, _ shape: [Int], _ element: ElementType = .float32
  ) -> String {
    inputs.append(ValueInfo(name, .tensor(element, Shape(fixed: shape))))
    return name
  }

  public mutating func constant(_ tensor: Tensor?, _ name: String) throws -> String {
    let unique = constants.contains { $0.name == name } ? "\(name)_\(constants.count)" : name
    constants.append(Initializer(unique, try made(tensor)))
    return unique
  }

  public mutating func add(_ operation: any Operator, _ inputs: [String?]) -> String {
    let name = "v\(nodes.count)"
    nodes.append(Node(operation, name: "n\(nodes.count)", inputs: inputs, outputs: [name]))
    return name
  }

  private mutating func parameters(
    _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> [String] {
    [
      try constant(Tensor(.float32, [], elements: [scale]), "scale\(constants.count)"),
      try constant(Tensor(element, [], integers: [zero]), "zero\(constants.count)"),
    ]
  }

  public mutating func quantize(
    _ value: String, _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> String {
    add(QuantizeLinear(), [value] + (try parameters(scale, zero, element)))
  }

  public mutating func dequantize(
    _ value: String, _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> String {
    add(DequantizeLinear(), [value] + (try parameters(scale, zero, element)))
  }

  /// `DQ(Q(value))`
  public mutating func pair(
    _ value: String, _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> String {
    try dequantize(try quantize(value, scale, zero, element), scale, zero, element)
  }

  /// Dequantized random weights with a scale a step along `axis`.
  public mutating func weights(
    _ shape: [Int], axis: Int = 0, _ element: ElementType = .int8, zero: Int64 = 0,
    perChannel: Bool = true, within range: ClosedRange<Int64> = -127...127
  ) throws -> String {
    let values = (0..<shape.reduce(1, *)).map { _ in
      zero + range.lowerBound + Int64(random() % UInt64(range.count))
    }
    let w = try constant(Tensor(element, shape, integers: values), "w\(constants.count)")
    let count = perChannel ? shape[axis] : 1
    let scales = (0..<count).map { 0.01 + Float($0) * 0.0013 }
    let scaleShape = perChannel ? [count] : []
    let s = try constant(Tensor(.float32, scaleShape, elements: scales), "s\(constants.count)")
    let z = try constant(
      Tensor(element, scaleShape, integers: Array(repeating: zero, count: count)),
      "z\(constants.count)")
    var operation = DequantizeLinear()
    operation.axis = axis
    return add(operation, [w, s, z])
  }

  public func model(_ outputs: String...) -> Model {
    Model(
      graph: Graph(
        nodes: nodes, inputs: inputs, outputs: outputs.map { ValueInfo($0, .unspecified) },
        initializers: constants))
  }
}

/// A value that a test takes for granted.
public func made<T>(_ value: T?) throws -> T {
  guard let value else { throw Unmade() }
  return value
}

private struct Unmade: Error {}

/// Seeded inputs within ±2, or over an integer type's whole range.
public func seededInputs(_ model: Model, seed: UInt64 = 5) throws -> [String: Value] {
  var state = seed
  var result: [String: Value] = [:]
  for input in model.graph.inputs {
    guard case .tensor(let element, let shape?) = input.type.plain else { continue }
    let extents = try made(shape.extents)
    let numbers = (0..<extents.reduce(1, *)).map { _ -> Double in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if element.isInteger { return Double(element.integerRange.lowerBound) + Double(state >> 56) }
      let unit = Double(state >> 40) / 16_777_216
      return unit * 4 - 2
    }
    result[input.name] = .tensor(try made(Tensor(element, extents, doubles: numbers)))
  }
  return result
}
