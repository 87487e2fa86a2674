import WherryGraph

/// An optional that holds the input, or an empty one of `type`.
///
/// - Source: ONNX operator specification, Optional-28.
public struct OptionalOperator: Operator {
  /// What an empty optional would hold; nil when the input is given.
  public var type: ValueType?

  public init() {}

  public static let signature = Signature(
    "Optional", [.init("input", .all, .optional)], [.init("output")])

  public static let fields: [Field<OptionalOperator>] = [Field("type", \.type)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if site.has(0) {
      site.outputs[0] = site.type(0).map { .optional($0) }
    } else {
      guard let type else { throw TypeError(.missingInput(0)) }
      site.outputs[0] = .optional(type)
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    if let value = call.value(0) { return [.optional(value, value.type)] }
    guard let type else { throw RunError(.type(.missingInput(0))) }
    return [.optional(nil, type)]
  }
}

/// What an optional holds; any other value as it is.
///
/// - Source: ONNX operator specification, OptionalGetElement-28.
public struct OptionalGetElement: Operator {
  public init() {}

  public static let signature = Signature(
    "OptionalGetElement", [.init("input")], [.init("output")])

  public static let fields: [Field<OptionalGetElement>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let type = site.type(0) else { return }
    if case .optional(let held) = type.plain {
      site.outputs[0] = held
    } else {
      site.outputs[0] = type
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard case .optional(let held, _)? = call.value(0) else { return [call.value(0)] }
    guard let held else { throw RunError(.badValue("the optional is empty")) }
    return [held]
  }
}

/// Whether the input is given and, when it is an optional, holds something; a bool scalar.
///
/// - Source: ONNX operator specification, OptionalHasElement-28.
public struct OptionalHasElement: Operator {
  public init() {}

  public static let signature = Signature(
    "OptionalHasElement", [.init("input", .all, .optional)], [.init("output", .bool)])

  public static let fields: [Field<OptionalHasElement>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .bool, Shape([]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    if case .optional(nil, _)? = call.value(0) { return [Value.flag(false)] }
    return [Value.flag(call.has(0))]
  }
}
