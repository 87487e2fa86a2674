import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Builds small graphs of float operators between quantizations.
struct QuantizedGraph {
  var nodes: [Node] = []
  var constants: [Initializer] = []
  var inputs: [ValueInfo] = []
  private var seed: UInt64

  init(seed: UInt64 = 1) { self.seed = seed }

  mutating func random() -> UInt64 {
    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return seed >> 33
  }

  mutating func input(
    _ name: String, _ shape: [Int], _ element: ElementType = .float32
  ) -> String {
    inputs.append(ValueInfo(name, .tensor(element, Shape(fixed: shape))))
    return name
  }

  mutating func constant(_ tensor: Tensor?, _ name: String) throws -> String {
    let unique = constants.contains { $0.name == name } ? "\(name)_\(constants.count)" : name
    constants.append(Initializer(unique, try #require(tensor)))
    return unique
  }

  mutating func add(_ operation: any Operator, _ inputs: [String?]) -> String {
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

  mutating func quantize(
    _ value: String, _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> String {
    add(QuantizeLinear(), [value] + (try parameters(scale, zero, element)))
  }

  mutating func dequantize(
    _ value: String, _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> String {
    add(DequantizeLinear(), [value] + (try parameters(scale, zero, element)))
  }

  /// `DQ(Q(value))`
  mutating func pair(
    _ value: String, _ scale: Float, _ zero: Int64, _ element: ElementType
  ) throws -> String {
    try dequantize(try quantize(value, scale, zero, element), scale, zero, element)
  }

  /// Dequantized random weights with a scale a step along `axis`.
  mutating func weights(
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

  func model(_ outputs: String...) -> Model {
    Model(
      graph: Graph(
        nodes: nodes, inputs: inputs, outputs: outputs.map { ValueInfo($0, .unspecified) },
        initializers: constants))
  }
}

/// Seeded inputs within ±2, or over an integer type's whole range.
func seededInputs(_ model: Model, seed: UInt64 = 5) throws -> [String: Value] {
  var state = seed
  var result: [String: Value] = [:]
  for input in model.graph.inputs {
    guard case .tensor(let element, let shape?) = input.type.plain else { continue }
    let extents = try #require(shape.extents)
    let numbers = (0..<extents.reduce(1, *)).map { _ -> Double in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if element.isInteger { return Double(element.integerRange.lowerBound) + Double(state >> 56) }
      let unit = Double(state >> 40) / 16_777_216
      return unit * 4 - 2
    }
    result[input.name] = .tensor(try #require(Tensor(element, extents, doubles: numbers)))
  }
  return result
}

/// Names of a graph's operators, in order.
func operators(_ model: Model) -> [String] { model.graph.nodes.map(\.operation.name.name) }

/// How far the outputs of two models lie apart at most, and how many elements differ.
func difference(_ a: Model, _ b: Model) throws -> (most: Double, count: Int, of: Int) {
  let inputs = try seededInputs(a)
  let (one, two) = (try ReferenceEvaluator(a).run(inputs), try ReferenceEvaluator(b).run(inputs))
  var result = (most: 0.0, count: 0, of: 0)
  for (name, value) in one {
    let (x, y) = (try #require(value.tensor), try #require(two[name]?.tensor))
    #expect(x.shape == y.shape && x.element == y.element)
    for (p, q) in zip(x.doubles, y.doubles) {
      result.most = max(result.most, abs(p - q))
      result.count += p == q ? 0 : 1
      result.of += 1
    }
  }
  return result
}
