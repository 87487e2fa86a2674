extension JSONOutput {
  /// The largest integer that every JSON reader keeps exact: 2^53.
  static let exactInteger: UInt64 = 1 << 53

  /// A number, or, beyond 2^53, its digits as a string.
  @inline(__always)
  mutating func integer(_ value: some FixedWidthInteger) {
    let magnitude = UInt64(truncatingIfNeeded: value.magnitude)
    let isQuoted = magnitude > Self.exactInteger
    reserve(24) { target in
      var count = 0
      if isQuoted {
        target[0] = UInt8(ascii: "\"")
        count = 1
      }
      if value < 0 {
        target[count] = UInt8(ascii: "-")
        count += 1
      }
      count += Self.digits(magnitude, to: target + count)
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
    reserve(32) { target in
      var start = target
      if bits >> 31 == 1 {
        start[0] = UInt8(ascii: "-")
        start += 1
      }
      let magnitude = bits & 0x7FFF_FFFF
      guard magnitude != 0 else { return start - target + Self.zero(to: start) }
      let decimal = ShortestDecimal(magnitude: magnitude, powers: powers)
      return start - target + Self.decimal(decimal.digits, decimal.exponent, to: start)
    }
  }

  mutating func float(_ value: Float) { float(value, PowersOfTen.table) }

  /// As `float`, for float64.
  mutating func double(_ value: Double) {
    guard value.isFinite else {
      let bits = value.bitPattern
      special(value.isNaN, value < 0, bits == 0x7FF8_0000_0000_0000, bits, hexDigits: 16)
      return
    }
    var text = value.description
    text.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
  }

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

  private static func zero(to target: UnsafeMutablePointer<UInt8>) -> Int {
    target[0] = UInt8(ascii: "0")
    target[1] = UInt8(ascii: ".")
    target[2] = UInt8(ascii: "0")
    return 3
  }

  /// `digits * 10^exponent`, positional from 1e-5 up to 1e16, else scientific.
  @inline(__always)
  private static func decimal(
    _ digits: UInt32, _ exponent: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var (digits, exponent) = (digits, exponent)
    if exponent >= 0 || digits % 10 == 0 {
      while digits % 10 == 0 { (digits, exponent) = (digits / 10, exponent + 1) }
    }
    let count = digitCount(digits)
    // The decimal point stands after this many digits.
    let point = count + exponent
    if point > 0, point <= 16 {
      if exponent >= 0 {
        write(digits, count, to: target)
        for index in count..<point { target[index] = UInt8(ascii: "0") }
        target[point] = UInt8(ascii: ".")
        target[point + 1] = UInt8(ascii: "0")
        return point + 2
      }
      write(digits, count, to: target + 1)
      for index in 0..<point { target[index] = target[index + 1] }
      target[point] = UInt8(ascii: ".")
      return count + 1
    }
    if point <= 0, point > -5 {
      for index in 0..<2 - point { target[index] = UInt8(ascii: "0") }
      target[1] = UInt8(ascii: ".")
      write(digits, count, to: target + 2 - point)
      return count + 2 - point
    }
    var end = count
    if count == 1 {
      write(digits, 1, to: target)
    } else {
      write(digits, count, to: target + 1)
      target[0] = target[1]
      target[1] = UInt8(ascii: ".")
      end = count + 1
    }
    target[end] = UInt8(ascii: "e")
    end += 1
    let power = point - 1
    if power < 0 {
      target[end] = UInt8(ascii: "-")
      end += 1
    }
    return end + Self.digits(UInt64(power.magnitude), to: target + end)
  }

  @inline(__always)
  private static func digitCount(_ value: UInt32) -> Int {
    switch value {
    case 100_000_000...: value < 1_000_000_000 ? 9 : 10
    case 10_000_000...: 8
    case 1_000_000...: 7
    case 100_000...: 6
    case 10_000...: 5
    case 1000...: 4
    case 100...: 3
    case 10...: 2
    default: 1
    }
  }

  @inline(__always)
  private static func write(_ value: UInt32, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
    var (value, at) = (value, count)
    while at > 0 {
      at -= 1
      target[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
      value /= 10
    }
  }

  /// Writes a whole number and says how many digits it has.
  @inline(__always)
  private static func digits(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var (count, bound) = (1, value)
    while bound >= 10 { (count, bound) = (count + 1, bound / 10) }
    var (rest, at) = (value, count)
    while at > 0 {
      at -= 1
      target[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    return count
  }
}
