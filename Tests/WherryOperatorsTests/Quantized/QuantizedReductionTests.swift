import Glibc
import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct QuantizedReductionTests {
  /// Seeded bytes.
  private func bytes(_ element: ElementType, _ shape: [Int]) throws -> Tensor {
    var state: UInt64 = 7
    let count = shape.reduce(1, *)
    return try integers(
      element,
      (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int64(state >> 56) + element.integerRange.lowerBound
      }, shape)
  }

  private func turned(_ x: Tensor, _ axes: [Int]) throws -> Tensor {
    var transpose = Transpose()
    transpose.perm = axes
    return try evaluate(transpose, [x])
  }

  @Test func averagesDivideByTheElementsThatCount() throws {
    var pool = QLinearAveragePool()
    (pool.kernelShape, pool.pads) = ([2, 2], [1, 1, 0, 0])
    let x = try integers(.int8, [10, 20, 30, 40], [1, 1, 2, 2])
    let parameters: [Tensor?] = [x, try scale(0.5), try zero(.int8, -2), try scale(0.5), nil]
    // Values less the zero point: 12 22 32 42; the corner window holds one of them.
    #expect(try evaluate(pool, parameters).integers == [12, 17, 22, 27])
    pool.countIncludePad = true
    // 12 / 4; 34 / 4 = 8.5 to even; 44 / 4; 108 / 4
    #expect(try evaluate(pool, parameters).integers == [3, 8, 11, 27])
  }

  @Test(arguments: [ElementType.int8, .uint8])
  func channelsLastIsTheSameTurned(_ element: ElementType) throws {
    let x = try bytes(element, [2, 3, 5, 4])
    let zeroX = element.integerRange.lowerBound + 120
    let parameters: [Tensor?] = [
      try scale(0.02), try zero(element, zeroX), try scale(0.017), try zero(element, zeroX + 9),
    ]
    var pool = QLinearAveragePool()
    (pool.kernelShape, pool.strides, pool.pads) = ([3, 2], [2, 1], [1, 0, 1, 1])
    var last = pool
    last.channelsLast = true
    let nhwc = try turned(x, [0, 2, 3, 1])
    let y = try evaluate(pool, [x] + parameters)
    #expect(try turned(try evaluate(last, [nhwc] + parameters), [0, 3, 1, 2]) == y)
    var global = QLinearGlobalAveragePool()
    let mean = try evaluate(global, [x] + parameters)
    #expect(mean.shape == [2, 3, 1, 1])
    global.channelsLast = true
    #expect(try turned(try evaluate(global, [nhwc] + parameters), [0, 3, 1, 2]) == mean)
    #expect(
      try inferred(global, nhwc, parameters[0], parameters[1], parameters[2], parameters[3])
        == .tensor(element, Shape(fixed: [2, 1, 1, 3])))
    var reduce = QLinearReduceMean()
    reduce.axes = [2, -1]
    #expect(try evaluate(reduce, [x] + parameters) == mean)
    reduce.keepsAxes = false
    #expect(try evaluate(reduce, [x] + parameters).shape == [2, 3])
    var largest = MaxPool()
    largest.kernelShape = [2, 2]
    var nhwcLargest = NhwcMaxPool()
    nhwcLargest.kernelShape = [2, 2]
    #expect(
      try turned(try evaluate(nhwcLargest, [nhwc]), [0, 3, 1, 2]) == evaluate(largest, [x]))
  }

  @Test func meansAreOneFactorTimesTheSum() throws {
    let x = try bytes(.uint8, [1, 2, 7, 7])
    let (sx, sy): (Float, Float) = (0.0371, 0.0219)
    let y = try evaluate(
      QLinearGlobalAveragePool(),
      [x, try scale(sx), try zero(.uint8, 100), try scale(sy), try zero(.uint8, 77)])
    let factor = Float(Double(sx) / Double(sy) / 49)
    for channel in 0..<2 {
      let sum = x.integers[channel * 49..<channel * 49 + 49].reduce(0) { $0 + $1 - 100 }
      let t = Int64((Float(sum) * factor).rounded(.toNearestOrEven)) + 77
      #expect(y.integers[channel] == min(max(t, 0), 255))
    }
  }

  @Test func concatRequantizesEachPart() throws {
    var concat = QLinearConcat()
    concat.axis = -1
    let (a, b) = (try integers(.int8, [1, 2], [1, 2]), try integers(.int8, [30, -40], [1, 2]))
    let y = try evaluate(
      concat,
      [
        try scale(0.5), try zero(.int8, 1), a, try scale(0.5), try zero(.int8, 1), b,
        try scale(0.1), try zero(.int8, 0),
      ])
    #expect(y.shape == [1, 4])
    #expect(y.integers == [1, 2, 7, -7])
    #expect(throws: TypeError.self) {
      try inferred(concat, scale(1), zero(.int8, 0), a, scale(1))
    }
  }

  @Test func whereChoosesAndRequantizes() throws {
    let condition = try #require(Tensor([3], booleans: [true, false, true]))
    let y = try evaluate(
      QLinearWhere(),
      [
        condition, try integers(.uint8, [10, 20, 30]), try scale(1), try zero(.uint8, 0),
        try integers(.uint8, [200]), try scale(0.5), try zero(.uint8, 100), try scale(1),
        try zero(.uint8, 2),
      ])
    #expect(y.integers == [12, 52, 32])
  }

  /// The integer softmax, written out, and near the real one.
  @Test func softmaxIsATableAndOneFactorALine() throws {
    let x = try bytes(.int8, [3, 10])
    let (sx, sy): (Float, Float) = (0.04, 1 / 256)
    let op = QLinearSoftmax()
    let y = try evaluate(op, [x, try scale(sx), nil, try scale(sy), try zero(.int8, -128)])
    let table = QLinearSoftmax.exponentials(sx)
    #expect(
      table[0] == 1 << 24 && table[25] == UInt32((16_777_216 * exp(-25 * Double(sx))).rounded()))
    for row in 0..<3 {
      let line = Array(x.integers[row * 10..<row * 10 + 10])
      let top = try #require(line.max())
      let sum = line.reduce(0.0) { $0 + Double(table[Int(top - $1)]) }
      let real = line.reduce(0.0) { $0 + exp(Double($1) * Double(sx)) }
      for column in 0..<10 {
        let got = y.integers[row * 10 + column]
        let t = Float(table[Int(top - line[column])]) * Float(256 / sum)
        #expect(got == min(Int64(t.rounded(.toNearestOrEven)) - 128, 127))
        let exact = exp(Double(line[column]) * Double(sx)) / real * 256 - 128
        #expect(abs(Double(got) - exact) <= 0.51)
      }
    }
  }

  @Test func softmaxOfOldOperatorSetsTakesAllThatFollows() throws {
    var old = QLinearSoftmax()
    (old.axis, old.operatorSet) = (1, 12)
    let x = try bytes(.uint8, [2, 3, 4])
    let parameters: [Tensor?] = [try scale(0.02), nil, try scale(1 / 256), try zero(.uint8, 0)]
    let flat = try #require(x.reshaped([2, 12]))
    let y = try evaluate(old, [x] + parameters)
    #expect(y.integers == (try evaluate(QLinearSoftmax(), [flat] + parameters)).integers)
    #expect(y.shape == [2, 3, 4])
  }
}
