/// A floating-point number of any layout, taken apart.
struct FloatBits {
  private let isNegative: Bool
  private let exponent: Int
  /// The mantissa's highest 64 bits; the lowest is set too if any bit below was.
  private let mantissa: UInt64
  /// Bits of the mantissa that `mantissa` left out.
  private let dropped: Int
  private let layout: HDF5FloatLayout

  /// - Parameter raw: the number's bytes, `bits.size` of them.
  init(_ raw: UnsafeRawBufferPointer, _ bits: HDF5Bits, _ layout: HDF5FloatLayout) {
    self.layout = layout
    func bit(_ number: Int) -> UInt64 {
      let byte = number / 8
      guard byte < raw.count else { return 0 }
      let at =
        switch bits.order {
        case .little: byte
        case .big: raw.count - 1 - byte
        // Words from the most significant on, each little-endian.
        case .vax: raw.count - 1 - byte ^ 1
        }
      guard raw.indices.contains(at) else { return 0 }
      return UInt64(raw[at] >> UInt8(number % 8) & 1)
    }
    isNegative = bit(layout.sign) != 0
    var exponent: UInt64 = 0
    for index in 0..<min(layout.exponentBits, 32) {
      exponent |= bit(layout.exponent + index) << UInt64(index)
    }
    self.exponent = Int(exponent)
    dropped = max(0, layout.mantissaBits - 63)
    var mantissa: UInt64 = 0
    for index in dropped..<layout.mantissaBits {
      mantissa |= bit(layout.mantissa + index) << UInt64(index - dropped)
    }
    for index in 0..<dropped where bit(layout.mantissa + index) != 0 { mantissa |= 1 }
    self.mantissa = mantissa
  }

  /// The nearest double; infinities and NaN where the exponent is all ones.
  var double: Double {
    let ones = 1 << layout.exponentBits - 1
    var significand = mantissa
    var fraction = layout.mantissaBits - dropped
    if layout.normalization != .implied { fraction -= 1 }
    let lead: UInt64 = 1 << UInt64(max(fraction, 0))
    if exponent == ones {
      let rest = layout.normalization == .implied ? significand : significand & ~lead
      return rest != 0 ? .nan : isNegative ? -.infinity : .infinity
    }
    if layout.normalization == .implied, exponent > 0 { significand |= lead }
    let power = max(exponent, layout.normalization == .implied ? 1 : 0) - layout.bias - fraction
    let value = Double(sign: .plus, exponent: 0, significand: Double(significand))
    let scaled =
      value == 0
      ? 0 : Double(sign: .plus, exponent: max(-2000, min(power, 2000)), significand: value)
    return isNegative ? -scaled : scaled
  }
}
