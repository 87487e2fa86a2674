import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct QuantizedProductTests {
  private let a: [Int64] = [1, -2, 3, 100, -128, 127]
  private let b: [Int64] = [5, -6, 7, -128, 127, 64, -1, 0, 33, 90, -90, 12]

  private func gemm(_ op: QGemm, _ a: Tensor, _ b: Tensor, quantized: Bool = true) throws -> Tensor
  {
    try evaluate(
      op,
      [
        a, try scale(0.02), try zero(.int8, 3), b, try floats(.float32, [0.1, 0.2, 0.3, 0.4]),
        try integers(.int8, [0, 0, 0, 0]), try integers(.int32, [10, -20, 300, -4000]),
        quantized ? try scale(0.7) : nil, quantized ? try zero(.int8, -5) : nil,
      ])
  }

  @Test func gemmIsTheSpecifiedRequantization() throws {
    let y = try gemm(QGemm(), integers(.int8, a, [2, 3]), integers(.int8, b, [3, 4]))
    #expect(y.shape == [2, 4])
    let scales: [Float] = [0.1, 0.2, 0.3, 0.4]
    let bias: [Int64] = [10, -20, 300, -4000]
    for row in 0..<2 {
      for column in 0..<4 {
        let sum = (0..<3).reduce(bias[column]) { $0 + (a[row * 3 + $1] - 3) * b[$1 * 4 + column] }
        let s = Float(Double(Float(0.02)) * Double(scales[column]) / Double(Float(0.7)))
        let t = Int64((Float(sum) * s).rounded(.toNearestOrEven)) - 5
        #expect(y.integers[row * 4 + column] == min(max(t, -128), 127))
      }
    }
  }

  @Test func transposedOperandsGiveTheSame() throws {
    let y = try gemm(QGemm(), integers(.int8, a, [2, 3]), integers(.int8, b, [3, 4]))
    var op = QGemm()
    (op.transA, op.transB) = (true, true)
    let left = transposed(a, rows: 2, columns: 3)
    let right = transposed(b, rows: 3, columns: 4)
    #expect(try gemm(op, integers(.int8, left, [3, 2]), integers(.int8, right, [4, 3])) == y)
  }

  @Test func withoutAScaleTheResultIsFloat() throws {
    let y = try gemm(
      QGemm(), integers(.int8, a, [2, 3]), integers(.int8, b, [3, 4]), quantized: false)
    #expect(y.element == .float32)
    let sum = 10 + (1 - 3) * Int64(5) + (-2 - 3) * 127 + (3 - 3) * 33
    #expect(y.doubles[0] == Double(Float(sum) * Float(Double(Float(0.02)) * Double(Float(0.1)))))
  }

  @Test func integerProductBecomesFloatInThreeSteps() throws {
    let y = try evaluate(
      MatMulIntegerToFloat(),
      [
        try integers(.uint8, [10, 200], [1, 2]), try integers(.int8, [3, -4, 5, 6], [2, 2]),
        try scale(0.1), try floats(.float32, [0.01, 0.3]), try zero(.uint8, 100), nil,
        try floats(.float32, [0.5, -1.5]),
      ])
    let first: Float = Float(-90 * 3 + 100 * 5) * (Float(0.1) * Float(0.01)) + 0.5
    let second: Float = Float(-90 * -4 + 100 * 6) * (Float(0.1) * Float(0.3)) - 1.5
    #expect(y.doubles == [Double(first), Double(second)])
  }

  @Test func dynamicProductQuantizesOverItsOwnRange() throws {
    let x = try floats(.float32, [-1, 0.25, 2], [1, 3])
    let w = try integers(.int8, [100, -50, 25], [3, 1])
    let y = try evaluate(DynamicQuantizeMatMul(), [x, w, try scale(0.02)])
    let scaleX = Float(3) / 255
    let zero = (Float(1) / scaleX).rounded(.toNearestOrEven)
    let q = [-1, 0.25, 2].map { Int64(((Float($0) / scaleX).rounded(.toNearestOrEven)) + zero) }
    let sum = zip(q, [100, -50, 25]).reduce(Int64(0)) { $0 + ($1.0 - Int64(zero)) * $1.1 }
    #expect(y.doubles == [Double(Float(sum) * (scaleX * Float(0.02)))])
  }

  @Test func convolutionWithChannelsLastIsTheStandardOneTurned() throws {
    let x = try integers(.uint8, (0..<48).map { $0 * 5 % 256 }, [1, 3, 4, 4])
    let w = try integers(.int8, (0..<54).map { $0 * 37 % 255 - 127 }, [2, 3, 3, 3])
    let rest: [Tensor?] = [
      w, try floats(.float32, [0.01, 0.02]), try zero(.int8, 0), try scale(0.5),
      try zero(.uint8, 100), try integers(.int32, [1000, -1000]),
    ]
    var plain = QLinearConv()
    plain.pads = [1, 1, 1, 1]
    let y = try evaluate(plain, [x, try scale(0.03), try zero(.uint8, 7)] + rest)
    var contrib = ContribQLinearConv()
    (contrib.pads, contrib.channelsLast) = ([1, 1, 1, 1], true)
    let nhwc = try ChannelsLast.last(x)
    let last = try evaluate(contrib, [nhwc, try scale(0.03), try zero(.uint8, 7)] + rest)
    #expect(last.shape == [1, 4, 4, 2])
    #expect(try ChannelsLast.first(last) == y)
    contrib.channelsLast = false
    #expect(try evaluate(contrib, [x, try scale(0.03), try zero(.uint8, 7)] + rest) == y)
  }

  @Test func dynamicLSTMIsTypedAndRefusedByName() throws {
    let types: [ValueType?] = [
      .tensor(.float32, Shape(fixed: [7, 1, 5])), .tensor(.int8, Shape(fixed: [1, 5, 32])),
      .tensor(.int8, Shape(fixed: [1, 8, 32])),
    ]
    var site = InferenceSite(
      inputs: types, isPresent: [true, true, true], contents: [nil, nil, nil], outputCount: 3,
      inferGraph: { (_, _) throws(TypeError) in [] })
    try DynamicQuantizeLSTM().infer(&site)
    #expect(site.outputs[0] == .tensor(.float32, Shape(fixed: [7, 1, 1, 8])))
    #expect(site.outputs[2] == .tensor(.float32, Shape(fixed: [1, 1, 8])))
    #expect(throws: RunError.self) { try evaluate(DynamicQuantizeLSTM(), []) }
  }

  /// The tensors of the two domains' quantization are those of the standard.
  @Test func contribQuantizationIsTheStandardOne() throws {
    let x = try floats(.float32, [-1, 0.3, 7])
    let parameters: [Tensor?] = [try scale(0.1), try integers(.uint16, [1000], [])]
    let q = try evaluate(ContribQuantizeLinear(), [x] + parameters)
    #expect(q == (try evaluate(QuantizeLinear(), [x] + parameters)))
    let back = try evaluate(ContribDequantizeLinear(), [q] + parameters)
    #expect(back == (try evaluate(DequantizeLinear(), [q] + parameters)))
  }
}
