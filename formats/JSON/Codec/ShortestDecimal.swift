/// The shortest decimal that rounds to a given binary number, and of those the nearest:
/// `digits * 10^exponent`.
///
/// - Source: R. Giulietti, "The Schubfach way to render doubles", 2020.
struct ShortestDecimal {
  var digits: UInt64
  var exponent: Int

  /// `bits`: a finite float32 without its sign, not zero.
  @inline(__always)
  init(_ bits: UInt32, _ powers: UnsafePointer<PowersOfTen.Power>) {
    let fraction = UInt64(bits & 0x7F_FFFF)
    let biased = Int(bits >> 23)
    let c = biased == 0 ? fraction : fraction | 1 << 23
    let q = max(biased, 1) - 150
    if q <= 0, q > -24, c & (1 << UInt64(-q) - 1) == 0 {
      self.init(digits: c >> UInt64(-q), exponent: 0)
      return
    }
    let isLowerCloser = fraction == 0 && biased > 1
    let k = Self.exponent(q, isLowerCloser)
    let h = UInt64(truncatingIfNeeded: Self.shift(q, k))
    let power = powers[-k - PowersOfTen.range.lowerBound]
    let g = power.high &+ (power.isExact ? 0 : 1)
    // The upper word of the product, its lowest bit set when anything was cut off.
    @inline(__always) func scaled(_ c: UInt64) -> UInt64 {
      let product = wideProduct(g, c << h)
      return product.high | (product.low >> 32 > 1 ? 1 : 0)
    }
    self.init(
      below: scaled(4 * c - (isLowerCloser ? 1 : 2)), here: scaled(4 * c), above: scaled(4 * c + 2),
      isEven: c & 1 == 0, k)
  }

  /// `bits`: a finite float64 without its sign, not zero.
  @inline(__always)
  init(_ bits: UInt64, _ powers: UnsafePointer<PowersOfTen.Power>) {
    let fraction = bits & (1 << 52 - 1)
    let biased = Int(bits >> 52)
    let c = biased == 0 ? fraction : fraction | 1 << 52
    let q = max(biased, 1) - 1075
    if q <= 0, q > -53, c & (1 << UInt64(-q) - 1) == 0 {
      self.init(digits: c >> UInt64(-q), exponent: 0)
      return
    }
    let isLowerCloser = fraction == 0 && biased > 1
    let k = Self.exponent(q, isLowerCloser)
    let h = UInt64(truncatingIfNeeded: Self.shift(q, k))
    let power = powers[-k - PowersOfTen.range.lowerBound]
    let low = power.low &+ (power.isExact ? 0 : 1)
    let high = power.high &+ (!power.isExact && low == 0 ? 1 : 0)
    @inline(__always) func scaled(_ c: UInt64) -> UInt64 {
      let cut = wideProduct(low, c << h).high
      let product = wideProduct(high, c << h)
      let (middle, carry) = product.low.addingReportingOverflow(cut)
      return (product.high + (carry ? 1 : 0)) | (middle > 1 ? 1 : 0)
    }
    self.init(
      below: scaled(4 * c - (isLowerCloser ? 1 : 2)), here: scaled(4 * c), above: scaled(4 * c + 2),
      isEven: c & 1 == 0, k)
  }

  private init(digits: UInt64, exponent: Int) { (self.digits, self.exponent) = (digits, exponent) }

  /// floor(log10(2^q)), or of 3/4 * 2^q where the lower neighbour is nearer than the upper.
  @inline(__always)
  private static func exponent(_ q: Int, _ isLowerCloser: Bool) -> Int {
    (q * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22
  }

  /// The bits by which `10^-k * 2^q` exceeds the significand of `10^-k`.
  @inline(__always)
  private static func shift(_ q: Int, _ k: Int) -> Int { q + ((-k * 1_741_647) >> 19) + 1 }

  /// Chooses among the decimals with exponent `k + 1` and `k`. The number and the ends of the interval
  /// that rounds to it are given in quarters of `10^k`, rounded to odd; the ends count when `isEven`.
  @inline(__always)
  private init(below: UInt64, here: UInt64, above: UInt64, isEven: Bool, _ k: Int) {
    let (lower, upper) = isEven ? (below, above) : (below + 1, above - 1)
    let s = here / 4
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
      digits = s + (here > half || here == half && s & 1 == 1 ? 1 : 0)
    }
  }
}

/// All 128 bits of a product.
@inline(__always)
func wideProduct(_ a: UInt64, _ b: UInt64) -> (high: UInt64, low: UInt64) {
  let product = UInt128(truncatingIfNeeded: a) &* UInt128(truncatingIfNeeded: b)
  return (UInt64(truncatingIfNeeded: product >> 64), UInt64(truncatingIfNeeded: product))
}
