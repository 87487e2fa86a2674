import WherryBytes
import WherryGraph

extension InferenceSite {
  /// The element type of a sequence input; nil when nothing is known.
  ///
  /// - Throws: `TypeError` when it is something else, or holds elements that ONNX's sequences can't.
  func sequenceElement(_ index: Int) throws(TypeError) -> ValueType? {
    guard let type = type(index), type.plain != .unspecified else { return nil }
    guard case .sequence(let element) = type.plain else {
      throw TypeError(.shape("input \(index) is a \(type), not a sequence"))
    }
    return element
  }

  /// - Throws: `TypeError` when an input that counts is known to have other than one element.
  func requireOne(_ index: Int) throws(TypeError) {
    if let length = length(index), length != 1 {
      throw TypeError(.shape("input \(index) is not one number"))
    }
  }
}

extension OperatorCall {
  /// The elements of a sequence input and their type.
  func sequence(_ index: Int) throws(RunError) -> (values: [Value], type: ValueType) {
    switch value(index) {
    case .sequence(let values, let type): return (values, type)
    case .optional(.sequence(let values, let type)?, _): return (values, type)
    case nil: throw RunError(.type(.missingInput(index)))
    case let other?: throw RunError(.badInput("input \(index) is a \(other.type), not a sequence"))
    }
  }

  /// A position counted from the start of a list of `count` elements.
  ///
  /// - Parameter end: whether the position after the last element is allowed.
  func position(_ index: Int, count: Int, end: Bool) throws(RunError) -> Int {
    guard let number = try tensor(index).integers.first, number >= -count,
      number < count + (end ? 1 : 0)
    else { throw RunError(.badValue("position is outside a sequence of \(count)")) }
    return Int(number) + (number < 0 ? count : 0)
  }
}

/// The inputs as a sequence.
///
/// - Source: ONNX operator specification, SequenceConstruct-11.
public struct SequenceConstruct: Operator {
  public init() {}

  public static let signature = Signature(
    "SequenceConstruct", [.init("inputs", .sequenced, .variadic)],
    [.init("output_sequence", .sequenced)])

  public static let fields: [Field<SequenceConstruct>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard !site.inputs.isEmpty else { throw TypeError(.missingInput(0)) }
    var all = site.inputs[0]
    for (index, type) in site.inputs.enumerated() {
      guard let type, let known = all else {
        all = all?.shapeless ?? type?.shapeless
        continue
      }
      guard let both = ValueType.union(known, type) else {
        throw TypeError(.contradiction(declared: known, inferred: type))
      }
      all = index == 0 ? known : both
    }
    site.outputs[0] = all.map { .sequence($0) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard case .sequence(let type)? = try inferred(call).outputs[0] else {
      throw RunError(.badInput("a sequence of nothing"))
    }
    var values: [Value] = []
    for index in call.inputs.indices { values.append(.tensor(try call.tensor(index))) }
    return [.sequence(values, type)]
  }
}

/// A sequence without elements.
///
/// - Source: ONNX operator specification, SequenceEmpty-11.
public struct SequenceEmpty: Operator {
  /// The element type of the tensors it would hold; float32 when nil.
  public var dtype: ElementType?

  public init() {}

  public static let signature = Signature("SequenceEmpty", [], [.init("output", .sequenced)])

  public static let fields: [Field<SequenceEmpty>] = [Field("dtype", \.dtype)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.outputs[0] = .sequence(.tensor(dtype ?? .float32, nil))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    [.sequence([], .tensor(dtype ?? .float32, nil))]
  }
}

/// The tensor at a position, counted from the end when negative.
///
/// - Source: ONNX operator specification, SequenceAt-11.
public struct SequenceAt: Operator {
  public init() {}

  public static let signature = Signature(
    "SequenceAt", [.init("input_sequence", .sequenced), .init("position", .indices)],
    [.init("tensor", .sequenced)])

  public static let fields: [Field<SequenceAt>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireOne(1)
    site.outputs[0] = try site.sequenceElement(0)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let values = try call.sequence(0).values
    return [values[try call.position(1, count: values.count, end: false)]]
  }
}

/// A sequence with a tensor put in before a position, or at the end.
///
/// - Source: ONNX operator specification, SequenceInsert-11.
public struct SequenceInsert: Operator {
  public init() {}

  public static let signature = Signature(
    "SequenceInsert",
    [
      .init("input_sequence", .sequenced), .init("tensor", .sequenced),
      .init("position", .indices, .optional),
    ],
    [.init("output_sequence", .sequenced)])

  public static let fields: [Field<SequenceInsert>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireOne(2)
    guard let element = try site.sequenceElement(0) else { return }
    guard let type = site.type(1) else {
      site.outputs[0] = .sequence(element.shapeless)
      return
    }
    guard let both = ValueType.union(element, type) else {
      throw TypeError(.contradiction(declared: element, inferred: type))
    }
    site.outputs[0] = .sequence(both)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    var (values, type) = try call.sequence(0)
    let tensor = Value.tensor(try call.tensor(1))
    guard let both = ValueType.union(type, tensor.type) else {
      throw RunError(.type(.contradiction(declared: type, inferred: tensor.type)))
    }
    let end = values.count
    values.insert(tensor, at: call.has(2) ? try call.position(2, count: end, end: true) : end)
    return [.sequence(values, both)]
  }
}

/// A sequence without the element at a position, or without its last one.
///
/// - Source: ONNX operator specification, SequenceErase-11.
public struct SequenceErase: Operator {
  public init() {}

  public static let signature = Signature(
    "SequenceErase", [.init("input_sequence", .sequenced), .init("position", .indices, .optional)],
    [.init("output_sequence", .sequenced)])

  public static let fields: [Field<SequenceErase>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireOne(1)
    site.outputs[0] = try site.sequenceElement(0).map { .sequence($0) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    var (values, type) = try call.sequence(0)
    guard !values.isEmpty else {
      throw RunError(.badValue("an empty sequence has nothing to erase"))
    }
    let last = values.count - 1
    values.remove(at: call.has(1) ? try call.position(1, count: values.count, end: false) : last)
    return [.sequence(values, type)]
  }
}

/// The number of elements, as an int64 scalar.
///
/// - Source: ONNX operator specification, SequenceLength-11.
public struct SequenceLength: Operator {
  public init() {}

  public static let signature = Signature(
    "SequenceLength", [.init("input_sequence", .sequenced)], [.init("length", .int64)])

  public static let fields: [Field<SequenceLength>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    _ = try site.sequenceElement(0)
    site.set(0, .int64, Shape([]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    [Value.index(try call.sequence(0).values.count)]
  }
}
