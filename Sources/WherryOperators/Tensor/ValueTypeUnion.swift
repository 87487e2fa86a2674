import WherryGraph

extension ValueType {
  /// The narrowest type that describes both: extents that differ are unknown, and so is the shape when the
  /// ranks differ; nil when nothing is common.
  static func union(_ a: ValueType, _ b: ValueType) -> ValueType? {
    switch (a.plain, b.plain) {
    case (.tensor(let x, let m), .tensor(let y, let n)):
      guard x == y else { return nil }
      guard let m, let n, m.rank == n.rank else { return .tensor(x, nil) }
      return .tensor(
        x, Shape(zip(m.dimensions, n.dimensions).map { $0 == $1 ? $0 : .unknown }))
    case (.sequence(let x), .sequence(let y)): return union(x, y).map { .sequence($0) }
    case (.optional(let x), .optional(let y)): return union(x, y).map { .optional($0) }
    case (.unspecified, _), (_, .unspecified): return .unspecified
    default: return a.plain == b.plain ? a.plain : nil
    }
  }

  /// The type without what it says of shapes.
  var shapeless: ValueType {
    switch plain {
    case .tensor(let element, _): .tensor(element, nil)
    case .sequence(let type): .sequence(type.shapeless)
    case .optional(let type): .optional(type.shapeless)
    default: self
    }
  }

  static let index = ValueType.tensor(.int64, Shape([]))
  static let flag = ValueType.tensor(.bool, Shape([]))
}

extension Value {
  static func index(_ number: Int) -> Value? {
    Tensor(.int64, [], integers: [Int64(number)]).map { .tensor($0) }
  }

  static func flag(_ isTrue: Bool) -> Value? {
    Tensor([], booleans: [isTrue]).map { .tensor($0) }
  }
}

extension Tensor {
  /// Tensors of one shape side by side on a new first axis.
  ///
  /// - Parameter empty: element type and extents when there are none.
  static func stack(
    _ tensors: [Tensor], empty: (element: ElementType, shape: [Int]), limits: EvaluationLimits
  ) throws(RunError) -> Tensor {
    let element = tensors.first?.element ?? empty.element
    let shape = tensors.first?.shape ?? empty.shape
    let count = try limits.check(element, [tensors.count] + shape)
    var builder = ElementBuilder(element, count: count)
    for (index, tensor) in tensors.enumerated() {
      guard tensor.shape == shape, tensor.element == element else {
        throw RunError(.badValue("\(tensor.type) and \(element)\(shape) can't be stacked"))
      }
      builder.copy(tensor.count, from: ElementSource(tensor), at: 0, to: index * tensor.count)
    }
    return try builder.tensor([tensors.count] + shape)
  }

  /// The tensor with its first axis moved to `axis`.
  func movingFirstAxis(to axis: Int) throws(RunError) -> Tensor {
    guard axis > 0, axis < rank else { return self }
    var walks = walks
    walks.insert(walks.remove(at: 0), at: axis)
    return try moved(walks)
  }
}
