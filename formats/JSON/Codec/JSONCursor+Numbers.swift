import WherryBytes

/// A number of the document: `mantissa * 10^exponent`, as written.
struct JSONNumber {
  var mantissa: UInt64 = 0
  var exponent = 0
  var isNegative = false
  /// Neither fraction nor exponent.
  var isInteger = true
  /// Whether `mantissa` and `exponent` hold every digit.
  var isExact = true
  var range: Range<Int>
}

extension JSONCursor {
  /// Steps over a number.
  @inline(__always)
  mutating func number() throws(JSONFault) -> JSONNumber {
    let start = at
    var number = JSONNumber(range: start..<start)
    if next == UInt8(ascii: "-") {
      number.isNegative = true
      at += 1
    }
    let first = at
    var mantissa: UInt64 = 0
    while let digit { (mantissa, at) = (mantissa &* 10 &+ digit, at + 1) }
    var digits = at - first
    guard digits > 0 else { throw unexpected("a number is expected") }
    if digits > 1, base[first] == UInt8(ascii: "0") {
      throw JSONFault(reason: .invalid("a leading zero"), offset: first)
    }
    if next == UInt8(ascii: ".") {
      at += 1
      let fraction = at
      while count - at >= 8, let eight = eightDigits {
        (mantissa, at) = (mantissa &* 100_000_000 &+ eight, at + 8)
      }
      while let digit { (mantissa, at) = (mantissa &* 10 &+ digit, at + 1) }
      guard at > fraction else { throw unexpected("a digit is expected") }
      number.isInteger = false
      number.exponent = fraction - at
      digits += at - fraction
    }
    number.mantissa = mantissa
    if digits > 19 { number.isExact = false }
    if next | 0x20 == UInt8(ascii: "e") {
      number.isInteger = false
      try exponent(&number)
    }
    number.range = start..<at
    return number
  }

  private mutating func exponent(_ number: inout JSONNumber) throws(JSONFault) {
    at += 1
    let isNegative = next == UInt8(ascii: "-")
    if isNegative || next == UInt8(ascii: "+") { at += 1 }
    guard digit != nil else { throw unexpected("a digit is expected") }
    var value = 0
    while let digit {
      value = min(value * 10 + Int(digit), 1_000_000)
      at += 1
    }
    number.exponent += isNegative ? -value : value
  }

  private var digit: UInt64? {
    @inline(__always) get {
      guard at < count else { return nil }
      let value = base[at] &- UInt8(ascii: "0")
      return value < 10 ? UInt64(value) : nil
    }
  }

  /// The value of the next eight bytes, all of them digits.
  private var eightDigits: UInt64? {
    @inline(__always) get {
      var word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
      let isDigits =
        (word & (word &+ 0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 == 0x3030_3030_3030_3030
      guard isDigits else { return nil }
      // Pairs, then fours, then all eight digits are joined.
      word = ((word & 0x0F0F_0F0F_0F0F_0F0F) &* 2561) >> 8
      word = ((word & 0x00FF_00FF_00FF_00FF) &* 6_553_601) >> 16
      return ((word & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) >> 32
    }
  }
}

extension JSONCursor {
  /// The float32 nearest to `number`, ties to even; nil when it is too large.
  @inline(__always)
  func float(_ number: JSONNumber, _ powers: UnsafePointer<PowersOfTen.Power>) -> Float? {
    if let (mantissa, exponent) = number.rounded(bits: 24, powers), exponent >= -149,
      exponent <= 104
    {
      let bits = UInt32(truncatingIfNeeded: mantissa) & 0x7F_FFFF | UInt32(exponent + 150) << 23
      return Float(bitPattern: number.isNegative ? bits | 1 << 31 : bits)
    }
    guard let value = Float(text(number)), value.isFinite else { return nil }
    return value
  }

  /// The float64 nearest to `number`, ties to even; nil when it is too large.
  @inline(__always)
  func double(_ number: JSONNumber, _ powers: UnsafePointer<PowersOfTen.Power>) -> Double? {
    if let (mantissa, exponent) = number.rounded(bits: 53, powers), exponent >= -1074,
      exponent <= 971
    {
      let bits = mantissa & (1 << 52 - 1) | UInt64(exponent + 1075) << 52
      return Double(bitPattern: number.isNegative ? bits | 1 << 63 : bits)
    }
    guard let value = Double(text(number)), value.isFinite else { return nil }
    return value
  }

  /// The integer that `number` is; nil when it has a fraction or an exponent or does not fit.
  @inline(__always)
  func integer<T: FixedWidthInteger>(_ number: JSONNumber, _ type: T.Type) -> T? {
    guard number.isInteger else { return nil }
    guard number.isExact else { return T(text(number)) }
    if !number.isNegative { return T(exactly: number.mantissa) }
    guard number.mantissa <= 1 << 63 else { return nil }
    return T(exactly: Int64(truncatingIfNeeded: 0 &- number.mantissa))
  }

  private func text(_ number: JSONNumber) -> String {
    String(decoding: buffer(number.range), as: UTF8.self)
  }
}

extension JSONNumber {
  /// `mantissa * 10^exponent` rounded to a binary significand of `bits` bits, the top one set, and its
  /// exponent; nil when 64-bit arithmetic can't tell, and for zero.
  ///
  /// The power of ten is known from below, less than one unit of its last place short. So the product
  /// lies less than two units of its upper half above `high`, and rounding is sure unless a tie lies
  /// within that distance.
  @inline(__always)
  func rounded(
    bits: UInt64, _ powers: UnsafePointer<PowersOfTen.Power>
  ) -> (significand: UInt64, exponent: Int)? {
    guard isExact, mantissa != 0, exponent >= PowersOfTen.range.lowerBound,
      exponent <= PowersOfTen.range.upperBound
    else { return nil }
    let power = powers[exponent - PowersOfTen.range.lowerBound]
    let zeros = UInt64(truncatingIfNeeded: mantissa.leadingZeroBitCount)
    let high = wideProduct(mantissa << zeros, power.high).high
    let dropped = (high >> 63) + 63 - bits
    let half: UInt64 = 1 << (dropped - 1)
    let rest = high & (half << 1 - 1)
    var significand = high >> dropped
    if rest > half {
      significand += 1
    } else if rest + 2 > half {
      return nil
    }
    var binary =
      power.exponent + 128 - Int(truncatingIfNeeded: zeros) + Int(truncatingIfNeeded: dropped)
    if significand >> bits != 0 {
      significand >>= 1
      binary += 1
    }
    return (significand, binary)
  }
}
