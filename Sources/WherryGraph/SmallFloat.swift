/// The layout of a binary floating-point format narrower than float32, decoded and encoded exactly.
///
/// - Source: IEEE 754-2019 binary16; OCP 8-bit Floating Point and Microscaling Formats (MX) 1.0;
///   ONNX "Float stored in 8 bits"; bfloat16 as the upper half of binary32.
public struct SmallFloat: Sendable {
  /// Which bit patterns are not finite numbers.
  public enum Specials: Sendable {
    /// The top exponent holds infinity and NaN, as in IEEE 754.
    case ieee
    /// No infinity; NaN is all ones below the sign.
    case nanAllOnes
    /// No infinity, no negative zero; NaN is the pattern of negative zero.
    case nanNegativeZero
    /// Every pattern is a finite number.
    case none
  }

  public let exponentBits: Int
  public let mantissaBits: Int
  public let bias: Int
  public let specials: Specials

  /// The layout of `type`; nil for types that are not narrow floats, and for `float8e8m0`, which has
  /// neither sign nor mantissa.
  public init?(_ type: ElementType) {
    switch type {
    case .float16: self.init(5, 10, 15, .ieee)
    case .bfloat16: self.init(8, 7, 127, .ieee)
    case .float8e4m3fn: self.init(4, 3, 7, .nanAllOnes)
    case .float8e4m3fnuz: self.init(4, 3, 8, .nanNegativeZero)
    case .float8e5m2: self.init(5, 2, 15, .ieee)
    case .float8e5m2fnuz: self.init(5, 2, 16, .nanNegativeZero)
    case .float4e2m1: self.init(2, 1, 1, .none)
    case .float6e2m3: self.init(2, 3, 1, .none)
    case .float6e3m2: self.init(3, 2, 3, .none)
    default: return nil
    }
  }

  private init(_ exponentBits: Int, _ mantissaBits: Int, _ bias: Int, _ specials: Specials) {
    (self.exponentBits, self.mantissaBits) = (exponentBits, mantissaBits)
    (self.bias, self.specials) = (bias, specials)
  }

  private var signBit: Int { exponentBits + mantissaBits }

  /// The value of a bit pattern; exact.
  public func decode(_ bits: UInt16) -> Double {
    let magnitude = Int(bits) & (1 << signBit - 1)
    let isNegative = Int(bits) >> signBit & 1 == 1
    let exponent = magnitude >> mantissaBits
    let mantissa = magnitude & (1 << mantissaBits - 1)
    switch specials {
    case .ieee where exponent == 1 << exponentBits - 1:
      if mantissa != 0 { return .nan }
      return isNegative ? -.infinity : .infinity
    case .nanAllOnes where magnitude == 1 << signBit - 1: return .nan
    case .nanNegativeZero where isNegative && magnitude == 0: return .nan
    default: break
    }
    let unit = Double(sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: 1)
    let fraction = Double(exponent == 0 ? mantissa : mantissa | 1 << mantissaBits)
    return isNegative ? -(fraction * unit) : fraction * unit
  }

  /// The magnitude pattern of the largest finite number.
  private var largest: Int {
    switch specials {
    case .ieee: (1 << exponentBits - 1) << mantissaBits - 1
    case .nanAllOnes: 1 << signBit - 2
    case .nanNegativeZero, .none: 1 << signBit - 1
    }
  }

  /// The pattern nearest to `value`, ties to the even one.
  ///
  /// - Parameter saturate: past the largest finite number: that number, instead of infinity or NaN.
  public func encode(_ value: Double, saturate: Bool) -> UInt16 {
    let sign = value.sign == .minus ? 1 << signBit : 0
    if value.isNaN { return nan(sign) }
    let magnitude = value.magnitude
    guard magnitude.isFinite else { return UInt16(overflow(sign, saturate)) }
    var pattern = 0
    if magnitude > 0 {
      let exponent = max(Int(magnitude.exponent), 1 - bias)
      let unit = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
      // Division by a power of two is exact, subnormal results of float64 aside, which round to 0.
      let steps = (magnitude / unit).rounded(.toNearestOrEven)
      pattern = Int(steps) + (exponent + bias - 1) << mantissaBits
    }
    if pattern > largest { return UInt16(overflow(sign, saturate)) }
    if specials == .nanNegativeZero, pattern == 0 { return 0 }
    return UInt16(sign | pattern)
  }

  private func nan(_ sign: Int) -> UInt16 {
    switch specials {
    case .ieee: UInt16(sign | (1 << exponentBits - 1) << mantissaBits | 1 << (mantissaBits - 1))
    case .nanAllOnes: UInt16(sign | (1 << signBit - 1))
    case .nanNegativeZero: UInt16(1 << signBit)
    // The format has none; ONNX's reference implementation gives negative zero.
    case .none: UInt16(1 << signBit)
    }
  }

  private func overflow(_ sign: Int, _ saturate: Bool) -> Int {
    if saturate || specials == .none { return sign | largest }
    if case .ieee = specials { return sign | (1 << exponentBits - 1) << mantissaBits }
    return Int(nan(sign))
  }
}
