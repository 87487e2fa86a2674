/// Powers of ten as 64-bit significands, for exact conversion between decimal and binary.
///
/// `10^k` lies in `significand * 2^exponent ..< (significand + 1) * 2^exponent`, with the top bit of
/// `significand` set.
struct PowersOfTen: Sendable {
  /// The powers that 128-bit arithmetic gives exactly.
  static let range = -55...55

  struct Power: Sendable {
    var significand: UInt64
    var exponent: Int32
    /// Whether the significand leaves nothing out.
    var isExact: Bool
  }

  /// `10^range.lowerBound` first. Lives as long as the process.
  nonisolated(unsafe) static let table: UnsafePointer<Power> = {
    let powers = UnsafeMutablePointer<Power>.allocate(capacity: range.count)
    for (index, k) in range.enumerated() {
      (powers + index).initialize(to: k < 0 ? fraction(-k) : whole(k))
    }
    return UnsafePointer(powers)
  }()

  private static func powerOfFive(_ k: Int) -> UInt128 {
    (0..<k).reduce(1) { power, _ in power * 5 }
  }

  private static func whole(_ k: Int) -> Power {
    let five = powerOfFive(k)
    let zeros = five.leadingZeroBitCount
    let top = five << UInt128(zeros)
    return Power(
      significand: UInt64(truncatingIfNeeded: top >> 64), exponent: Int32(64 - zeros + k),
      isExact: UInt64(truncatingIfNeeded: top) == 0)
  }

  /// `10^-k` by long division of a power of two by `5^k`, one bit at a time.
  private static func fraction(_ k: Int) -> Power {
    let five = powerOfFive(k)
    let length = 128 - five.leadingZeroBitCount
    var rest: UInt128 = 1 << UInt128(length - 1)
    var quotient: UInt64 = 0
    for _ in 0..<64 {
      let carry = rest >> 127
      rest = rest << 1
      quotient <<= 1
      if carry == 1 || rest >= five {
        rest &-= five
        quotient |= 1
      }
    }
    return Power(significand: quotient, exponent: Int32(-(length + 63) - k), isExact: false)
  }
}
