import WherryBytes

extension JSONValue {
  /// Reads a document.
  ///
  /// - Throws: `DecodeError` with line and column for text that is not JSON or not UTF-8, that nests
  ///   deeper than `limits.depth`, or that has more than `limits.elements` values.
  /// - Source: RFC 8259; `NaN` and the infinities as Python's `json` writes them.
  public init(parsing bytes: Bytes, limits: Limits = .standard) throws(DecodeError) {
    self = try bytes.withUnsafeBytes { (raw) throws(DecodeError) in
      var parser = JSONParser(raw, limits)
      return try parser.document()
    }
  }

  /// Reads a document.
  public init(parsing text: String, limits: Limits = .standard) throws(DecodeError) {
    try self.init(parsing: Bytes(Array(text.utf8)), limits: limits)
  }
}

/// A cursor over JSON text.
private struct JSONParser {
  private let raw: UnsafeRawBufferPointer
  private let limits: Limits
  private var at = 0
  private var depth = 0
  private var left: Int

  init(_ raw: UnsafeRawBufferPointer, _ limits: Limits) {
    (self.raw, self.limits, left) = (raw, limits, limits.elements)
  }

  mutating func document() throws(DecodeError) -> JSONValue {
    let value = try value()
    skipSpace()
    guard at == raw.count else { throw fault(.invalid("text after the document")) }
    return value
  }

  private var next: UInt8? { at < raw.count ? raw[at] : nil }

  private func fault(_ reason: DecodeError.Reason) -> DecodeError {
    var (line, start) = (1, 0)
    for index in 0..<min(at, raw.count) where raw[index] == 0x0A {
      line += 1
      start = index + 1
    }
    return DecodeError(reason, .line(line, column: at - start + 1))
  }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  /// Steps over an ASCII character when it comes next.
  private mutating func takes(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    at += 1
    return true
  }

  private mutating func value() throws(DecodeError) -> JSONValue {
    skipSpace()
    guard left > 0 else { throw fault(.limit("JSON values", limits.elements)) }
    left -= 1
    switch next {
    case UInt8(ascii: "{"):
      return try nested { (parser) throws(DecodeError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { (parser) throws(DecodeError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case nil: throw fault(.truncated(needed: 1, available: 0))
    default: break
    }
    for (word, value) in Self.words where raw[at...].starts(with: word.utf8) {
      at += word.utf8.count
      return value
    }
    return try number()
  }

  private static let words: [(String, JSONValue)] = [
    ("true", true), ("false", false), ("null", nil), ("NaN", .number(.nan)),
    ("Infinity", .number(.infinity)), ("-Infinity", .number(-.infinity)),
  ]

  private mutating func nested(
    _ body: (inout JSONParser) throws(DecodeError) -> JSONValue
  ) throws(DecodeError) -> JSONValue {
    guard depth < limits.depth else { throw fault(.limit("levels of nesting", limits.depth)) }
    depth += 1
    at += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  private mutating func object() throws(DecodeError) -> JSONValue {
    var members: [JSONMember] = []
    skipSpace()
    if takes("}") { return .object(members) }
    while true {
      skipSpace()
      let key = try string()
      skipSpace()
      guard takes(":") else { throw fault(.invalid("a colon is expected")) }
      members.append(JSONMember(key, try value()))
      skipSpace()
      if takes("}") { return .object(members) }
      guard takes(",") else { throw fault(.invalid("a comma or a closing brace is expected")) }
    }
  }

  private mutating func array() throws(DecodeError) -> JSONValue {
    var values: [JSONValue] = []
    skipSpace()
    if takes("]") { return .array(values) }
    while true {
      values.append(try value())
      skipSpace()
      if takes("]") { return .array(values) }
      guard takes(",") else { throw fault(.invalid("a comma or a closing bracket is expected")) }
    }
  }

  private mutating func number() throws(DecodeError) -> JSONValue {
    let start = at
    var isInteger = true
    while let byte = next {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        isInteger = false
      default:
        return try number(start, isInteger)
      }
      at += 1
    }
    return try number(start, isInteger)
  }

  private mutating func number(_ start: Int, _ isInteger: Bool) throws(DecodeError) -> JSONValue {
    let text = String(decoding: raw[start..<at], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text) else {
      at = start
      throw fault(.invalid("a value is expected"))
    }
    return .number(value)
  }

  private mutating func string() throws(DecodeError) -> String {
    guard takes("\"") else { throw fault(.invalid("a string is expected")) }
    var bytes: [UInt8] = []
    var start = at
    while let byte = next {
      if byte == UInt8(ascii: "\"") {
        bytes.append(contentsOf: raw[start..<at])
        guard let text = String(validating: bytes, as: UTF8.self) else { throw fault(.notUTF8) }
        at += 1
        return text
      }
      guard byte >= 0x20 else { throw fault(.invalid("a control character in a string")) }
      if byte == UInt8(ascii: "\\") {
        bytes.append(contentsOf: raw[start..<at])
        at += 1
        bytes.append(contentsOf: UTF8.encode(try escape()).map { Array($0) } ?? [])
        start = at
      } else {
        at += 1
      }
    }
    throw fault(.truncated(needed: 1, available: 0))
  }

  private mutating func escape() throws(DecodeError) -> Unicode.Scalar {
    guard let byte = next else { throw fault(.truncated(needed: 1, available: 0)) }
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw fault(.invalid("an unknown escape"))
    }
    let unit = try hexadecimal()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, takes("\\"), takes("u") else {
      throw fault(.invalid("half a surrogate pair"))
    }
    let low = try hexadecimal()
    guard low >= 0xDC00, low < 0xE000,
      let scalar = Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { throw fault(.invalid("half a surrogate pair")) }
    return scalar
  }

  private mutating func hexadecimal() throws(DecodeError) -> UInt32 {
    guard raw.count - at >= 4,
      let value = UInt32(String(decoding: raw[at..<at + 4], as: UTF8.self), radix: 16)
    else { throw fault(.invalid("four hexadecimal digits are expected")) }
    at += 4
    return value
  }
}
