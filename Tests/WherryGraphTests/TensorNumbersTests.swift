import Testing
import WherryBytes
import WherryGraph

@Suite struct TensorNumbersTests {
  @Test func subByteElementsFillTheirByteFromBelow() throws {
    let nibbles = try #require(Tensor(.int4, [3], integers: [-8, 7, -1]))
    #expect(nibbles.bytes.array == [0x78, 0x0f])
    #expect(nibbles.integers == [-8, 7, -1])
    let pairs = try #require(Tensor(.uint2, [5], integers: [3, 2, 1, 0, 3]))
    #expect(pairs.bytes.array == [0b0001_1011, 0b11])
    #expect(pairs.integers == [3, 2, 1, 0, 3])
    let signed = try #require(Tensor(.int2, [4], integers: [-2, -1, 0, 1]))
    #expect(signed.integers == [-2, -1, 0, 1])
  }

  @Test func realNumbersSaturateAndRoundHalfToEvenInIntegers() throws {
    let bytes = try #require(Tensor(.int8, [6], doubles: [2.5, 3.5, 1e300, -1e300, .nan, -0.5]))
    #expect(bytes.integers == [2, 4, 127, -128, 0, 0])
    let words = try #require(Tensor(.uint64, [3], doubles: [1e30, -1, 3]))
    #expect(words.integers.map { UInt64(bitPattern: $0) } == [.max, 0, 3])
    let large = try #require(Tensor(.int64, [2], doubles: [.infinity, -.infinity]))
    #expect(large.integers == [.max, .min])
  }

  @Test func countsThatDoNotFitTheShapeAreRefused() {
    #expect(Tensor(.float32, [2], elements: [Float(1)]) == nil)
    #expect(Tensor(.float32, [-1], bytes: Bytes()) == nil)
    #expect(Tensor(.float32, [1 << 40, 1 << 40], bytes: Bytes()) == nil)
    #expect(Tensor([2], strings: [Bytes()]) == nil)
    #expect(Tensor(.float32, [0, 3], bytes: Bytes()) != nil)
  }

  @Test func everyNumericTypeKeepsSmallIntegers() throws {
    for element in ElementType.allCases where element != .string && element != .float8e8m0 {
      let numbers = element.isComplex ? [1.0, 0, 0, 1] : [0, 1]
      let tensor = try #require(Tensor(element, [2], doubles: numbers), "\(element)")
      #expect(tensor.doubles == numbers, "\(element)")
    }
    let powers = try #require(Tensor(.float8e8m0, [3], doubles: [1, 4, 0.5]))
    #expect(powers.doubles == [1, 4, 0.5])
  }

  @Test func sparseIndicesOutsideTheShapeAreRefused() throws {
    let values = try #require(Tensor(.float32, [2], elements: [Float(1), 2]))
    func dense(_ shape: [Int], _ indices: Tensor?) throws -> Tensor {
      try SparseTensor(shape: shape, values: values, indices: try #require(indices)).dense()
    }
    #expect(try dense([4], Tensor(.int64, [2], integers: [3, 1])).doubles == [0, 2, 0, 1])
    #expect(
      try dense([2, 2], Tensor(.int64, [2, 2], integers: [0, 1, 1, 0])).doubles == [0, 1, 2, 0])
    #expect(throws: RunError.self) { try dense([4], Tensor(.int64, [2], integers: [4, 1])) }
    #expect(throws: RunError.self) { try dense([4], Tensor(.int64, [2], integers: [-1, 1])) }
    #expect(throws: RunError.self) { try dense([4], Tensor(.float32, [2, 1], doubles: [0, 1])) }
    #expect(throws: RunError.self) {
      try dense([1 << 40, 1 << 20], Tensor(.int64, [2], integers: [3, 1]))
    }
  }
}
