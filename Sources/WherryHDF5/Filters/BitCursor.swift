/// Reads bits from the most significant of the first byte on.
struct BitCursor {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0
  /// Bits of `bytes[at]` that are already read.
  private var used = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next `count` bits, 0 to 64, as a number.
  ///
  /// - Throws: `.invalid` at the end of the bytes.
  mutating func take(_ count: Int) throws(FilterFailure) -> UInt64 {
    var value: UInt64 = 0
    var missing = count
    while missing > 0 {
      guard at < bytes.count else { throw .invalid("end of packed bits") }
      let some = min(missing, 8 - used)
      let part = UInt64(bytes[at]) >> UInt64(8 - used - some) & (1 << UInt64(some) - 1)
      value = value << UInt64(some) | part
      used += some
      missing -= some
      if used == 8 { (at, used) = (at + 1, 0) }
    }
    return value
  }
}
