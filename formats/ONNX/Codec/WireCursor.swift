import WherryBytes

/// A bounded cursor over the fields of protobuf messages.
///
/// - Source: Protocol Buffers, "Encoding".
struct WireCursor {
  /// The bytes; valid during the call that lends them.
  let raw: UnsafeRawBufferPointer
  var offset: Int
  let end: Int

  init(_ raw: UnsafeRawBufferPointer, _ range: Range<Int>) {
    (self.raw, offset, end) = (raw, range.lowerBound, range.upperBound)
  }

  /// The head of one field: where it begins, its number, and where its content lies.
  struct Field {
    let start: Int
    let number: Int
    let wireType: UInt8
    /// The content without tag and length.
    let content: Range<Int>
    /// The number of a varint field.
    var varint: UInt64 = 0
  }

  /// Why a field can't be read.
  enum Problem: Error {
    case truncated(needed: Int, available: Int, at: Int)
    case invalid(String, at: Int)

    var error: DecodeError {
      switch self {
      case .truncated(let needed, let available, let at):
        DecodeError(.truncated(needed: needed, available: available), .byte(at))
      case .invalid(let what, let at): DecodeError(.invalid(what), .byte(at))
      }
    }
  }

  var isAtEnd: Bool { offset >= end }

  /// The next field; the cursor then stands behind it.
  mutating func next() throws(Problem) -> Field {
    let start = offset
    let tag = try varint(longest: 5)
    let number = tag >> 3
    guard number > 0, number < 1 << 29 else { throw .invalid("field number \(number)", at: start) }
    let wireType = UInt8(tag & 7)
    var field = (value: UInt64(0), from: offset)
    switch wireType {
    case 0: field.value = try varint(longest: 10)
    case 1: try skip(8)
    case 5: try skip(4)
    case 2:
      let length = try varint(longest: 10)
      field.from = offset
      guard length <= UInt64(end - offset) else {
        let needed = Int(clamping: length)
        throw .truncated(needed: needed, available: end - offset, at: start)
      }
      offset += Int(length)
    default: throw .invalid("wire type \(wireType)", at: start)
    }
    return Field(
      start: start, number: Int(number), wireType: wireType, content: field.from..<offset,
      varint: field.value)
  }

  private mutating func skip(_ count: Int) throws(Problem) {
    guard count <= end - offset else {
      throw .truncated(needed: count, available: end - offset, at: offset)
    }
    offset += count
  }

  mutating func varint(longest: Int = 10) throws(Problem) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    for position in 0..<longest {
      guard offset < end else {
        throw .truncated(needed: 1, available: 0, at: start)
      }
      let byte = raw[offset]
      offset += 1
      value |= UInt64(byte & 0x7f) << UInt64(7 * position)
      if byte < 0x80 { return value }
    }
    throw .invalid("number of more than \(longest) bytes", at: start)
  }
}
