import WherryGraph

/// A function of one 8-bit value as its 256 results, in increasing order of the value.
///
/// Entry `i` is the result of `i - 128` for int8 and of `i` for uint8.
public struct ByteTable: Sendable, Hashable {
  /// The value that entry 0 stands for.
  public static func least(_ element: ElementType) -> Int64 { element.integerRange.lowerBound }

  /// Every value of an 8-bit type, in increasing order; nil for other types.
  public static func values(_ element: ElementType) -> Tensor? {
    guard ElementSet.bytes.contains(element) else { return nil }
    return Tensor(element, [256], integers: Array(element.integerRange))
  }

  /// What each 8-bit value stands for, as float32.
  static func reals(_ element: ElementType, scale: Float, zeroPoint: Int64) -> [Float] {
    element.integerRange.map { Float($0 - zeroPoint) * scale }
  }

  /// `Q(function(DQ(q)))` for every value: one float32 operation each for `DQ` and for the quotient in
  /// `Q`.
  static func results(
    _ element: ElementType, scale: Float, zeroPoint: Int64, to target: QuantizedTarget,
    _ function: (Float) -> Float
  ) -> [Int64] {
    reals(element, scale: scale, zeroPoint: zeroPoint).map { target.quantize(function($0)) }
  }
}

extension QuantizedTensor {
  /// `Q(function(DQ(q)))` of every element.
  func mapped(to target: QuantizedTarget, _ function: (Float) -> Float) -> [Int64] {
    // One result for each difference that occurs, -255 ... 255.
    let table = (-255...255).map { target.quantize(function(Float($0) * scale)) }
    return centred.map { table[Int($0) + 255] }
  }

  /// Every element at another scale: its own bytes where scale and zero point stay.
  func requantized(to target: QuantizedTarget) -> [Int64] { mapped(to: target) { $0 } }
}
