import WherryGraph

/// The fixed-point functions of 8-bit recurrent layers: pre-activations in Q3.12, activations in Q0.15.
///
/// - Source: runtime/ARITHMETIC.md, "LSTM and GRU steps".
enum RecurrentFixedPoint {
  private static let c0: [Int] = [
    0, 8025, 15143, 20813, 24956, 27797, 29660, 30847, 31589, 32048, 32329, 32501, 32606, 32670,
    32708, 32732,
  ]
  private static let c1: [Int] = [
    8275, 7752, 6449, 4865, 3411, 2269, 1460, 919, 570, 350, 216, 131, 77, 49, 29, 35,
  ]
  private static let c2: [Int] = [
    -250, -634, -779, -722, -570, -406, -273, -177, -111, -69, -44, -26, -13, -11, -5, 0,
  ]

  /// floor((a b + 2^14) / 2^15)
  private static func multiply(_ a: Int, _ b: Int) -> Int { (a * b + (1 << 14)) >> 15 }

  /// About 2^15 tanh(v / 2^13).
  static func curve(_ v: Int) -> Int {
    let magnitude = min(abs(v), 32767)
    let k = magnitude >> 11
    let d = (magnitude & 2047) << 4
    let value = c0[k] + multiply(d, c1[k] + multiply(d, c2[k]))
    return v < 0 ? -value : value
  }

  /// A pre-activation in units of 2^-12 as int16.
  private static func fixed(_ t: Float) -> Int {
    Int(Requantization.saturate(Double(t), zeroPoint: 0, -32768...32767))
  }

  /// 0 ... 32767
  static func sigmoid(_ t: Float) -> Int { (curve(fixed(t)) >> 1) + (1 << 14) }

  /// -32767 ... 32767
  static func tanh(_ t: Float) -> Int { curve(min(max(2 * fixed(t), -32768), 32767)) }

  /// A state: bounded, and never subnormal.
  static func state(_ c: Float) -> Float {
    guard !c.isNaN, c.magnitude >= 0x1p-60 else { return 0 }
    return min(max(c, -65536), 65536)
  }
}
