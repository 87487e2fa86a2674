import Glibc
import WherryBytes
import WherryGraph

/// Scores as a map from label to score, one a row.
///
/// `X: [N, C]` or `[C] float32`; `Z: sequence(map(label, float32))`.
/// - Source: ONNX operator specification, ai.onnx.ml ZipMap-1.
public struct ZipMap: Operator {
  public var classlabelsInt64s: [Int]?
  public var classlabelsStrings: [Bytes]?

  public init() {}

  public static let signature = Signature(
    "ZipMap", domain: OperatorName.mlDomain, [.init("X", .float32)], [.init("Z")])

  public static let fields: [Field<ZipMap>] = [
    Field("classlabels_int64s", \.classlabelsInt64s),
    Field("classlabels_strings", \.classlabelsStrings),
  ]

  private var names: ClassNames { ClassNames(classlabelsInt64s, classlabelsStrings) }
  private var type: ValueType { .map(key: names.element, value: .tensor(.float32, Shape([]))) }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if site.outputCount > 0 { site.outputs[0] = .sequence(type) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (count, width, values) = try x.rows()
    let names = names
    guard names.count == width else {
      throw RunError(.badInput("\(names.count) labels for \(width)"))
    }
    let keys = (0..<width).compactMap { names.tensor([$0])?.reshaped([]) }
    let maps = (0..<count).map { row -> Value in
      var map: [Tensor: Value] = [:]
      for (column, key) in keys.enumerated() {
        map[key] = Tensor(.float32, [], doubles: [values[row * width + column]]).map { .tensor($0) }
      }
      return .map(map, type)
    }
    return [.sequence(maps, type)]
  }
}

/// A map's values in the order of a vocabulary; 0 or an empty string for keys it lacks.
///
/// `X: map`, `Y: [1, vocabulary]`.
/// - Source: ONNX operator specification, ai.onnx.ml DictVectorizer-1.
public struct DictVectorizer: Operator {
  public var int64Vocabulary: [Int]?
  public var stringVocabulary: [Bytes]?

  public init() {}

  public static let signature = Signature(
    "DictVectorizer", domain: OperatorName.mlDomain, [.init("X")],
    [.init("Y", ElementSet(.float32, .float64, .int64, .string))])

  public static let fields: [Field<DictVectorizer>] = [
    Field("int64_vocabulary", \.int64Vocabulary), Field("string_vocabulary", \.stringVocabulary),
  ]

  private var names: ClassNames { ClassNames(int64Vocabulary, stringVocabulary) }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard case .map(_, let value)? = site.type(0)?.plain else { return }
    site.set(0, value.element, Shape([1, .fixed(names.count)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (map, element) = try call.map(0)
    let names = names
    let values = (0..<names.count).map {
      names.tensor([$0])?.reshaped([]).flatMap { map[$0] } ?? nil
    }
    if element == .string {
      let strings = values.map { $0?.tensor?.strings.first ?? Bytes() }
      return [Tensor([1, names.count], strings: strings).map { .tensor($0) }]
    }
    if element == .int64 {
      let integers = values.map { $0?.tensor?.integers.first ?? 0 }
      return [Tensor(element, [1, names.count], integers: integers).map { .tensor($0) }]
    }
    let numbers = values.map { $0?.tensor?.doubles.first ?? 0 }
    return [Tensor(element, [1, names.count], doubles: numbers).map { .tensor($0) }]
  }
}

/// A map from int64 as a tensor: its values by ascending key, or each at the place its key names.
///
/// `X: map(int64, float32 or string)`, `Y: [1, n]`, `n` being the map's size or `max_map`.
/// - Source: ONNX operator specification, ai.onnx.ml CastMap-1.
public struct CastMap: Operator {
  public enum Target: String, AttributeConvertible {
    case float = "TO_FLOAT"
    case string = "TO_STRING"
    case int64 = "TO_INT64"

    var element: ElementType {
      switch self {
      case .float: .float32
      case .string: .string
      case .int64: .int64
      }
    }
  }

  public enum Form: String, AttributeConvertible {
    case dense = "DENSE"
    case sparse = "SPARSE"
  }

  public var castTo = Target.float
  public var mapForm = Form.dense
  /// The length of a sparse map's tensor.
  public var maxMap = 1

  public init() {}

  public static let signature = Signature(
    "CastMap", domain: OperatorName.mlDomain, [.init("X")],
    [.init("Y", ElementSet(.float32, .int64, .string))])

  public static let fields: [Field<CastMap>] = [
    Field("cast_to", \.castTo), Field("map_form", \.mapForm), Field("max_map", \.maxMap),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, castTo.element, Shape([1, mapForm == .sparse ? .fixed(max(maxMap, 0)) : .unknown]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let entries = try call.map(0).map
      .compactMap { key, value in key.integers.first.flatMap { k in value.tensor.map { (k, $0) } } }
      .sorted { $0.0 < $1.0 }
    var places = Array(0..<entries.count)
    var count = entries.count
    if mapForm == .sparse {
      count = try RunError.count([maxMap])
      places = []
      for (key, _) in entries {
        guard key >= 0, key < count else { throw RunError(.badValue("key \(key) of \(count)")) }
        places.append(Int(key))
      }
    }
    var strings = [Bytes](repeating: Bytes("0".utf8), count: castTo == .string ? count : 0)
    var numbers = [Double](repeating: 0, count: castTo == .string ? 0 : count)
    for (place, entry) in zip(places, entries) {
      let value = entry.1
      if castTo == .string {
        let text = value.doubles.first.map { Bytes(Self.fixed($0).utf8) }
        strings[place] = value.strings.first ?? text ?? Bytes()
        continue
      }
      let number = value.doubles.first ?? value.strings.first?.text.flatMap { Double($0) }
      guard let number else { throw RunError(.badValue("a value that is no number")) }
      numbers[place] = castTo == .int64 ? number.rounded(.towardZero) : number
    }
    if castTo == .string { return [Tensor([1, count], strings: strings).map { .tensor($0) }] }
    return [Tensor(castTo.element, [1, count], doubles: numbers).map { .tensor($0) }]
  }

  /// `x` with six decimals, as C's `%f`.
  private static func fixed(_ x: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 512)
    let count = withVaList([x]) { vsnprintf(&buffer, buffer.count, "%f", $0) }
    return String(
      decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension OperatorCall {
  /// The entries of an input that is a map, and the element type of its values.
  fileprivate func map(
    _ index: Int
  ) throws(RunError) -> (map: [Tensor: Value], element: ElementType) {
    guard case .map(let map, .map(_, let value))? = value(index), let element = value.element else {
      throw RunError(.badInput("input \(index) is no map of tensors"))
    }
    return (map, element)
  }
}
