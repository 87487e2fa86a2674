import WherryBytes
import WherryGraph

/// JSON text on its way to a sink: escaping, separators, line breaks, in blocks of 64 KB.
///
/// The first failure is kept and ends all output; `finish` throws it.
struct JSONOutput: ~Copyable {
  /// How the members of an object or array are set in pretty text.
  enum Layout {
    /// One a line.
    case block
    /// All on one line, whatever is inside.
    case inline
  }

  static let capacity = 1 << 16
  private let buffer: UnsafeMutablePointer<UInt8>
  private var used = 0
  private let sink: any ByteSink
  let isPretty: Bool
  /// Tensors of at most this many elements are written as decimals.
  let decimalElements: Int
  private(set) var failure: EncodeError?
  /// For every open bracket, whether its members stand on lines of their own.
  private var blocks: [Bool] = []
  private var isFirst = true

  init(_ sink: any ByteSink, _ options: WriteOptions) {
    (self.sink, isPretty) = (sink, options.isPretty)
    decimalElements = options.decimalElements
    buffer = .allocate(capacity: Self.capacity)
  }

  deinit { buffer.deallocate() }

  /// Tells the sink that about `count` bytes will come.
  func expect(_ count: Int) { sink.expect(count) }

  mutating func fail(_ error: EncodeError) {
    if failure == nil { failure = error }
  }

  /// Hands the rest to the sink.
  ///
  /// - Throws: the first failure.
  mutating func finish() throws(EncodeError) {
    flush()
    if let failure { throw failure }
  }

  private mutating func flush() {
    if failure == nil, used > 0 {
      do throws(FileError) {
        try sink.append(UnsafeRawBufferPointer(start: buffer, count: used))
      } catch {
        failure = EncodeError(.file(error))
      }
    }
    used = 0
  }

  /// Room for `count` bytes, at most 4096, of which `write` says how many it used.
  @inline(__always)
  mutating func reserve(_ count: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    if used + count > Self.capacity { flush() }
    used += write(buffer + used)
  }

  @inline(__always)
  mutating func byte(_ byte: UInt8) {
    if used == Self.capacity { flush() }
    buffer[used] = byte
    used += 1
  }

  mutating func raw(_ text: StaticString) {
    raw(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func raw(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      if used == Self.capacity { flush() }
      let count = min(bytes.count - done, Self.capacity - used)
      UnsafeMutableRawPointer(buffer + used).copyMemory(from: base + done, byteCount: count)
      (used, done) = (used + count, done + count)
    }
  }

  // MARK: Structure

  mutating func open(_ bracket: Unicode.Scalar, _ layout: Layout = .block) {
    byte(UInt8(truncatingIfNeeded: bracket.value))
    blocks.append(isPretty && layout == .block && blocks.last != false)
    isFirst = true
  }

  mutating func close(_ bracket: Unicode.Scalar) {
    if blocks.popLast() == true, !isFirst { newline() }
    byte(UInt8(truncatingIfNeeded: bracket.value))
    isFirst = false
  }

  /// Before every member: the separator from the one before.
  mutating func next() {
    let isBlock = blocks.last == true
    if !isFirst {
      byte(UInt8(ascii: ","))
      if isPretty, !isBlock { byte(UInt8(ascii: " ")) }
    }
    if isBlock { newline() }
    isFirst = false
  }

  mutating func key(_ name: StaticString) {
    next()
    byte(UInt8(ascii: "\""))
    raw(name)
    byte(UInt8(ascii: "\""))
    colon()
  }

  mutating func key(named name: String) {
    next()
    text(name)
    colon()
  }

  /// A line break between the numbers of a long array.
  mutating func newline() {
    byte(UInt8(ascii: "\n"))
    for _ in 0..<2 * blocks.count { byte(UInt8(ascii: " ")) }
  }

  private mutating func colon() {
    byte(UInt8(ascii: ":"))
    if isPretty { byte(UInt8(ascii: " ")) }
  }

  // MARK: Text

  mutating func text(_ string: String) {
    var string = string
    string.withUTF8 { quoted(UnsafeRawBufferPointer($0)) }
  }

  /// UTF-8 between quotes, with the escapes that JSON asks for.
  mutating func quoted(_ utf8: UnsafeRawBufferPointer) {
    byte(UInt8(ascii: "\""))
    var start = 0
    for (index, character) in utf8.enumerated() {
      guard character < 0x20 || character == UInt8(ascii: "\"") || character == UInt8(ascii: "\\")
      else { continue }
      raw(UnsafeRawBufferPointer(rebasing: utf8[start..<index]))
      escape(character)
      start = index + 1
    }
    raw(UnsafeRawBufferPointer(rebasing: utf8[start...]))
    byte(UInt8(ascii: "\""))
  }

  private mutating func escape(_ character: UInt8) {
    switch character {
    case 0x08: raw("\\b")
    case 0x09: raw("\\t")
    case 0x0A: raw("\\n")
    case 0x0C: raw("\\f")
    case 0x0D: raw("\\r")
    case 0..<0x20:
      raw("\\u00")
      byte(Self.hexadecimal(character >> 4))
      byte(Self.hexadecimal(character & 15))
    default:
      byte(UInt8(ascii: "\\"))
      byte(character)
    }
  }

  static func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }

  /// Base64 between quotes.
  mutating func base64(_ bytes: UnsafeRawBufferPointer) {
    byte(UInt8(ascii: "\""))
    let portion = Self.capacity / 8 * 3 / 12 * 12
    var start = 0
    while start < bytes.count, failure == nil {
      let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + portion, bytes.count)])
      let count = Base64.encodedCount(part.count)
      if used + count > Self.capacity { flush() }
      Base64.encode(part, to: buffer + used)
      (used, start) = (used + count, start + part.count)
    }
    byte(UInt8(ascii: "\""))
  }
}
