import Glibc
import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

/// A scalar scale.
func scale(_ value: Float) throws -> Tensor {
  try #require(Tensor(.float32, [], elements: [value]))
}

/// A scalar zero point.
func zero(_ element: ElementType, _ value: Int64) throws -> Tensor {
  try integers(element, [value], [])
}

/// Every value of an 8-bit type, in increasing order.
func every(_ element: ElementType, _ shape: [Int] = [256]) throws -> Tensor {
  try integers(element, Array(element.integerRange), shape)
}

@Suite struct QuantizedElementwiseTests {
  /// All pairs of values, each step as arithmetic.md writes it.
  @Test(arguments: [ElementType.int8, .uint8])
  func sumsAndDifferencesAreTwoProductsAndOneSum(_ element: ElementType) throws {
    let (sa, sb, sc): (Float, Float, Float) = (0.031, 0.0127, 0.0402)
    let shift: Int64 = element == .uint8 ? 128 : 0
    let (za, zb, zc) = (-5 + shift, 17 + shift, 3 + shift)
    let operands: [Tensor?] = [
      try every(element, [256, 1]), try scale(sa), try zero(element, za), try every(element),
      try scale(sb), try zero(element, zb), try scale(sc), try zero(element, zc),
    ]
    let (fa, fb) = (Float(Double(sa) / Double(sc)), Float(Double(sb) / Double(sc)))
    let bounds = element.integerRange
    let run = { (op: any Operator) in try evaluate(op, operands).integers }
    let (sum, difference) = (try run(QLinearAdd()), try run(QLinearSub()))
    var at = 0
    for a in bounds {
      for b in bounds {
        let (x, y) = (Float(a - za) * fa, Float(b - zb) * fb)
        let expected = [x + y, x - y].map { t in
          min(max(Int64(t.rounded(.toNearestOrEven)) + zc, bounds.lowerBound), bounds.upperBound)
        }
        #expect([sum[at], difference[at]] == expected, "\(a), \(b)")
        at += 1
      }
    }
    #expect(at == 65536)
  }

  @Test func productsAreRoundedOnce() throws {
    let (sa, sb, sc): (Float, Float, Float) = (0.05, 0.02, 0.11)
    let y = try evaluate(
      QLinearMul(),
      [
        try every(.int8, [256, 1]), try scale(sa), try zero(.int8, 4), try every(.int8),
        try scale(sb), try zero(.int8, -9), try scale(sc), try zero(.int8, 7),
      ]
    ).integers
    let factor = Float(Double(sa) * Double(sb) / Double(sc))
    var at = 0
    for a in Int64(-128)...127 {
      for b in Int64(-128)...127 {
        let t = (Float((a - 4) * (b + 9)) * factor).rounded(.toNearestOrEven)
        #expect(y[at] == min(max(Int64(t) + 7, -128), 127))
        at += 1
      }
    }
  }

  /// uint8 tensors are int8 ones with value and zero point moved by 128.
  @Test func signednessIsOnlyAnOffset() throws {
    func run(_ element: ElementType, _ shift: Int64) throws -> [Int64] {
      try evaluate(
        QLinearAdd(),
        [
          try every(element), try scale(0.1), try zero(element, 3 + shift), try every(element),
          try scale(0.07), try zero(element, -8 + shift), try scale(0.13),
          try zero(element, 1 + shift),
        ]
      ).integers.map { $0 - shift }
    }
    #expect(try run(.int8, 0) == (try run(.uint8, 128)))
  }

  @Test func zeroPointsLeftOutAreZero() throws {
    let y = try evaluate(
      QLinearAdd(),
      [
        try integers(.int8, [10, -20]), try scale(0.5), nil, try integers(.int8, [1, 2]),
        try scale(0.5), nil, try scale(0.5),
      ])
    #expect(y.integers == [11, -18])
    #expect(y.element == .int8)
  }

  /// The integer operator and float arithmetic between `DequantizeLinear` and `QuantizeLinear` differ
  /// by one at most, and rarely.
  @Test func sumsStayWithinOneOfFloatArithmetic() throws {
    let (sa, sb, sc): (Float, Float, Float) = (0.0213, 0.0371, 0.0449)
    let operands: [Tensor?] = [
      try every(.uint8, [256, 1]), try scale(sa), try zero(.uint8, 100), try every(.uint8),
      try scale(sb), try zero(.uint8, 131), try scale(sc), try zero(.uint8, 121),
    ]
    let y = try evaluate(QLinearAdd(), operands).integers
    var (different, at) = (0, 0)
    for a in Int64(0)...255 {
      for b in Int64(0)...255 {
        let real = Float(a - 100) * sa + Float(b - 131) * sb
        let t = Int64((real / sc).rounded(.toNearestOrEven)) + 121
        let expected = min(max(t, 0), 255)
        #expect(abs(expected - y[at]) <= 1)
        different += expected == y[at] ? 0 : 1
        at += 1
      }
    }
    #expect(different < 66)
  }

  @Test(arguments: [ElementType.int8, .uint8])
  func sigmoidIsQuantizedSigmoidOfTheDequantized(_ element: ElementType) throws {
    let (sx, sy): (Float, Float) = (0.06, 1 / 256)
    let (zx, zy) = (element.integerRange.lowerBound + 120, element.integerRange.lowerBound)
    let (x, zx8, zy8) = (try every(element), try zero(element, zx), try zero(element, zy))
    let real = try evaluate(DequantizeLinear(), [x, try scale(sx), zx8])
    let expected = try evaluate(
      QuantizeLinear(), [try evaluate(Sigmoid(), [real]), try scale(sy), zy8])
    let y = try evaluate(QLinearSigmoid(), [x, try scale(sx), zx8, try scale(sy), zy8])
    #expect(y == expected)
  }

  @Test func leakyReluTakesItsSlope() throws {
    var op = QLinearLeakyRelu()
    op.alpha = 0.25
    let y = try evaluate(
      op, [try integers(.int8, [-100, -2, 0, 60]), try scale(1), nil, try scale(1), nil])
    #expect(y.integers == [-25, 0, 0, 60])
  }

  @Test func lookupCountsFromTheLeastValue() throws {
    let table = try floats(.float32, (0..<256).map { Double($0) / 2 })
    let signed = try evaluate(Lookup(), [try integers(.int8, [-128, 0, 127]), table])
    #expect(signed.doubles == [0, 64, 127.5])
    let unsigned = try evaluate(Lookup(), [try integers(.uint8, [0, 128, 255]), table])
    #expect(unsigned.doubles == [0, 64, 127.5])
    #expect(throws: RunError.self) {
      try evaluate(Lookup(), [try integers(.int8, [0]), try floats(.float32, [1, 2])])
    }
    #expect(throws: TypeError.self) {
      try inferred(Lookup(), integers(.int8, [0]), floats(.float32, [1, 2]))
    }
  }

  @Test func scalesAreOneNumberEach() throws {
    #expect(throws: RunError.self) {
      try evaluate(
        QLinearSigmoid(),
        [try integers(.int8, [1, 2]), try floats(.float32, [1, 2]), nil, try scale(1), nil])
    }
    #expect(throws: RunError.self) {
      try evaluate(
        QLinearSigmoid(),
        [try integers(.int8, [1]), try scale(1), try zero(.uint8, 0), try scale(1), nil])
    }
  }
}

/// `evaluated` for a list of operands.
func evaluate(_ operation: any Operator, _ inputs: [Tensor?]) throws -> Tensor {
  let call = OperatorCall(
    inputs: inputs.map { $0.map { .tensor($0) } }, wanted: [true],
    runGraph: { (_, _) throws(RunError) in [] })
  return try #require(try operation.evaluate(call).first??.tensor)
}
