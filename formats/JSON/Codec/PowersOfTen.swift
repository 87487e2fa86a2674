/// Powers of ten as 128-bit significands, for exact conversion between decimal and binary.
///
/// `10^k` lies in `significand * 2^exponent ..< (significand + 1) * 2^exponent`, where `significand` is
/// `high * 2^64 + low` and the top bit of `high` is set; and so for `high` alone with an exponent 64 more.
enum PowersOfTen {
  /// What the shortest decimals and the numbers of float64 need.
  static let range = -342...324

  struct Power: Sendable {
    var high: UInt64
    var low: UInt64
    var exponent: Int
    /// Whether the significand leaves nothing out.
    var isExact: Bool
  }

  /// `10^range.lowerBound` first. Lives as long as the process.
  nonisolated(unsafe) static let table: UnsafePointer<Power> = {
    let powers = UnsafeMutablePointer<Power>.allocate(capacity: range.count)
    let one = powers - range.lowerBound
    // The powers of five, whole; the factors of two go into the exponent.
    var number = Limbs(count: 12)
    number.words[0] = 1
    for k in 0...range.upperBound {
      (one + k).initialize(to: number.power(k))
      number.multiplyByFive()
    }
    // One as a fixed-point number; dividing it k times leaves floor(2^1024 / 5^k).
    number = Limbs(count: 17)
    number.words[16] = 1
    for k in 1...(-range.lowerBound) {
      number.divideByFive()
      (one - k).initialize(to: number.power(-k - 1024))
      (one - k).pointee.isExact = false
    }
    return UnsafePointer(powers)
  }()

  /// A whole number of many words, the lowest first.
  private struct Limbs {
    var words: [UInt64]

    init(count: Int) { words = Array(repeating: 0, count: count) }

    mutating func multiplyByFive() {
      var carry: UInt64 = 0
      for index in words.indices {
        let product = words[index].multipliedFullWidth(by: 5)
        let (low, overflow) = product.low.addingReportingOverflow(carry)
        words[index] = low
        carry = product.high + (overflow ? 1 : 0)
      }
    }

    mutating func divideByFive() {
      var rest: UInt64 = 0
      for index in words.indices.reversed() {
        (words[index], rest) = (5 as UInt64).dividingFullWidth((rest, words[index]))
      }
    }

    /// The top 128 bits of this number times `2^exponent`.
    func power(_ exponent: Int) -> Power {
      let top = words.lastIndex { $0 != 0 } ?? 0
      func word(_ index: Int) -> UInt64 { index >= 0 ? words[index] : 0 }
      let zeros = UInt64(truncatingIfNeeded: word(top).leadingZeroBitCount)
      func joined(_ index: Int) -> UInt64 {
        zeros == 0 ? word(index) : word(index) << zeros | word(index - 1) >> (64 - zeros)
      }
      let isExact = top < 3 && (zeros == 0 ? word(top - 2) : word(top - 2) << zeros) == 0
      return Power(
        high: joined(top), low: joined(top - 1),
        exponent: 64 * (top - 1) - Int(zeros) + exponent, isExact: isExact)
    }
  }
}
