import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct CastTests {
  private func cast(_ x: Tensor, _ target: ElementType, saturates: Bool = true) throws -> Tensor {
    var cast = Cast()
    (cast.target, cast.saturates) = (target, saturates)
    return try evaluated(cast, x)
  }

  @Test func integersKeepTheirLowBits() throws {
    #expect(try cast(integers(.int16, [200, -1]), .int8).integers == [-56, -1])
    #expect(try cast(integers(.int64, [-1, 9]), .uint4).integers == [15, 9])
  }

  @Test func floatsAreTruncatedAndNothingTraps() throws {
    let x = try floats(.float64, [-1.9, 1.9, 300, .nan, .infinity, -1e300, 1e19])
    #expect(try cast(x, .int32).integers[..<3] == [-1, 1, 300])
    #expect(try cast(x, .int8).integers[..<4] == [-1, 1, 44, 0])
    #expect(try cast(x, .int64).integers[4...5] == [.max, .min])
    #expect(UInt64(bitPattern: try cast(x, .uint64).integers[6]) == 10_000_000_000_000_000_000)
    #expect(try cast(x, .bool).booleans == Array(repeating: true, count: 7))
  }

  /// Just above half way between two float32: float64 would round it to the half, and that to even.
  @Test func integersAreRoundedOnceToFloats() throws {
    let x = try integers(.int64, [(1 << 60) + (1 << 36) + 1, -(1 << 60) - (1 << 36) - 1])
    let step = Double(1 << 37)
    #expect(try cast(x, .float32).doubles == [Double(1 << 60) + step, -Double(1 << 60) - step])
    let y = try integers(.uint64, [Int64(bitPattern: UInt64.max)])
    #expect(try cast(y, .float64).doubles == [18_446_744_073_709_551_616])
  }

  @Test func textIsReadAsNumbers() throws {
    let x = try texts(["1.5", "-2e3", "INF", "-inf", "NaN", " 7 "])
    let read = try cast(x, .float32).doubles
    #expect(read[..<4] == [1.5, -2000, .infinity, -.infinity])
    #expect(read[4].isNaN && read[5] == 7)
    #expect(
      try cast(texts(["100.5", "-3", "18446744073709551615"]), .uint64).integers == [100, -3, -1])
    for wrong in ["", "one", "0x10", "nan(1)", "1 2", "infinit"] {
      #expect(throws: RunError(.badValue("\"\(wrong)\" is not a number"))) {
        try cast(texts([wrong]), .float64)
      }
    }
  }

  @Test func numbersAreWrittenWithTheFewestDigits() throws {
    func written(_ x: Tensor) throws -> [String] { try cast(x, .string).strings.compactMap(\.text) }
    #expect(try written(floats(.float32, [0.1, -.infinity, .nan])) == ["0.1", "-INF", "NaN"])
    #expect(try written(floats(.float16, [0.1, 65504, 0])) == ["0.1", "65500.0", "0.0"])
    #expect(try written(floats(.bfloat16, [0.1, 1])) == ["0.1", "1.0"])
    #expect(try written(integers(.uint64, [-1])) == ["18446744073709551615"])
    #expect(try written(integers(.bool, [1, 0])) == ["1", "0"])
  }

  @Test func everyHalfSurvivesText() throws {
    let patterns = (UInt16(0)..<0x7c00).map { $0 }
    let x = try #require(Tensor(.float16, [patterns.count], elements: patterns))
    #expect(try cast(try cast(x, .string), .float16) == x)
  }

  @Test func powersOfTwoRoundAsAsked() throws {
    let x = try floats(.float32, [1, 1.25, 1.5, 3, 0, .nan])
    func powers(_ rounding: PowerRounding) throws -> [Double] {
      var cast = Cast()
      (cast.target, cast.rounding) = (.float8e8m0, rounding)
      return Array(try evaluated(cast, x).doubles[..<4])
    }
    #expect(try powers(.up) == [1, 2, 2, 4])
    #expect(try powers(.down) == [1, 1, 1, 2])
    #expect(try powers(.nearest) == [1, 1, 2, 4])
  }

  @Test func theBitsStayUnderAnotherType() throws {
    var bits = BitCast()
    bits.target = .int32
    #expect(try evaluated(bits, floats(.float32, [1])).integers == [0x3f80_0000])
    #expect(throws: RunError.self) { try evaluated(bits, floats(.float64, [1])) }
    #expect(throws: TypeError.self) { try inferred(bits, floats(.float64, [1])) }
  }
}
