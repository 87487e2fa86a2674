import WherryBytes
import WherryGraph

extension JSONReader {
  mutating func string() throws(JSONFault) -> String? {
    cursor.skipSpace()
    guard cursor.next == UInt8(ascii: "\"") else {
      try mismatch("a string")
      return nil
    }
    return cursor.string(try cursor.text())
  }

  mutating func strings() throws(JSONFault) -> [String] {
    try list { (reader) throws(JSONFault) in try reader.string() }
  }

  mutating func bool() throws(JSONFault) -> Bool? {
    cursor.skipSpace()
    switch cursor.next {
    case UInt8(ascii: "t"):
      try cursor.literal("true")
      return true
    case UInt8(ascii: "f"):
      try cursor.literal("false")
      return false
    default:
      try mismatch("true or false")
      return nil
    }
  }

  /// A whole number, or a string of its digits.
  @inline(__always)
  mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(JSONFault) -> T? {
    cursor.skipSpace()
    guard cursor.startsNumber else { return try quotedInteger(type) }
    let number = try cursor.number()
    guard let value = cursor.integer(number, type) else {
      try note(.invalid("an integer in \(T.min)…\(T.max) is expected"), at: number.range.lowerBound)
      return nil
    }
    return value
  }

  private mutating func quotedInteger<T: FixedWidthInteger>(
    _ type: T.Type
  ) throws(JSONFault) -> T? {
    guard cursor.next == UInt8(ascii: "\"") else {
      try mismatch("an integer")
      return nil
    }
    let start = cursor.at
    let text = try cursor.text()
    var inner = cursor
    inner.at = text.range.lowerBound
    guard !text.hasEscapes, inner.startsNumber, let number = try? inner.number(),
      inner.at == text.range.upperBound, let value = inner.integer(number, type)
    else {
      try note(.invalid("an integer in \(T.min)…\(T.max) is expected"), at: start)
      return nil
    }
    return value
  }

  mutating func integers<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(JSONFault) -> [T] {
    try list { (reader) throws(JSONFault) in try reader.integer(type) }
  }

  /// A number, or a string for what is none: `"NaN"`, `"Infinity"`, `"-Infinity"`, `"NaN(0x…)"`.
  @inline(__always)
  mutating func float(_ powers: UnsafePointer<PowersOfTen.Power>) throws(JSONFault) -> Float? {
    cursor.skipSpace()
    guard cursor.startsNumber else {
      return try special(hexDigits: 8).map { Float(bitPattern: UInt32(truncatingIfNeeded: $0)) }
    }
    let number = try cursor.number()
    if let value = cursor.float(number, powers) { return value }
    try note(.invalid("the number is outside float32"), at: number.range.lowerBound)
    return nil
  }

  @inline(__always)
  mutating func double(_ powers: UnsafePointer<PowersOfTen.Power>) throws(JSONFault) -> Double? {
    cursor.skipSpace()
    guard cursor.startsNumber else {
      return try special(hexDigits: 16).map { Double(bitPattern: $0) }
    }
    let number = try cursor.number()
    if let value = cursor.double(number, powers) { return value }
    try note(.invalid("the number is outside float64"), at: number.range.lowerBound)
    return nil
  }

  /// The bits of what is no number.
  private mutating func special(hexDigits: Int) throws(JSONFault) -> UInt64? {
    guard cursor.next == UInt8(ascii: "\"") else {
      try mismatch("a number")
      return nil
    }
    let start = cursor.at
    let text = cursor.string(try cursor.text())
    let infinity: UInt64 = hexDigits == 8 ? 0x7F80_0000 : 0x7FF0_0000_0000_0000
    let top: UInt64 = 1 << UInt64(4 * hexDigits - 1)
    switch text {
    case "NaN": return hexDigits == 8 ? 0x7FC0_0000 : 0x7FF8_0000_0000_0000
    case "Infinity": return infinity
    case "-Infinity": return infinity | top
    default:
      let digits = text.dropFirst(6).dropLast()
      if text.hasPrefix("NaN(0x"), text.hasSuffix(")"), digits.utf8.count == hexDigits,
        digits.utf8.allSatisfy({
          UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 >= UInt8(ascii: "a")
        }),
        let bits = UInt64(digits, radix: 16), bits & ~top > infinity
      {
        return bits
      }
      try note(.invalid("a number, \"NaN\", \"Infinity\" or \"-Infinity\" is expected"), at: start)
      return nil
    }
  }

  /// Text as bytes, or `{"base64": "…"}`. Shared with the document where it has no escapes.
  mutating func bytes() throws(JSONFault) -> Bytes? {
    cursor.skipSpace()
    guard cursor.next != UInt8(ascii: "\"") else {
      let text = try cursor.text()
      return text.hasEscapes ? Bytes(cursor.unescaped(text)) : source.bytes.slice(text.range)
    }
    let start = cursor.at
    var result: Bytes?
    let isObject = try object(Base64Key.self) { (reader, _) throws(JSONFault) in
      result = try reader.base64(count: nil)
    }
    guard isObject else { return nil }
    return try require(result, "base64", at: start)
  }

  enum Base64Key: String, JSONKey {
    case base64
    static let table = JSONKeyTable<Self>()
  }

  mutating func byteStrings() throws(JSONFault) -> [Bytes] {
    try list { (reader) throws(JSONFault) in try reader.bytes() }
  }

  mutating func element() throws(JSONFault) -> ElementType? {
    cursor.skipSpace()
    let start = cursor.at
    guard let name = try string() else { return nil }
    guard let element = ElementType(name: name) else {
      try note(.invalid("\"\(name)\" is no element type"), at: start)
      return nil
    }
    return element
  }

  /// An object of texts, or an array of pairs.
  mutating func properties() throws(JSONFault) -> [Property] {
    cursor.skipSpace()
    var result: [Property] = []
    guard cursor.next != UInt8(ascii: "[") else {
      return try list { (reader) throws(JSONFault) in
        reader.cursor.skipSpace()
        let start = reader.cursor.at
        let pair = try reader.strings()
        guard pair.count == 2 else {
          try reader.note(.invalid("a pair of strings is expected"), at: start)
          return nil
        }
        return Property(pair[0], pair[1])
      }
    }
    _ = try dictionary { (reader, key) throws(JSONFault) in
      if let value = try reader.string() { result.append(Property(key, value)) }
    }
    return result
  }
}

extension JSONCursor {
  /// Whether a number begins here.
  var startsNumber: Bool {
    @inline(__always) get {
      let byte = next
      return byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10
    }
  }
}
