import WherryBytes
import WherryGraph

/// Each element looked up in a table of keys and values; a default for those not found.
///
/// Keys and values each come as one of the typed lists or a tensor; NaN equals itself; of equal keys the
/// first counts.
/// - Source: ONNX operator specification, ai.onnx.ml LabelEncoder-4.
public struct LabelEncoder: Operator {
  public var defaultFloat: Float = -0.0
  public var defaultInt64 = -1
  public var defaultString = Bytes("_Unused".utf8)
  public var defaultTensor: Tensor?
  public var keysFloats: [Float]?
  public var keysInt64s: [Int]?
  public var keysStrings: [Bytes]?
  public var keysTensor: Tensor?
  public var valuesFloats: [Float]?
  public var valuesInt64s: [Int]?
  public var valuesStrings: [Bytes]?
  public var valuesTensor: Tensor?

  public init() {}

  static let elements = ElementSet(.float32, .float64, .int16, .int32, .int64, .string)
  public static let signature = Signature(
    "LabelEncoder", domain: OperatorName.mlDomain, [.init("X", elements)], [.init("Y", elements)])

  public static let fields: [Field<LabelEncoder>] = [
    Field("default_float", \.defaultFloat), Field("default_int64", \.defaultInt64),
    Field("default_string", \.defaultString), Field("default_tensor", \.defaultTensor),
    Field("keys_floats", \.keysFloats), Field("keys_int64s", \.keysInt64s),
    Field("keys_strings", \.keysStrings), Field("keys_tensor", \.keysTensor),
    Field("values_floats", \.valuesFloats), Field("values_int64s", \.valuesInt64s),
    Field("values_strings", \.valuesStrings), Field("values_tensor", \.valuesTensor),
  ]

  private static func table(
    _ tensor: Tensor?, _ strings: [Bytes]?, _ integers: [Int]?, _ floats: [Float]?
  ) -> Tensor? {
    if let tensor { return tensor.reshaped([tensor.count]) }
    if let strings, !strings.isEmpty { return Tensor([strings.count], strings: strings) }
    if let integers, !integers.isEmpty { return Tensor(vector: integers) }
    return floats.flatMap { Tensor(.float32, [$0.count], elements: $0) }
  }

  private var keys: Tensor? { Self.table(keysTensor, keysStrings, keysInt64s, keysFloats) }
  private var values: Tensor? {
    Self.table(valuesTensor, valuesStrings, valuesInt64s, valuesFloats)
  }

  /// What stands for a key that is not found, of the values' element type.
  private func fallback(_ element: ElementType) -> Tensor? {
    if let defaultTensor, defaultTensor.element == element, defaultTensor.count == 1 {
      return defaultTensor
    }
    switch element {
    case .string: return Tensor([], strings: [defaultString])
    case .float32, .float64: return Tensor(element, [], doubles: [Double(defaultFloat)])
    default: return Tensor(element, [], integers: [Int64(defaultInt64)])
    }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let keys, let element = site.element(0), keys.element != element {
      throw TypeError(.element(input: 0, element))
    }
    site.set(0, values?.element, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard let keys, let values, keys.count == values.count, keys.element == x.element,
      let fallback = fallback(values.element)
    else { throw RunError(.badInput("keys and values don't fit \(x.element) inputs")) }
    var places: [LookupKey: Int] = [:]
    for (index, key) in LookupKey.list(keys).enumerated() where places[key] == nil {
      places[key] = index
    }
    let sources = LookupKey.list(x).map { places[$0] ?? -1 }
    return [values.picking(sources, x.shape, fill: fallback).map { .tensor($0) }]
  }
}

/// An element as a key: NaN equals itself, and the zeros each other.
enum LookupKey: Hashable {
  case string(Bytes)
  case integer(Int64)
  case float(UInt64)

  static func list(_ tensor: Tensor) -> [LookupKey] {
    if tensor.element == .string { return tensor.strings.map { .string($0) } }
    if tensor.element.isFloat {
      return tensor.doubles.map { .float($0.isNaN ? Double.nan.bitPattern : ($0 + 0).bitPattern) }
    }
    return tensor.integers.map { .integer($0) }
  }
}

/// Strings to integers or back, by two parallel lists.
///
/// - Source: ONNX operator specification, ai.onnx.ml CategoryMapper-1.
public struct CategoryMapper: Operator {
  public var catsInt64s: [Int]?
  public var catsStrings: [Bytes]?
  public var defaultInt64 = -1
  public var defaultString = Bytes("_Unused".utf8)

  public init() {}

  public static let signature = Signature(
    "CategoryMapper", domain: OperatorName.mlDomain, [.init("X", .labels)], [.init("Y", .labels)])

  public static let fields: [Field<CategoryMapper>] = [
    Field("cats_int64s", \.catsInt64s), Field("cats_strings", \.catsStrings),
    Field("default_int64", \.defaultInt64), Field("default_string", \.defaultString),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0).map { $0 == .string ? .int64 : .string }, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (integers, strings) = (catsInt64s ?? [], catsStrings ?? [])
    guard integers.count == strings.count else {
      throw RunError(.badInput("\(integers.count) integers, \(strings.count) strings"))
    }
    if x.element == .string {
      let places = Dictionary(zip(strings, integers), uniquingKeysWith: { first, _ in first })
      let y = x.strings.map { Int64(places[$0] ?? defaultInt64) }
      return [Tensor(.int64, x.shape, integers: y).map { .tensor($0) }]
    }
    let names = Dictionary(zip(integers, strings), uniquingKeysWith: { first, _ in first })
    let y = x.integers.map { names[Int($0)] ?? defaultString }
    return [Tensor(x.shape, strings: y).map { .tensor($0) }]
  }
}
