import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct QuantizationTests {
  @Test func halvesRoundToEvenAndTheEndsSaturate() throws {
    let x = try floats(.float32, [0.5, 1.5, -2.5, 1e9, -.infinity, .nan])
    let y = try evaluated(
      QuantizeLinear(), x, floats(.float32, [1], []), integers(.int8, [1], []))
    #expect(y.integers == [1, 3, -1, 127, -128, 1])
  }

  /// In float64 the quotient lies below the half; in float32, the scale's type, on it.
  @Test func theQuotientIsRoundedToTheScalesType() throws {
    let (x, scale) = (Float(0.15), Float(0.1))
    let quotient = x / scale
    let y = try evaluated(
      QuantizeLinear(), floats(.float32, [Double(x)]), floats(.float32, [Double(scale)], []))
    #expect(y.integers == [Int64(quotient.rounded(.toNearestOrEven))])
    #expect(y.element == .uint8)
  }

  @Test func theLastBlockMayBeShorter() throws {
    var dequantize = DequantizeLinear()
    (dequantize.axis, dequantize.blockSize) = (0, 2)
    let x = try integers(.int4, [1, 2, 3, 4, 5], [5])
    let y = try evaluated(dequantize, x, floats(.float32, [1, 10, 100], [3]))
    #expect(y.doubles == [1, 2, 30, 40, 500])
    #expect(throws: RunError.self) {
      try evaluated(dequantize, x, floats(.float32, [1, 10], [2]))
    }
  }

  @Test func scalesThatDoNotFitAreRefused() throws {
    let x = try floats(.float32, [1, 2, 3, 4], [2, 2])
    #expect(throws: RunError.self) {
      try evaluated(QuantizeLinear(), x, floats(.float32, [1, 1, 1]))
    }
    #expect(throws: RunError.self) {
      try evaluated(QuantizeLinear(), x, floats(.float32, [1, 1]), integers(.int8, [0], []))
    }
    var wrong = QuantizeLinear()
    wrong.outputType = Int(ElementType.float64.rawValue)
    #expect(throws: TypeError.self) { try inferred(wrong, x, floats(.float32, [1], [])) }
  }

  /// `s` is one float32, and the product with the accumulator is another: what the kernels compute.
  @Test func requantizationIsTheSpecifiedArithmetic() {
    let scale = Requantization.scale(0.02, 0.03, 0.7)
    #expect(scale == Float(0.02 * 0.03 / 0.7))
    let bounds = Int64(-128)...127
    for accumulator in stride(from: Int64(-200_000), through: 200_000, by: 997) {
      let product = (Float(accumulator) * scale).rounded(.toNearestOrEven)
      let expected = min(max(Int64(product) + 3, -128), 127)
      #expect(Requantization.apply(accumulator, scale, zeroPoint: 3, bounds) == expected)
    }
  }
}
