import WherryBytes
import WherryGraph

extension JSONReader {
  enum TypeKey: String, JSONKey {
    case tensor, sparseTensor, sequence, optional, map, opaque, denoted, shape, denotations
    case meaning = "as"
    static let table = JSONKeyTable<Self>()
  }

  /// A type; `null` says nothing.
  mutating func type() throws(JSONFault) -> ValueType? {
    if try null() { return .unspecified }
    let start = start
    let before = problemCount
    var parts = TypeParts()
    let isObject = try object(TypeKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .shape: parts.shape = try reader.shape()
      case .denotations: parts.denotations = try reader.strings()
      case .meaning: parts.meaning = try reader.string()
      default:
        if let kind = parts.kind {
          let other = "both \(kind.rawValue) and \(key.rawValue)"
          try reader.note(.inconsistent(other), at: reader.start)
        }
        parts.kind = key
        switch key {
        case .tensor, .sparseTensor: parts.element = try reader.element()
        case .map: parts.type = try reader.map()
        case .opaque: parts.type = try reader.opaque()
        default: parts.type = try reader.type()
        }
      }
    }
    guard isObject, problemCount == before else { return nil }
    guard let type = parts.whole else {
      try note(.inconsistent("keys that make no type"), at: start)
      return nil
    }
    return type
  }

  /// The members of a type, in whatever order they come.
  private struct TypeParts {
    var kind: TypeKey?
    var element: ElementType?
    var type: ValueType?
    var shape: Shape?
    var denotations: [String]?
    var meaning: String?

    /// nil when members are missing or there are some that don't belong to the kind.
    var whole: ValueType? {
      let isTensor = kind == .tensor || kind == .sparseTensor
      guard isTensor || shape == nil, denotations == nil || shape != nil,
        (kind == .denoted) == (meaning != nil)
      else { return nil }
      var shape = shape
      shape?.denotations = denotations ?? []
      switch kind {
      case .tensor: return element.map { .tensor($0, shape) }
      case .sparseTensor: return element.map { .sparseTensor($0, shape) }
      case .sequence: return type.map { .sequence($0) }
      case .optional: return type.map { .optional($0) }
      case .map, .opaque: return type
      case .denoted: return type.map { .denoted($0, meaning ?? "") }
      default: return nil
      }
    }
  }

  enum MapKey: String, JSONKey {
    case key, value
    static let table = JSONKeyTable<Self>()
  }

  private mutating func map() throws(JSONFault) -> ValueType? {
    let start = start
    let before = problemCount
    var element: ElementType?
    var value: ValueType?
    _ = try object(MapKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .key: element = try reader.element()
      case .value: value = try reader.type()
      }
    }
    guard problemCount == before, let element = try require(element, "key", at: start),
      let value = try require(value, "value", at: start)
    else { return nil }
    return .map(key: element, value: value)
  }

  enum OpaqueKey: String, JSONKey {
    case domain, name
    static let table = JSONKeyTable<Self>()
  }

  private mutating func opaque() throws(JSONFault) -> ValueType? {
    var (domain, name) = ("", "")
    let isObject = try object(OpaqueKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .domain: domain = try reader.string() ?? ""
      case .name: name = try reader.string() ?? ""
      }
    }
    return isObject ? .opaque(domain: domain, name: name) : nil
  }

  private mutating func shape() throws(JSONFault) -> Shape {
    Shape(try list { (reader) throws(JSONFault) in try reader.dimension() })
  }

  enum ExtentKey: String, JSONKey {
    case extent
    static let table = JSONKeyTable<Self>()
  }

  /// An extent, the name of one, or `null`.
  mutating func dimension() throws(JSONFault) -> Dimension? {
    if try null() { return .unknown }
    let start = start
    var extent: Int?
    switch cursor.next {
    case UInt8(ascii: "\""): return try string().map { .symbolic($0) }
    case UInt8(ascii: "{"):
      _ = try object(ExtentKey.self) { (reader, _) throws(JSONFault) in
        extent = try reader.integer()
      }
    default: extent = try integer()
    }
    guard let extent else { return nil }
    if extent < 0 { try note(.invalid("a negative extent"), at: start) }
    return .fixed(extent)
  }
}
