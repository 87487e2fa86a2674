extension JSONOutput {
  /// The largest integer that every JSON reader keeps exact: 2^53.
  static let exactInteger: UInt64 = 1 << 53

  /// A number, or, beyond 2^53, its digits as a string.
  @inline(__always)
  mutating func integer(_ value: some FixedWidthInteger) {
    let magnitude = UInt64(truncatingIfNeeded: value.magnitude)
    let isQuoted = magnitude > Self.exactInteger
    reserve(48) { target in
      var count = 0
      if isQuoted {
        target[0] = UInt8(ascii: "\"")
        count = 1
      }
      if value < 0 {
        target[count] = UInt8(ascii: "-")
        count += 1
      }
      count += DecimalText.integer(magnitude, to: target + count)
      if isQuoted {
        target[count] = UInt8(ascii: "\"")
        count += 1
      }
      return count
    }
  }

  mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  /// The shortest decimal that reads back as the same number, always with a fraction or an exponent;
  /// what is no number as a string.
  @inline(__always)
  mutating func float(_ value: Float, _ powers: UnsafePointer<PowersOfTen.Power>) {
    let bits = value.bitPattern
    guard bits & 0x7F80_0000 != 0x7F80_0000 else {
      special(value.isNaN, value < 0, bits == 0x7FC0_0000, UInt64(bits), hexDigits: 8)
      return
    }
    reserve(48) { target in
      var start = target
      if bits >> 31 == 1 {
        start[0] = UInt8(ascii: "-")
        start += 1
      }
      let magnitude = bits & 0x7FFF_FFFF
      guard magnitude != 0 else { return start - target + DecimalText.zero(to: start) }
      return start - target + DecimalText.number(ShortestDecimal(magnitude, powers), to: start)
    }
  }

  mutating func float(_ value: Float) { float(value, PowersOfTen.table) }

  /// As `float`, for float64.
  @inline(__always)
  mutating func double(_ value: Double, _ powers: UnsafePointer<PowersOfTen.Power>) {
    let bits = value.bitPattern
    guard value.isFinite else {
      special(value.isNaN, value < 0, bits == 0x7FF8_0000_0000_0000, bits, hexDigits: 16)
      return
    }
    reserve(48) { target in
      var start = target
      if bits >> 63 == 1 {
        start[0] = UInt8(ascii: "-")
        start += 1
      }
      let magnitude = bits & (1 << 63 - 1)
      guard magnitude != 0 else { return start - target + DecimalText.zero(to: start) }
      return start - target + DecimalText.number(ShortestDecimal(magnitude, powers), to: start)
    }
  }

  mutating func double(_ value: Double) { double(value, PowersOfTen.table) }

  /// `"NaN"`, `"Infinity"`, `"-Infinity"`, or the bits of a NaN that is not the usual one.
  private mutating func special(
    _ isNaN: Bool, _ isNegative: Bool, _ isUsual: Bool, _ bits: UInt64, hexDigits: Int
  ) {
    if !isNaN {
      raw(isNegative ? "\"-Infinity\"" : "\"Infinity\"")
    } else if isUsual {
      raw("\"NaN\"")
    } else {
      raw("\"NaN(0x")
      for digit in (0..<hexDigits).reversed() {
        byte(Self.hexadecimal(UInt8(truncatingIfNeeded: bits >> UInt64(4 * digit) & 15)))
      }
      raw(")\"")
    }
  }
}
