import WherryBytes
import WherryGraph

/// A value that stands in the model; exactly one of the attributes is set.
///
/// - Source: ONNX operator specification, Constant-25.
public struct Constant: Operator {
  public var value: Tensor?
  /// Becomes a dense tensor.
  public var sparseValue: SparseTensor?
  /// A float32 scalar.
  public var valueFloat: Float?
  /// A float32 vector.
  public var valueFloats: [Float]?
  /// An int64 scalar.
  public var valueInt: Int?
  /// An int64 vector.
  public var valueInts: [Int]?
  public var valueString: Bytes?
  public var valueStrings: [Bytes]?

  public init() {}

  /// A tensor.
  public init(_ value: Tensor) { self.value = value }

  public static let signature = Signature("Constant", [], [.init("output", .movable)])

  public static let fields: [Field<Constant>] = [
    Field("sparse_value", \.sparseValue), Field("value", \.value),
    Field("value_float", \.valueFloat),
    Field("value_floats", \.valueFloats), Field("value_int", \.valueInt),
    Field("value_ints", \.valueInts), Field("value_string", \.valueString),
    Field("value_strings", \.valueStrings),
  ]

  /// The tensor of the attribute that is set, a sparse one aside.
  private var tensor: Tensor? {
    if let value { return value }
    if let valueFloat { return Tensor(.float32, [], elements: [valueFloat]) }
    if let valueFloats { return Tensor(.float32, [valueFloats.count], elements: valueFloats) }
    if let valueInt { return Tensor(.int64, [], integers: [Int64(valueInt)]) }
    if let valueInts { return Tensor(vector: valueInts) }
    if let valueString { return Tensor([], strings: [valueString]) }
    return valueStrings.flatMap { Tensor([$0.count], strings: $0) }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard attributes.count == 1 else {
      throw TypeError(
        .attribute("value", "\(attributes.count) of a Constant's values are set, not 1"))
    }
    if let sparseValue {
      site.set(0, sparseValue.values.element, Shape(fixed: sparseValue.shape))
    } else {
      site.outputs[0] = tensor?.type
      site.outputContents[0] = tensor
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    _ = try inferred(call)
    guard let sparseValue else { return [tensor.map { .tensor($0) }] }
    _ = try call.limits.check(sparseValue.values.element, sparseValue.shape)
    return [.tensor(try sparseValue.dense())]
  }
}

/// A tensor of one value everywhere, with the extents in `input: [R] int64`.
///
/// - Source: ONNX operator specification, ConstantOfShape-25.
public struct ConstantOfShape: Operator {
  /// One element; a float32 0 when nil.
  public var value: Tensor?

  public init() {}

  private static let elements = ElementSet.movable.subtracting(
    ElementSet(.string, .complex64, .complex128))

  public static let signature = Signature(
    "ConstantOfShape", [.init("input", .int64)], [.init("output", elements)])

  public static let fields: [Field<ConstantOfShape>] = [Field("value", \.value)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let value, value.count != 1 {
      throw TypeError(.attribute("value", "\(value.count) elements, not 1"))
    }
    let element = value?.element ?? .float32
    guard let wanted = site.dimensions(0) else {
      site.set(0, element, site.length(0).flatMap { $0 <= 64 ? .unknown(rank: $0) : nil })
      return
    }
    for case .fixed(let extent) in wanted where extent < 0 {
      throw TypeError(.shape("\(extent) is no extent"))
    }
    site.set(0, element, Shape(wanted))
    if wanted.count <= 1, let value, value.element == .int64, let number = value.integers.first,
      let count = wanted.isEmpty ? 1 : wanted[0].extent, count <= InferenceSite.partialLength
    {
      site.outputPartials[0] = Array(repeating: .fixed(Int(number)), count: count)
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let extents = try extents(call)
    let count = Checked.product(extents) ?? 0
    let builder =
      value.map { ElementBuilder(repeating: $0, count: count) }
      ?? ElementBuilder(.float32, count: count)
    return [.tensor(try builder.tensor(extents))]
  }
}
