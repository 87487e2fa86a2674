import WherryGraph

extension ValueType {
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
