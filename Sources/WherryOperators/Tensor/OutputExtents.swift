import WherryBytes
import WherryGraph

extension Operator {
  /// The output types that inference finds once every input is known. Operators that move elements
  /// check their inputs there, once for inference and evaluation.
  ///
  /// - Throws: `RunError.type` with inference's reason.
  func inferred(_ call: OperatorCall) throws(RunError) -> InferenceSite {
    var site = InferenceSite(
      inputs: call.inputs.map { $0.map { $0.tensor?.type ?? $0.type } },
      isPresent: call.inputs.map { $0 != nil }, contents: call.inputs.map { $0?.tensor },
      outputCount: max(call.wanted.count, 1),
      inferGraph: { (_, _) throws(TypeError) in [] })
    do {
      try infer(&site)
    } catch {
      throw RunError(error)
    }
    return site
  }

  /// The extents of output `index`, checked against the call's limits.
  ///
  /// - Throws: `RunError.type` with inference's reason; `RunError.limit` when it is too large.
  func extents(_ call: OperatorCall, output index: Int = 0) throws(RunError) -> [Int] {
    let type = try inferred(call).outputs[index]
    guard let element = type?.element, let extents = type?.shape?.extents else {
      throw RunError(.badInput("the inputs of \(name) leave output \(index)'s shape open"))
    }
    _ = try call.limits.check(element, extents)
    return extents
  }
}

extension Dimension {
  /// The product of several extents, as far as it is known.
  static func product(_ dimensions: some Sequence<Dimension>) -> Dimension {
    var (fixed, others, isOpen) = (1, [Dimension](), false)
    for dimension in dimensions {
      guard let extent = dimension.extent else {
        others.append(dimension)
        continue
      }
      if extent == 0 { return 0 }
      guard let product = Checked.multiply(fixed, extent) else {
        isOpen = true
        continue
      }
      fixed = product
    }
    if isOpen { return .unknown }
    if others.isEmpty { return .fixed(fixed) }
    return others.count == 1 && fixed == 1 ? others[0] : .unknown
  }

  /// The sum of two extents; nil when it overflows.
  static func sum(_ a: Dimension, _ b: Dimension) -> Dimension? {
    switch (a, b) {
    case (.fixed(let x), .fixed(let y)): Checked.add(x, y).map { .fixed($0) }
    case (.fixed(0), _): b
    case (_, .fixed(0)): a
    default: .unknown
    }
  }
}

extension Shape {
  /// A rank of which no extent is known.
  static func unknown(rank: Int) -> Shape { Shape(Array(repeating: .unknown, count: rank)) }
}

extension InferenceSite {
  /// The number of elements of a vector input, when known.
  func length(_ index: Int) -> Int? {
    guard let shape = shape(index) else { return nil }
    return shape.rank == 0 ? 1 : shape.rank == 1 ? shape[0].extent : nil
  }

  /// Distinct non-negative axes.
  ///
  /// - Throws: `TypeError.attribute` when one is outside the rank or stands twice.
  static func axes(_ axes: [Int], rank: Int) throws(TypeError) -> [Int] {
    var result: [Int] = []
    var seen: Set<Int> = []
    for axis in axes {
      let normal = try Self.axis(axis, rank: rank, attribute: "axes")
      guard seen.insert(normal).inserted else {
        throw TypeError(.attribute("axes", "\(axis) stands twice"))
      }
      result.append(normal)
    }
    return result
  }

  /// - Throws: `TypeError.element` when the two inputs' element types are known and differ.
  func requireSameElement(_ a: Int, _ b: Int) throws(TypeError) {
    if let x = element(a), let y = element(b), x != y { throw TypeError(.element(input: b, y)) }
  }
}

extension RunError {
  /// Runs a typing rule during evaluation.
  static func from<R>(_ rule: () throws(TypeError) -> R) throws(RunError) -> R {
    do {
      return try rule()
    } catch {
      throw RunError(error)
    }
  }
}
