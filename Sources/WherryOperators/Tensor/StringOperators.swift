import WherryBytes
import WherryGraph

/// Strings of `X` followed by those of `Y`, broadcast to one shape.
///
/// - Source: ONNX operator specification, StringConcat-20.
public struct StringConcat: Operator {
  public init() {}

  public static let signature = Signature(
    "StringConcat", [.init("X", .string), .init("Y", .string)], [.init("Z", .string)])

  public static let fields: [Field<StringConcat>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(1) else {
      site.set(0, .string, nil)
      return
    }
    guard let shape = Shape.broadcast(a, b) else {
      throw TypeError(.shape("\(a) and \(b) don't broadcast"))
    }
    site.set(0, .string, shape)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let extents = try extents(call)
    let (x, y) = (
      try call.tensor(0).broadcast(to: extents), try call.tensor(1).broadcast(to: extents)
    )
    let joined = zip(x.strings, y.strings).map { Bytes($0.array + $1.array) }
    return [Tensor(extents, strings: joined).map { .tensor($0) }]
  }
}

/// Each string in parts, on a new last axis as long as the most parts need, filled up with ""; and the
/// number of parts of each string.
///
/// - Source: ONNX operator specification, StringSplit-20.
public struct StringSplit: Operator {
  /// What stands between parts; nil or "" for any whitespace, of which that around the string is dropped.
  public var delimiter: Bytes?
  /// At most this many cuts, from the left; nil for as many as possible.
  public var maxsplit: Int?

  public init() {}

  public static let signature = Signature(
    "StringSplit", [.init("X", .string)], [.init("Y", .string), .init("Z", .int64)])

  public static let fields: [Field<StringSplit>] = [
    Field("delimiter", \.delimiter), Field("maxsplit", \.maxsplit),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let shape = site.shape(0)
    site.set(0, .string, shape.map { Shape($0.dimensions + [.unknown]) })
    site.set(1, .int64, shape.map { Shape($0.dimensions) })
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let most = maxsplit.map { $0 < 0 ? .max : $0 } ?? .max
    var parts: [[Bytes]] = []
    for string in data.strings {
      if let delimiter, !delimiter.isEmpty {
        parts.append(Self.split(string.array, by: delimiter.array, most: most))
      } else {
        parts.append(try Self.splitAtWhitespace(string, most: most))
      }
    }
    let width = parts.map(\.count).max() ?? 0
    _ = try call.limits.check(.string, data.shape + [width])
    let filled = parts.flatMap { $0 + Array(repeating: Bytes(), count: width - $0.count) }
    return [
      Tensor(data.shape + [width], strings: filled).map { .tensor($0) },
      Tensor(.int64, data.shape, integers: parts.map { Int64($0.count) }).map { .tensor($0) },
    ]
  }

  private static func split(_ text: [UInt8], by mark: [UInt8], most: Int) -> [Bytes] {
    var (parts, start, at) = ([Bytes](), 0, 0)
    while at <= text.count - mark.count, parts.count < most {
      if text[at..<at + mark.count].elementsEqual(mark) {
        parts.append(Bytes(text[start..<at]))
        at += mark.count
        start = at
      } else {
        at += 1
      }
    }
    return parts + [Bytes(text[start...])]
  }

  private static func splitAtWhitespace(_ string: Bytes, most: Int) throws(RunError) -> [Bytes] {
    guard let text = string.text else { throw RunError(.badValue("a string is not UTF-8")) }
    var parts: [Bytes] = []
    var rest = text.unicodeScalars[...].drop { $0.properties.isWhitespace }
    while !rest.isEmpty {
      guard parts.count < most, let end = rest.firstIndex(where: { $0.properties.isWhitespace })
      else {
        parts.append(Bytes(String(rest).utf8))
        break
      }
      parts.append(Bytes(String(rest[..<end]).utf8))
      rest = rest[end...].drop { $0.properties.isWhitespace }
    }
    return parts
  }
}

/// What becomes of a string's letters.
public enum CaseChange: String, AttributeConvertible {
  case lower = "LOWER"
  case upper = "UPPER"
  case none = "NONE"
}

/// The strings that are no stop words, in another case. When none is left, one "".
///
/// `X: [C]` or `[1, C]`.
/// - Source: ONNX operator specification, StringNormalizer-10.
public struct StringNormalizer: Operator {
  public var caseChangeAction = CaseChange.none
  /// Whether stop words are compared with their case.
  public var isCaseSensitive = false
  /// Kept, but letters change as Unicode says for no particular language.
  public var locale: String?
  public var stopwords: [Bytes]?

  public init() {}

  public static let signature = Signature(
    "StringNormalizer", [.init("X", .string)], [.init("Y", .string)])

  public static let fields: [Field<StringNormalizer>] = [
    Field("case_change_action", \.caseChangeAction), Field("is_case_sensitive", \.isCaseSensitive),
    Field("locale", \.locale), Field("stopwords", \.stopwords),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, .string, nil)
      return
    }
    switch shape.rank {
    case 1: site.set(0, .string, Shape([.unknown]))
    case 2 where shape[0].extent ?? 1 == 1: site.set(0, .string, Shape([1, .unknown]))
    default: throw TypeError(.shape("the input is \(shape), neither [C] nor [1, C]"))
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    _ = try inferred(call)
    let data = try call.tensor(0)
    let dropped = Set(try (stopwords ?? []).map { (word) throws(RunError) in try key(word) })
    var kept: [Bytes] = []
    for string in data.strings where !dropped.contains(try key(string)) {
      kept.append(try Self.change(string, caseChangeAction))
    }
    if kept.isEmpty { kept = [Bytes()] }
    return [
      Tensor(data.rank == 2 ? [1, kept.count] : [kept.count], strings: kept).map { .tensor($0) }
    ]
  }

  /// What stop words are compared by.
  private func key(_ string: Bytes) throws(RunError) -> Bytes {
    isCaseSensitive ? string : try Self.change(string, .lower)
  }

  private static func change(_ string: Bytes, _ action: CaseChange) throws(RunError) -> Bytes {
    guard action != .none else { return string }
    guard let text = string.text else { throw RunError(.badValue("a string is not UTF-8")) }
    return Bytes((action == .lower ? text.lowercased() : text.uppercased()).utf8)
  }
}
