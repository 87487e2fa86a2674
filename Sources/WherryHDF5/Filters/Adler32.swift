/// The check sum at the end of a zlib stream.
///
/// - Source: RFC 1950, section 8.2.
enum Adler32 {
  private typealias Lanes = SIMD16<UInt32>
  private static let prime: UInt32 = 65521
  /// Blocks of 16 bytes whose sums stay within 32 bits.
  private static let mostBlocks = 347

  /// The sum of all bytes. Sixteen sums side by side take the bytes that lie 16 apart.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    var at = 0
    while bytes.count - at >= 16 {
      let blocks = min(mostBlocks, (bytes.count - at) / 16)
      let (plain, weighted) = sums(bytes, from: at, blocks: blocks)
      let count = UInt32(truncatingIfNeeded: 16 &* blocks)
      var sum: UInt64 = 0
      var rise = UInt64(high) &+ UInt64(low) &* UInt64(count)
      for lane in 0..<16 {
        sum &+= UInt64(plain[lane])
        rise &+= 16 &* UInt64(weighted[lane]) &- UInt64(lane) &* UInt64(plain[lane])
      }
      low = UInt32(truncatingIfNeeded: (UInt64(low) &+ sum) % UInt64(prime))
      high = UInt32(truncatingIfNeeded: rise % UInt64(prime))
      at += 16 * blocks
    }
    for byte in bytes[at...] {
      low = (low &+ UInt32(byte)) % prime
      high = (high &+ low) % prime
    }
    return high << 16 | low
  }

  /// Per lane, the sum of its bytes and the sum of what that sum was after each block.
  private static func sums(
    _ bytes: UnsafeRawBufferPointer, from start: Int, blocks: Int
  ) -> (plain: Lanes, weighted: Lanes) {
    var (plain, weighted) = (Lanes(repeating: 0), Lanes(repeating: 0))
    for block in 0..<blocks {
      let some = bytes.loadUnaligned(
        fromByteOffset: start &+ 16 &* block, as: SIMD16<UInt8>.self)
      plain &+= Lanes(truncatingIfNeeded: some)
      weighted &+= plain
    }
    return (plain, weighted)
  }
}
