import Glibc
import WherryBytes

/// A string of the document, still as it is written between its quotes.
struct JSONText {
  /// Bytes between the quotes.
  var range: Range<Int>
  var hasEscapes: Bool
}

extension JSONCursor {
  /// Steps over a string and checks its UTF-8 and its escapes.
  mutating func text() throws(JSONFault) -> JSONText {
    guard next == UInt8(ascii: "\"") else { throw unexpected("a string is expected") }
    at += 1
    let start = at
    var hasEscapes = false
    var isASCII = true
    while true {
      skipPlain()
      guard at < count else { throw unexpected("") }
      let byte = base[at]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        _ = try escape()
      } else if byte < 0x20 {
        throw unexpected("a control character in a string")
      } else {
        isASCII = isASCII && byte < 0x80
        at += 1
      }
    }
    if !isASCII, let offset = Self.firstBadUTF8(base, start..<at) {
      throw JSONFault(reason: .notUTF8, offset: offset)
    }
    at += 1
    return JSONText(range: start..<at - 1, hasEscapes: hasEscapes)
  }

  /// Steps over bytes that mean themselves, eight at a time: no quote, backslash, control or non-ASCII.
  @inline(__always)
  private mutating func skipPlain() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    while count - at >= 8 {
      let word = UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)
      let quotes = (word ^ ones &* 0x22) &- ones
      let backslashes = (word ^ ones &* 0x5C) &- ones
      // The top bit of a byte is set where it, or one below it, is special.
      guard (word | quotes | backslashes | (word &- ones &* 0x20)) & tops == 0 else { break }
      at += 8
    }
    while at < count {
      let byte = base[at]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 {
        return
      }
      at += 1
    }
  }

  /// Steps over one escape, or two that make a surrogate pair.
  private mutating func escape() throws(JSONFault) -> Unicode.Scalar {
    let start = at
    at += 1
    guard at < count else { throw unexpected("") }
    let character = base[at]
    at += 1
    switch character {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(character)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw JSONFault(reason: .invalid("an unknown escape"), offset: start)
    }
    let unit = try hexadecimal()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard unit < 0xDC00, next == UInt8(ascii: "\\") else {
      if at == count { throw unexpected("") }
      throw JSONFault(reason: .invalid("half a surrogate pair"), offset: start)
    }
    at += 1
    guard next == UInt8(ascii: "u") else {
      if at == count { throw unexpected("") }
      throw JSONFault(reason: .invalid("half a surrogate pair"), offset: start)
    }
    at += 1
    let low = try hexadecimal()
    guard low >= 0xDC00, low < 0xE000,
      let scalar = Unicode.Scalar(0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { throw JSONFault(reason: .invalid("half a surrogate pair"), offset: start) }
    return scalar
  }

  private mutating func hexadecimal() throws(JSONFault) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch next {
      case let byte where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"):
        digit = byte - UInt8(ascii: "0")
      case let byte where byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"):
        digit = byte - UInt8(ascii: "a") + 10
      case let byte where byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"):
        digit = byte - UInt8(ascii: "A") + 10
      default: throw unexpected("four hexadecimal digits are expected")
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }

  /// The bytes of a string that `text` has checked, its escapes resolved.
  func unescaped(_ text: JSONText) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.range.count)
    var cursor = self
    cursor.at = text.range.lowerBound
    while cursor.at < text.range.upperBound {
      if cursor.next == UInt8(ascii: "\\"), let scalar = try? cursor.escape() {
        result.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
      } else {
        result.append(cursor.next)
        cursor.at += 1
      }
    }
    return result
  }

  func string(_ text: JSONText) -> String {
    text.hasEscapes
      ? String(decoding: unescaped(text), as: UTF8.self)
      : String(decoding: buffer(text.range), as: UTF8.self)
  }

  func buffer(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
  }

  /// Steps over a string that is expected to be long and plain: only its end is looked for. nil, and
  /// no step, when it holds a backslash.
  mutating func plainText() throws(JSONFault) -> Range<Int>? {
    guard next == UInt8(ascii: "\"") else { throw unexpected("a string is expected") }
    let start = at + 1
    guard let quote = memchr(base + start, 0x22, count - start) else {
      throw JSONFault(reason: .truncated(needed: 1, available: 0), offset: count)
    }
    let end = UnsafeRawPointer(quote) - UnsafeRawPointer(base)
    guard base[end - 1] != UInt8(ascii: "\\"), memchr(base + start, 0x5C, end - start) == nil else {
      return nil
    }
    at = end + 1
    return start..<end
  }

  /// Where a sequence begins that is not UTF-8; nil when all is.
  private static func firstBadUTF8(_ base: UnsafePointer<UInt8>, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    while at < range.upperBound {
      let first = base[at]
      let length: Int
      var least: UInt8 = 0x80
      var most: UInt8 = 0xBF
      switch first {
      case 0..<0x80: length = 1
      case 0xC2...0xDF: length = 2
      case 0xE0...0xEF:
        length = 3
        if first == 0xE0 { least = 0xA0 }
        if first == 0xED { most = 0x9F }
      case 0xF0...0xF4:
        length = 4
        if first == 0xF0 { least = 0x90 }
        if first == 0xF4 { most = 0x8F }
      default: return at
      }
      guard range.upperBound - at >= length else { return at }
      for index in 1..<max(length, 1) {
        let byte = base[at + index]
        guard byte >= least, byte <= most else { return at }
        (least, most) = (0x80, 0xBF)
      }
      at += length
    }
    return nil
  }
}
