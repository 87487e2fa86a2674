import WherryBytes

/// The bytes of a message in pieces: what libprotobuf-c packed, and tensors where they lie.
///
/// libprotobuf-c gathers every nested message in a buffer before it passes it on, so messages that hold
/// tensors are framed here instead.
struct MessagePieces {
  enum Piece {
    case packed([UInt8])
    case shared(Bytes)
  }

  private(set) var pieces: [Piece] = []
  private(set) var count = 0

  mutating func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    count += bytes.count
    if case .packed(var last)? = pieces.last {
      pieces.removeLast()
      last += bytes
      pieces.append(.packed(last))
    } else {
      pieces.append(.packed(bytes))
    }
  }

  mutating func append(_ bytes: Bytes) {
    // A short tensor is cheaper copied than written on its own.
    if bytes.count < 1024 {
      append(bytes.array)
    } else {
      count += bytes.count
      pieces.append(.shared(bytes))
    }
  }

  /// A length-delimited field around `content`.
  mutating func append(field number: Int, _ content: MessagePieces) {
    append(Self.head(field: number, length: content.count))
    for piece in content.pieces {
      switch piece {
      case .packed(let bytes): append(bytes)
      case .shared(let bytes):
        count += bytes.count
        pieces.append(.shared(bytes))
      }
    }
  }

  mutating func append(field number: Int, _ content: [UInt8]) {
    append(Self.head(field: number, length: content.count))
    append(content)
  }

  mutating func append(field number: Int, _ content: Bytes) {
    append(Self.head(field: number, length: content.count))
    append(content)
  }

  func write(to sink: any ByteSink) throws(FileError) {
    for piece in pieces {
      switch piece {
      case .packed(let bytes): try sink.append(bytes)
      case .shared(let bytes): try sink.append(bytes)
      }
    }
  }

  private static func head(field number: Int, length: Int) -> [UInt8] {
    varint(UInt64(number) << 3 | 2) + varint(UInt64(length))
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
