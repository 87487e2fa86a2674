/// Scale and zero point of an 8-bit tensor: `real = scale * (q - zeroPoint)`, `q` in -128...127.
public struct QuantizationParameters: Sendable, Hashable {
  /// Finite, normal, > 0.
  public let scale: Float
  /// In -128...127; the real number 0 is exactly this.
  public let zeroPoint: Int

  /// The smallest scale that is ever chosen: products and quotients of two scales stay normal.
  public static let smallestScale: Float = 0x1p-62
  /// The largest.
  public static let largestScale: Float = 0x1p+62

  public init(scale: Float, zeroPoint: Int) {
    (self.scale, self.zeroPoint) = (scale, zeroPoint)
  }

  /// What covers `low...high` and 0 with 256 steps.
  ///
  /// A range that is only 0 gets scale 1 and zero point 0: any valid pair represents it, and this one
  /// leaves room for both signs.
  /// - Parameters: finite numbers, in any relation to 0.
  public init(covering low: Double, _ high: Double) {
    let (low, high) = (min(low, 0), max(high, 0))
    guard high > low else {
      self.init(scale: 1, zeroPoint: 0)
      return
    }
    let scale = Self.bounded(Float((high - low) / 255))
    let zero = (-128 - low / Double(scale)).rounded(.toNearestOrEven)
    self.init(scale: scale, zeroPoint: Int(min(max(zero, -128), 127)))
  }

  /// Values of Softmax and Sigmoid: 0 to 255/256.
  public static let probability = QuantizationParameters(scale: 1 / 256, zeroPoint: -128)
  /// Values of Tanh: -1 to 127/128.
  public static let symmetricUnit = QuantizationParameters(scale: 1 / 128, zeroPoint: 0)

  /// Probabilities that are all small use all steps: the range is halved as often as it still holds the
  /// largest one observed. Other ranges that follow from their function stay.
  func fitting(_ largest: Float?) -> QuantizationParameters {
    guard self == .probability, let largest, largest > 0 else { return self }
    var scale = scale
    while scale > 0x1p-24, largest <= scale / 2 * 255 { scale /= 2 }
    return QuantizationParameters(scale: scale, zeroPoint: zeroPoint)
  }

  /// The nearest scale that is allowed.
  static func bounded(_ scale: Float) -> Float {
    min(max(scale, smallestScale), largestScale)
  }

  /// The real number that -128 stands for.
  public var lowest: Double { Double(scale) * Double(-128 - zeroPoint) }
  /// The real number that 127 stands for.
  public var highest: Double { Double(scale) * Double(127 - zeroPoint) }

  /// The same range of integers over a coarser scale, as far as it covers 0 in the same place.
  func coarser(_ scale: Float) -> QuantizationParameters {
    QuantizationParameters(scale: Self.bounded(scale), zeroPoint: zeroPoint)
  }

  /// The integer of a real number: `saturate(round_half_even(x / scale) + zeroPoint)`; NaN counts as 0.
  public func quantize(_ x: Float) -> Int8 {
    let steps = (x / scale).rounded(.toNearestOrEven)
    guard !steps.isNaN else { return Int8(clamping: zeroPoint) }
    return Int8(clamping: Int(min(max(steps, -512), 512)) + zeroPoint)
  }
}
