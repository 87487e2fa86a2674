import WherryBytes

/// A bounded cursor over one block of metadata that knows how wide addresses and lengths are.
struct FieldReader {
  private(set) var bytes: ByteReader
  let widths: FieldWidths

  init(_ bytes: Bytes, origin: Int, widths: FieldWidths) {
    self.bytes = ByteReader(bytes, origin: origin)
    self.widths = widths
  }

  var place: Place { bytes.place }
  var offset: Int { bytes.offset }
  var remaining: Int { bytes.remaining }

  mutating func u8() throws(DecodeError) -> Int { Int(try bytes.integer(UInt8.self)) }
  mutating func u16() throws(DecodeError) -> Int { Int(try bytes.integer(UInt16.self)) }
  mutating func u32() throws(DecodeError) -> Int { Int(try raw32()) }
  mutating func raw32() throws(DecodeError) -> UInt32 { try bytes.integer(UInt32.self) }
  mutating func raw64() throws(DecodeError) -> UInt64 { try bytes.integer(UInt64.self) }
  mutating func take(_ count: Int) throws(DecodeError) -> Bytes { try bytes.take(count) }
  mutating func skip(_ count: Int) throws(DecodeError) { try bytes.skip(count) }

  /// What is left, as a reader of its own.
  mutating func rest() throws(DecodeError) -> FieldReader { try part(remaining) }

  /// The next `count` bytes as a reader of their own.
  mutating func part(_ count: Int) throws(DecodeError) -> FieldReader {
    let origin = bytes.origin + bytes.offset
    return FieldReader(try bytes.take(count), origin: origin, widths: widths)
  }

  /// An unsigned little-endian number of 1 to 8 bytes.
  mutating func unsigned(width: Int) throws(DecodeError) -> UInt64 {
    let place = place
    guard (1...8).contains(width) else {
      throw DecodeError(.invalid("field of \(width) bytes"), place)
    }
    return try bytes.take(width).withUnsafeBytes { raw in
      var value: UInt64 = 0
      for (index, byte) in raw.enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
      return value
    }
  }

  /// A number that must fit an `Int`.
  mutating func count(width: Int) throws(DecodeError) -> Int {
    let place = place
    guard let value = Int(exactly: try unsigned(width: width)) else {
      throw DecodeError(.invalid("size beyond 63 bits"), place)
    }
    return value
  }

  mutating func length() throws(DecodeError) -> Int { try count(width: widths.length) }

  /// An extent; nil stands for "unlimited", which is stored as all ones.
  mutating func extent() throws(DecodeError) -> Int? {
    let place = place
    let value = try unsigned(width: widths.length)
    if value == Self.ones(widths.length) { return nil }
    guard let extent = Int(exactly: value) else {
      throw DecodeError(.invalid("extent beyond 63 bits"), place)
    }
    return extent
  }

  /// An address; nil stands for "undefined", which is stored as all ones.
  mutating func address() throws(DecodeError) -> Int? {
    let place = place
    let value = try unsigned(width: widths.address)
    if value == Self.ones(widths.address) { return nil }
    guard let address = Int(exactly: value) else {
      throw DecodeError(.invalid("address beyond 63 bits"), place)
    }
    return address
  }

  /// An address that must be defined.
  mutating func requiredAddress(_ what: String) throws(DecodeError) -> Int {
    let place = place
    guard let address = try address() else {
      throw DecodeError(.missing("address of \(what)"), place)
    }
    return address
  }

  /// Four letters that must be these.
  mutating func signature(_ expected: String) throws(DecodeError) {
    let place = place
    let found = try take(4)
    guard found.array == Array(expected.utf8) else {
      throw DecodeError(.invalid("signature \(expected)"), place)
    }
  }

  /// A version number that must be one of these.
  mutating func version(_ allowed: ClosedRange<Int>, of what: String) throws(DecodeError) -> Int {
    let place = place
    let version = try u8()
    guard allowed.contains(version) else {
      throw DecodeError(.unsupportedVersion("\(what) \(version)"), place)
    }
    return version
  }

  /// Text up to a zero byte, which is taken too.
  mutating func terminated() throws(DecodeError) -> Bytes {
    let place = place
    guard let rest = bytes.bytes.slice(offset..<bytes.bytes.count),
      let end = rest.withUnsafeBytes({ $0.firstIndex(of: 0) })
    else { throw DecodeError(.invalid("text without an end"), place) }
    let text = try take(end)
    try skip(1)
    return text
  }

  private static func ones(_ width: Int) -> UInt64 {
    width >= 8 ? .max : (1 << UInt64(8 * width)) - 1
  }
}
