/// The shortest decimal that rounds to a given float32, and of those the nearest: `digits * 10^exponent`.
///
/// - Source: R. Giulietti, "The Schubfach way to render doubles", 2020, for binary32.
struct ShortestDecimal {
  var digits: UInt32
  var exponent: Int

  /// `bits`: a finite float32 without its sign, not zero.
  @inline(__always)
  init(magnitude bits: UInt32, powers: UnsafePointer<PowersOfTen.Power>) {
    let fraction = bits & 0x7F_FFFF
    let biased = Int(bits >> 23)
    let c = biased == 0 ? fraction : fraction | 0x80_0000
    let q = max(biased, 1) - 150
    if q <= 0, q > -24, c & (1 << UInt32(-q) - 1) == 0 {
      (digits, exponent) = (c >> UInt32(-q), 0)
      return
    }
    let isEven = c & 1 == 0
    let isLowerCloser = fraction == 0 && biased > 1
    let below = UInt64(4 * c) - 2 + (isLowerCloser ? 1 : 0)
    let (here, above) = (UInt64(4 * c), UInt64(4 * c) + 2)

    // floor(log10(2^q)), or of 3/4 * 2^q where the lower neighbour is nearer.
    let k = (q * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22
    // floor(log2(10^-k)) + 1 more than q.
    let h = UInt64(truncatingIfNeeded: q + ((-k * 1_741_647) >> 19) + 1)
    let power = powers[-k - PowersOfTen.range.lowerBound]
    let g = power.significand &+ (power.isExact ? 0 : 1)
    let lower = Self.roundToOdd(g, below << h) + (isEven ? 0 : 1)
    let middle = Self.roundToOdd(g, here << h)
    let upper = Self.roundToOdd(g, above << h) - (isEven ? 0 : 1)

    let s = middle / 4
    if s >= 10 {
      let tens = s / 10
      let isDownInside = lower <= 40 * tens
      let isUpInside = 40 * tens + 40 <= upper
      if isDownInside != isUpInside {
        (digits, exponent) = (tens + (isUpInside ? 1 : 0), k + 1)
        return
      }
    }
    exponent = k
    let isDownInside = lower <= 4 * s
    let isUpInside = 4 * s + 4 <= upper
    if isDownInside != isUpInside {
      digits = s + (isUpInside ? 1 : 0)
    } else {
      let half = 4 * s + 2
      digits = s + (middle > half || middle == half && s & 1 == 1 ? 1 : 0)
    }
  }

  /// The upper bits of `g * c / 2^64`, the lowest one set when anything was cut off.
  @inline(__always)
  private static func roundToOdd(_ g: UInt64, _ c: UInt64) -> UInt32 {
    let (high, low) = g.multipliedFullWidth(by: c)
    let whole = UInt32(truncatingIfNeeded: high)
    return whole | (low >> 32 > 1 ? 1 : 0)
  }
}
