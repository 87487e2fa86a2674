import WherryBytes

/// The checksum of HDF5's newer metadata blocks.
///
/// - Source: Bob Jenkins, lookup3.c, `hashlittle` with a zero seed (public domain, 2006).
enum Lookup3 {
  static func checksum(_ bytes: Bytes) -> UInt32 {
    bytes.withUnsafeBytes { checksum($0) }
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var a: UInt32 = 0xDEAD_BEEF &+ UInt32(truncatingIfNeeded: bytes.count)
    var (b, c) = (a, a)
    var at = 0
    while bytes.count - at > 12 {
      a &+= word(bytes, at)
      b &+= word(bytes, at + 4)
      c &+= word(bytes, at + 8)
      mix(&a, &b, &c)
      at += 12
    }
    guard at < bytes.count else { return c }
    a &+= word(bytes, at)
    b &+= word(bytes, at + 4)
    c &+= word(bytes, at + 8)
    finish(&a, &b, &c)
    return c
  }

  /// Four bytes, little-endian; those past the end count as zero.
  private static func word(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
    if at + 4 <= bytes.count {
      return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))
    }
    var value: UInt32 = 0
    for index in at..<max(at, bytes.count) {
      value |= UInt32(bytes[index]) << UInt32(8 * (index - at))
    }
    return value
  }

  private static func rotated(_ x: UInt32, _ k: UInt32) -> UInt32 { x << k | x >> (32 - k) }

  private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    step(&a, &c, b, 4)
    step(&b, &a, c, 6)
    step(&c, &b, a, 8)
    step(&a, &c, b, 16)
    step(&b, &a, c, 19)
    step(&c, &b, a, 4)
  }

  private static func step(_ x: inout UInt32, _ y: inout UInt32, _ z: UInt32, _ k: UInt32) {
    x &-= y
    x ^= rotated(y, k)
    y &+= z
  }

  private static func finish(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    fold(&c, b, 14)
    fold(&a, c, 11)
    fold(&b, a, 25)
    fold(&c, b, 16)
    fold(&a, c, 4)
    fold(&b, a, 14)
    fold(&c, b, 24)
  }

  private static func fold(_ x: inout UInt32, _ y: UInt32, _ k: UInt32) {
    x ^= y
    x &-= rotated(y, k)
  }
}
