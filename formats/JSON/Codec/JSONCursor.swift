import WherryBytes

/// Why a document can't be read on, and at which byte.
struct JSONFault: Error {
  var reason: DecodeError.Reason
  var offset: Int
}

/// A position in JSON text: checked steps over bytes, without any meaning.
///
/// Every read is compared with `count` first; the memory must outlive the cursor.
///
/// - Source: RFC 8259, strictly: no comments, no trailing commas, no leading zeros, no byte order mark.
struct JSONCursor {
  let base: UnsafePointer<UInt8>
  let count: Int
  var at = 0

  /// nil when there is no text at all.
  init?(_ raw: UnsafeRawBufferPointer) {
    guard let base = raw.baseAddress, raw.count > 0 else { return nil }
    self.base = base.assumingMemoryBound(to: UInt8.self)
    count = raw.count
  }

  /// The next byte, or 0, which stands nowhere in JSON text, at the end.
  var next: UInt8 {
    @inline(__always) get { at < count ? base[at] : 0 }
  }

  @inline(__always)
  mutating func skipSpace() {
    while at < count {
      let byte = base[at]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
        return
      }
      at += 1
    }
  }

  /// Steps over `byte` if it is the next one after white space.
  @inline(__always)
  mutating func skips(_ byte: UInt8) -> Bool {
    skipSpace()
    guard at < count, base[at] == byte else { return false }
    at += 1
    return true
  }

  mutating func expect(_ byte: UInt8) throws(JSONFault) {
    guard skips(byte) else { throw unexpected("'\(Unicode.Scalar(byte))' is expected") }
  }

  /// After a member: whether another follows; the closing bracket is stepped over.
  @inline(__always)
  mutating func hasMore(until bracket: UInt8) throws(JSONFault) -> Bool {
    skipSpace()
    guard at < count else { throw unexpected("") }
    if base[at] == UInt8(ascii: ",") {
      at += 1
      return true
    }
    guard base[at] == bracket else {
      throw unexpected("',' or '\(Unicode.Scalar(bracket))' is expected")
    }
    at += 1
    return false
  }

  mutating func literal(_ word: StaticString) throws(JSONFault) {
    for index in 0..<word.utf8CodeUnitCount {
      guard at < count, base[at] == word.utf8Start[index] else {
        throw unexpected("'\(word)' is expected")
      }
      at += 1
    }
  }

  /// The fault of what stands here: the end of the text, or something else.
  func unexpected(_ what: String) -> JSONFault {
    at < count
      ? JSONFault(reason: .invalid(what), offset: at)
      : JSONFault(reason: .truncated(needed: 1, available: 0), offset: count)
  }

  // MARK: Skipping

  /// Steps over a value of any kind, checking all of its grammar.
  mutating func skipValue(depth limit: Int) throws(JSONFault) {
    var open: [UInt8] = []
    repeat {
      skipSpace()
      switch next {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let closing = next + 2
        guard open.count < limit else {
          throw JSONFault(reason: .limit("levels", limit), offset: at)
        }
        at += 1
        if skips(closing) { break }
        open.append(closing)
        if closing == UInt8(ascii: "}") { try skipKey() }
        continue
      case UInt8(ascii: "\""): _ = try text()
      case UInt8(ascii: "t"): try literal("true")
      case UInt8(ascii: "f"): try literal("false")
      case UInt8(ascii: "n"): try literal("null")
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): _ = try number()
      default: throw unexpected("a value is expected")
      }
      while let closing = open.last {
        if try hasMore(until: closing) {
          if closing == UInt8(ascii: "}") { try skipKey() }
          break
        }
        open.removeLast()
      }
    } while !open.isEmpty
  }

  private mutating func skipKey() throws(JSONFault) {
    skipSpace()
    _ = try text()
    try expect(UInt8(ascii: ":"))
  }
}
