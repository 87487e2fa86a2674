/// Decimal digits as text. Every function writes to memory with room for 40 bytes, may scribble in all
/// of it, and returns how many bytes count.
enum DecimalText {
  private static let zero = UInt8(ascii: "0")
  private static let point = UInt8(ascii: ".")

  /// A whole number.
  @inline(__always)
  static func integer(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    if value < 10 {
      target[0] = zero + UInt8(truncatingIfNeeded: value)
      return 1
    }
    guard value >= 10_000_000_000_000_000 else {
      let count = digitCount(value)
      write(value, count, to: target)
      return count
    }
    let (top, rest) = value.quotientAndRemainder(dividingBy: 10_000_000_000_000_000)
    let count = digitCount(top)
    write(top, count, to: target)
    write(rest, 16, to: target + count)
    return count + 16
  }

  static func zero(to target: UnsafeMutablePointer<UInt8>) -> Int {
    (target[0], target[1], target[2]) = (zero, point, zero)
    return 3
  }

  /// A number with a fraction or an exponent: positional from 1e-5 up to 1e16, else scientific.
  @inline(__always)
  static func number(_ decimal: ShortestDecimal, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var (digits, exponent) = (decimal.digits, decimal.exponent)
    while digits % 10 == 0 { (digits, exponent) = (digits / 10, exponent + 1) }
    let count = digitCount(digits)
    // The decimal point stands after this many digits.
    let whole = count + exponent
    if whole <= 0, whole > -5 {
      // Room for "0.0000" before the digits overwrite what is too much.
      UnsafeMutableRawPointer(target).storeBytes(
        of: UInt64(0x3030_3030_3030_2E30).littleEndian, as: UInt64.self)
      write(digits, count, to: target + 2 - whole)
      return count + 2 - whole
    }
    if whole > 0, whole <= 16 {
      if exponent >= 0 {
        write(digits, count, to: target)
        for index in count..<whole { target[index] = zero }
        (target[whole], target[whole + 1]) = (point, zero)
        return whole + 2
      }
      write(digits, count, to: target + 1)
      for index in 0..<whole { target[index] = target[index + 1] }
      target[whole] = point
      return count + 1
    }
    return scientific(digits, count, whole - 1, to: target)
  }

  private static func scientific(
    _ digits: UInt64, _ count: Int, _ power: Int, to target: UnsafeMutablePointer<UInt8>
  ) -> Int {
    write(digits, count, to: target + 1)
    target[0] = target[1]
    var end = 1
    if count > 1 {
      target[1] = point
      end = count + 1
    }
    target[end] = UInt8(ascii: "e")
    end += 1
    if power < 0 {
      target[end] = UInt8(ascii: "-")
      end += 1
    }
    return end + integer(UInt64(power.magnitude), to: target + end)
  }

  /// The number of digits of a value below 10^17.
  @inline(__always)
  private static func digitCount(_ value: UInt64) -> Int {
    if value >= 100_000_000 {
      if value < 10_000_000_000 { return value < 1_000_000_000 ? 9 : 10 }
      if value >= 10_000_000_000_000_000 { return 17 }
      if value >= 1_000_000_000_000_000 { return 16 }
      if value >= 100_000_000_000_000 { return 15 }
      if value >= 1_000_000_000_000 { return value < 10_000_000_000_000 ? 13 : 14 }
      return value < 100_000_000_000 ? 11 : 12
    }
    if value >= 10_000_000 { return 8 }
    if value >= 10_000 { return value < 100_000 ? 5 : value < 1_000_000 ? 6 : 7 }
    if value >= 100 { return value < 1000 ? 3 : 4 }
    return value < 10 ? 1 : 2
  }

  /// The `count` digits of a value below 10^17.
  @inline(__always)
  private static func write(
    _ value: UInt64, _ count: Int, to target: UnsafeMutablePointer<UInt8>
  ) {
    let raw = UnsafeMutableRawPointer(target)
    if count <= 8 {
      raw.storeBytes(of: (eight(value) >> UInt64(64 - 8 * count)).littleEndian, as: UInt64.self)
      return
    }
    let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
    if count <= 16 {
      raw.storeBytes(of: (eight(high) >> UInt64(128 - 8 * count)).littleEndian, as: UInt64.self)
    } else {
      let (top, rest) = high.quotientAndRemainder(dividingBy: 100_000_000)
      target[0] = zero + UInt8(truncatingIfNeeded: top)
      (raw + 1).storeBytes(of: eight(rest).littleEndian, as: UInt64.self)
    }
    (raw + count - 8).storeBytes(of: eight(low).littleEndian, as: UInt64.self)
  }

  /// Eight digits as characters, the highest in the lowest byte: halves, then pairs, then digits are
  /// parted, all lanes at once.
  @inline(__always)
  private static func eight(_ value: UInt64) -> UInt64 {
    let fours = value / 10_000 | (value % 10_000) << 32
    let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- hundreds &* 100) << 16
    let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
    return (tens | (twos &- tens &* 10) << 8) | 0x3030_3030_3030_3030
  }
}
