import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

@Suite struct ArithmeticTests {
  private let most = Int64(bitPattern: UInt64.max)

  @Test func integerDivisionByZeroIsZero() throws {
    let x = try integers(.int32, [7, -7, 0])
    let zero = try integers(.int32, [0])
    #expect(try evaluated(Div(), x, zero).integers == [0, 0, 0])
    #expect(try evaluated(Mod(), x, zero).integers == [0, 0, 0])
  }

  @Test func theLeastIntegerDividedByMinusOneWraps() throws {
    for (element, least) in [(ElementType.int8, Int64(-128)), (.int64, .min)] {
      let x = try integers(element, [least])
      let y = try integers(element, [-1])
      #expect(try evaluated(Div(), x, y).integers == [least])
      #expect(try evaluated(Mod(), x, y).integers == [0])
      #expect(try evaluated(Abs(), x).integers == [least])
      #expect(try evaluated(Neg(), x).integers == [least])
    }
  }

  @Test func uint64IsUnsignedAboveInt64() throws {
    let x = try integers(.uint64, [most, 3])
    let y = try integers(.uint64, [2, most])
    #expect(try evaluated(Div(), x, y).integers == [Int64.max, 0])
    #expect(try evaluated(Greater(), x, y).booleans == [true, false])
    #expect(try evaluated(Max(), x, y).integers == [most, most])
    #expect(try evaluated(Min(), x, y).integers == [2, 3])
    var shift = BitShift()
    shift.direction = .right
    #expect(try evaluated(shift, x, integers(.uint64, [60, 1])).integers == [15, 1])
    #expect(try evaluated(ReduceMax(), x).integers == [most])
    #expect(try evaluated(ArgMax(), y).integers == [1])
    #expect(try evaluated(Clip(), x, nil, integers(.uint64, [5], [])).integers == [5, 3])
    #expect(try evaluated(Sign(), x).integers == [1, 1])
  }

  @Test func shiftsPastTheWidthLeaveOnlyTheFill() throws {
    let x = try integers(.int8, [-3, 5, 1, -1])
    let y = try integers(.int8, [9, 8, -1, 127])
    var shift = BitShift()
    shift.direction = .right
    #expect(try evaluated(shift, x, y).integers == [-1, 0, 0, -1])
    shift.direction = .left
    #expect(try evaluated(shift, x, y).integers == [0, 0, 0, 0])
    #expect(try evaluated(shift, integers(.int8, [3]), integers(.int8, [6])).integers == [-64])
  }

  @Test func flooredAndTruncatedRemaindersDifferInSign() throws {
    let x = try floats(.float64, [-7, 7, -0.5, 6])
    let y = try floats(.float64, [3, -3, .infinity, -3])
    var mod = Mod()
    #expect(try evaluated(mod, x, y).doubles == [2, -2, .infinity, 0])
    mod.usesTruncation = true
    #expect(try evaluated(mod, x, y).doubles == [-1, 1, -0.5, 0])
  }

  @Test func powersKeepTheTypeOfTheBase() throws {
    let base = try integers(.int32, [2, -1, 3, 0])
    let exponent = try integers(.int64, [31, -3, -1, 0])
    let power = try evaluated(Pow(), base, exponent)
    #expect(power.element == .int32)
    #expect(power.integers == [-2_147_483_648, -1, 0, 1])
    #expect(try evaluated(Pow(), base, floats(.float32, [0.5])).integers[0] == 1)
  }

  @Test func nanWinsInExtremesAndLosesInComparisons() throws {
    let x = try floats(.float32, [.nan, 1])
    let y = try floats(.float32, [0, .nan])
    #expect(try evaluated(Max(), x, y).doubles.allSatisfy(\.isNaN))
    #expect(try evaluated(Min(), y, x).doubles.allSatisfy(\.isNaN))
    #expect(try evaluated(Equal(), x, x).booleans == [false, true])
    #expect(try evaluated(LessOrEqual(), x, y).booleans == [false, false])
    #expect(try evaluated(ReduceMax(), x).doubles[0].isNaN)
    #expect(try evaluated(Relu(), x).doubles[0].isNaN)
    #expect(try evaluated(ArgMin(), x).integers == [0])
  }

  @Test func operandsOfDifferentTypesAreRefused() throws {
    let x = try floats(.float32, [1])
    let y = try integers(.int32, [1])
    #expect(throws: RunError(.type(.element(input: 1, .int32)))) { try evaluated(Add(), x, y) }
    #expect(throws: TypeError(.element(input: 1, .int32))) { try inferred(Add(), x, y) }
  }

  @Test func aBroadcastTooLargeIsALimit() throws {
    let side = 1 << 15
    let row = try integers(.int8, Array(repeating: 1, count: side), [1, side])
    let column = try integers(.int8, Array(repeating: 1, count: side), [side, 1])
    #expect(throws: RunError(.limit("\(1 << 28) elements in a tensor"))) {
      try evaluated(Add(), row, column)
    }
  }

  @Test func stringsAreEqualByBytes() throws {
    let equal = try evaluated(Equal(), texts(["a", "b"]), texts(["a"]))
    #expect(equal.booleans == [true, false])
  }
}
