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
    let plan = try EinsumPlan(equation, tensors.map(\.shape))
    if tensors[0].element.isFloat {
      let sums = plan.run(tensors.map(\.doubles), zero: 0, one: 1, +, *)
      return single(Tensor(tensors[0].element, plan.shape, doubles: sums))
    }
    let sums = plan.run(tensors.map(\.integers), zero: 0, one: 1, &+, &*)
    return single(Tensor(tensors[0].element, plan.shape, integers: sums))
  }
}

/// An equation over operands of known shapes.
private struct EinsumPlan {
  let shape: [Int]
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
    _ = try checkedCount(shape)
    let whole = order.map { extents[$0] ?? 1 }
    guard let steps = Checked.product(whole), steps <= 1 << 40 else {
      throw RunError(.limit("2^40 products"))
    }
    var strides: [[Int]] = []
    for (labels, shape) in zip(equation.operands, shapes) {
      var own: [EinsumEquation.Label: Int] = [:]
      let steps = rowMajorStrides(shape)
      for (axis, label) in labels.enumerated() where shape[axis] != 1 {
        own[label, default: 0] += steps[axis]
      }
      strides.append(order.map { own[$0] ?? 0 })
    }
    let own = rowMajorStrides(shape)
    strides.append(order.indices.map { $0 < own.count ? own[$0] : 0 })
    walk = RowWalk(whole, strides)
  }

  func run<T>(
    _ operands: [[T]], zero: T, one: T, _ add: (T, T) -> T, _ multiply: (T, T) -> T
  ) -> [T] {
    var totals = [T](repeating: zero, count: shape.reduce(1, *))
    let target = operands.count
    let steps = walk.rowSteps
    totals.withUnsafeMutableBufferPointer { totals in
      walk.forEachRow { offsets in
        for index in 0..<walk.rowLength {
          var product = one
          for operand in 0..<target {
            product = multiply(
              product, operands[operand][offsets[operand] + index * steps[operand]])
          }
          let place = offsets[target] + index * steps[target]
          totals[place] = add(totals[place], product)
        }
      }
    }
    return totals
  }
}
