import WherryBytes

/// Binary portable gray and pixel maps (P5, P6).
///
/// - Source: Netpbm, "pgm" and "ppm" format specifications.
enum Netpbm {
  static func recognizes(_ bytes: Bytes) -> Bool {
    let start = bytes.slice(0..<3)?.array ?? []
    return start.count == 3 && start[0] == 0x50 && (start[1] == 0x35 || start[1] == 0x36)
      && isSpace(start[2])
  }

  /// - Throws: `DecodeError` for a malformed header, no pixels, or fewer than announced.
  static func read(_ bytes: Bytes) throws(DecodeError) -> Image {
    var reader = ByteReader(bytes)
    try reader.skip(1)
    let channels = try reader.integer(UInt8.self) == 0x36 ? 3 : 1
    let width = try number(&reader)
    let height = try number(&reader)
    let top = try number(&reader)
    guard (1...65535).contains(top), width > 0, height > 0,
      let count = Checked.product([width, height, channels]),
      let size = Checked.multiply(count, top > 255 ? 2 : 1)
    else {
      throw DecodeError(.invalid("\(width) x \(height) pixels of \(top) levels"), reader.place)
    }
    let start = reader.offset
    let body = try reader.take(size)
    var samples: [UInt16] = []
    samples.reserveCapacity(count)
    body.withUnsafeBytes { raw in
      for index in 0..<count {
        samples.append(
          top > 255 ? UInt16(raw[index * 2]) << 8 | UInt16(raw[index * 2 + 1]) : UInt16(raw[index]))
      }
    }
    if let position = samples.firstIndex(where: { Int($0) > top }) {
      throw DecodeError(
        .invalid("a sample above \(top)"), .byte(start + position * (top > 255 ? 2 : 1)))
    }
    return Image(width: width, height: height, channels: channels, top: top, samples: samples)
  }

  /// A decimal number after white space and comments, and the one byte after it.
  private static func number(_ reader: inout ByteReader) throws(DecodeError) -> Int {
    var byte = try reader.integer(UInt8.self)
    while isSpace(byte) || byte == 0x23 {
      if byte == 0x23 { while byte != 0x0A { byte = try reader.integer(UInt8.self) } }
      byte = try reader.integer(UInt8.self)
    }
    var value = 0
    var digits = 0
    while (0x30...0x39).contains(byte) {
      digits += 1
      value = value * 10 + Int(byte - 0x30)
      guard value < 1 << 30 else { throw DecodeError(.invalid("a number"), reader.place) }
      byte = try reader.integer(UInt8.self)
    }
    guard digits > 0, isSpace(byte) else { throw DecodeError(.invalid("a number"), reader.place) }
    return value
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }
}
