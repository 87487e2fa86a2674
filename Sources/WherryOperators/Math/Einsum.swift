import WherryBytes
import WherryGraph

/// Einstein summation: products of all operands, summed over every label the result lacks.
///
/// Equal labels within one operand take its diagonal; an ellipsis stands for axes that broadcast.
/// - Source: ONNX operator specification, Einsum-28; `numpy.einsum`.
public struct Einsum: Operator {
  public var equation = ""

  public init() {}
  public static let signature = Signature(
    "Einsum", [.init("Inputs", .numbers, .variadic)], [.init("Output", .numbers)])
  public static let fields: [Field<Einsum>] = [Field("equation", \.equation, required: true)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let element = try site.commonElement(0..<site.inputs.count)
    var shapes: [Shape] = []
    for index in site.inputs.indices {
      guard let shape = site.shape(index) else { return site.set(0, element, nil) }
      shapes.append(shape)
    }
    guard let equation = EinsumEquation(equation, ranks: shapes.map(\.rank)) else {
      throw TypeError(.attribute("equation", "\"\(equation)\" doesn't fit the operands"))
    }
    var extents: [EinsumEquation.Label: Dimension] = [:]
    for (labels, shape) in zip(equation.operands, shapes) {
      for (label, dimension) in zip(labels, shape.dimensions) {
        let merged = Shape.broadcast(Shape([extents[label] ?? 1]), Shape([dimension]))
        guard let merged else {
          throw TypeError(.shape("different extents for one label of \"\(self.equation)\""))
        }
        extents[label] = merged[0]
      }
    }
    site.set(0, element, Shape(equation.result.map { extents[$0] ?? .unknown }))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let tensors = try call.sameTensors()
    guard let equation = EinsumEquation(equation, ranks: tensors.map(\.rank)) else {
      throw RunError(.badInput("\"\(equation)\" doesn't fit the operands"))
    }
    if tensors[0].element.isFloat {
      let (shape, sums) = try contract(
        equation, tensors.map { ($0.shape, $0.doubles) })
      return single(Tensor(tensors[0].element, shape, doubles: sums))
    }
    let (shape, sums) = try contract(
      equation, tensors.map { ($0.shape, $0.integers) })
    return single(Tensor(tensors[0].element, shape, integers: sums))
  }

  /// Multiplies the first two operands, summed over the labels that nothing else has, until at most
  /// two are left.
  private func contract<T: ProductSum>(
    _ equation: EinsumEquation, _ operands: [(shape: [Int], values: [T])]
  ) throws(RunError) -> (shape: [Int], values: [T]) {
    var (equation, operands) = (equation, operands)
    while operands.count > 2 {
      let (pair, rest) = equation.splitFirstPair()
      let plan = try EinsumPlan(pair, operands[..<2].map(\.shape))
      let product = plan.run(operands[..<2].map(\.values))
      operands.replaceSubrange(..<2, with: [(plan.shape, product)])
      equation = rest
    }
    let plan = try EinsumPlan(equation, operands.map(\.shape))
    return (plan.shape, plan.run(operands.map(\.values)))
  }
}

/// An equation over operands of known shapes.
private struct EinsumPlan {
  let shape: [Int]
  private let count: Int
  private let walk: RowWalk

  init(_ equation: EinsumEquation, _ shapes: [[Int]]) throws(RunError) {
    var extents: [EinsumEquation.Label: Int] = [:]
    var order = equation.result
    for (labels, shape) in zip(equation.operands, shapes) {
      for (label, extent) in zip(labels, shape) {
        let known = extents[label] ?? 1
        guard known == extent || known == 1 || extent == 1 else {
          throw RunError(.badInput("extents \(known) and \(extent) for one label"))
        }
        extents[label] = known == 1 ? extent : known
        if !order.contains(label) { order.append(label) }
      }
    }
    shape = equation.result.map { extents[$0] ?? 1 }
    count = try checkedCount(shape)
    let whole = order.map { extents[$0] ?? 1 }
    guard let steps = Checked.product(whole), steps <= 1 << 36 else {
      throw RunError(.limit("2^36 products"))
    }
    var strides: [[Int]] = []
    for (labels, shape) in zip(equation.operands, shapes) {
      var own: [EinsumEquation.Label: Int] = [:]
      let steps = rowMajorStrides(shape)
      for (axis, label) in labels.enumerated() where shape[axis] != 1 {
        own[label, default: 0] &+= steps[axis]
      }
      strides.append(order.map { own[$0] ?? 0 })
    }
    let own = rowMajorStrides(shape)
    strides.append(order.indices.map { $0 < own.count ? own[$0] : 0 })
    walk = RowWalk(whole, strides)
  }

  /// - Parameter operands: one or two.
  func run<T: ProductSum>(_ operands: [[T]]) -> [T] {
    var totals = [T](repeating: .zero, count: count)
    let steps = walk.rowSteps
    totals.withUnsafeMutableBufferPointer { totals in
      operands[0].withUnsafeBufferPointer { first in
        guard operands.count == 2 else {
          walk.forEachRow { offsets in
            let (x, to) = (offsets[0], offsets[1])
            for index in 0..<walk.rowLength {
              let place = to + index * steps[1]
              totals[place] = T.add(totals[place], first[x + index * steps[0]])
            }
          }
          return
        }
        let (stepX, stepY, stepTo) = (steps[0], steps[1], steps[2])
        operands[1].withUnsafeBufferPointer { second in
          walk.forEachRow { offsets in
            let (x, y, to) = (offsets[0], offsets[1], offsets[2])
            for index in 0..<walk.rowLength {
              let place = to + index * stepTo
              totals[place] = T.add(
                totals[place], first[x + index * stepX], second[y + index * stepY])
            }
          }
        }
      }
    }
    return totals
  }
}
