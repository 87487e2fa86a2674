import WherryGraph

/// From an int32 accumulator to a quantized result:
/// `saturate(round_half_even(float32(acc) * s) + zero_point)`, each step one IEEE 754 operation.
enum Requantization {
  /// `s = float32(scaleA * scaleB / scaleY)`, computed in float64 and rounded once.
  static func scale(_ a: Double, _ b: Double, _ y: Double) -> Float { Float(a * b / y) }

  /// - Parameter bounds: the numbers the result's type can hold.
  static func apply(
    _ accumulator: Int64, _ scale: Float, zeroPoint: Int64, _ bounds: ClosedRange<Int64>
  ) -> Int64 {
    saturate(Double(Float(accumulator) * scale), zeroPoint: zeroPoint, bounds)
  }

  /// A number rounded half to even, moved by the zero point and held within `bounds`; NaN counts as
  /// 0.
  static func saturate(
    _ value: Double, zeroPoint: Int64, _ bounds: ClosedRange<Int64>
  ) -> Int64 {
    // Every quantized type's bounds less its zero point lie far within 2^40.
    let limit = Double(1 << 40)
    let rounded = clamped((value.isNaN ? 0 : value).rounded(.toNearestOrEven), -limit, limit)
    return clamped(Int64(rounded) &+ zeroPoint, bounds.lowerBound, bounds.upperBound)
  }
}
