import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@Suite struct TensorMovementTests {
  typealias Calls = TensorOperatorCalls

  /// Every element type, moved by its bit pattern: element `i` of a permuted tensor is the one it was.
  @Test(arguments: ElementType.allCases.filter { $0 != .string && $0.rawValue <= 26 })
  func transposingKeepsTheBitsOfEveryElementType(_ element: ElementType) throws {
    let size = try #require(element.byteCount(of: 6))
    // Patterns that include NaNs, infinities and sub-byte values with every bit set.
    let pattern = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 89 &+ 0x7f) }
    let last =
      element.bitWidth < 8 ? UInt8(truncatingIfNeeded: 1 << (6 * element.bitWidth % 8)) &- 1 : 255
    let bytes = pattern.dropLast() + [last == 0 ? pattern[size - 1] : pattern[size - 1] & last]
    let tensor = try #require(Tensor(element, [2, 3], bytes: Bytes(bytes)))
    let there = try Calls.run(Transpose(), [tensor])
    #expect(there[0].shape == [3, 2])
    #expect(there[0] != tensor.reshaped([3, 2]) || Set(bytes).count == 1)
    #expect(try Calls.run(Transpose(), there) == [tensor])
  }

  @Test func fourBitElementsAreMovedOneByOne() throws {
    let tensor = try #require(Calls.integers([-8, 7, 1, 2, 3, -1], [2, 3], .int4))
    let moved = try Calls.run(Transpose(), [tensor])
    #expect(moved[0].integers == [-8, 2, 7, 3, 1, -1])
    let padded = try Calls.run(
      Pad(), [tensor, Calls.integers([0, 1, 0, 0]), Calls.integers([5], [], .int4)])
    #expect(padded[0].shape == [2, 4])
    #expect(padded[0].integers == [5, -8, 7, 1, 5, 2, 3, -1])
  }

  @Test func signalingNaNsKeepTheirPayload() throws {
    let patterns: [UInt32] = [0x7fa0_1234, 0xffc0_0001, 0x8000_0000, 0x7f80_0001]
    let tensor = try #require(Tensor(.float32, [4], elements: patterns))
    let chosen = try Calls.run(Gather(), [tensor, Calls.integers([3, 0, -2, 1])])
    let expected = [patterns[3], patterns[0], patterns[2], patterns[1]]
    #expect(chosen[0] == Tensor(.float32, [4], elements: expected))
    let condition = Tensor([4], booleans: [true, false, true, false])
    #expect(try Calls.run(Where(), [condition, tensor, tensor]) == [tensor])
    let scattered = try Calls.run(
      ScatterND(), [chosen[0], Calls.integers([0, 1, 2, 3], [4, 1]), tensor])
    #expect(scattered == [tensor])
  }

  @Test func stringsMoveLikeNumbers() throws {
    let tensor = try #require(Calls.strings(["a", "b", "", "d", "e", "f"], [2, 3]))
    let sliced = try Calls.run(
      SliceOperator(),
      [
        tensor, Calls.integers([-1]), Calls.integers([.min]), Calls.integers([1]),
        Calls.integers([-2]),
      ])
    #expect(sliced == [Calls.strings(["", "a", "f", "d"], [2, 2])])
    let padded = try Calls.run(
      Pad().with(\.mode, .reflect), [tensor, Calls.integers([0, 2, 0, 1])])
    #expect(padded[0].strings.compactMap(\.text).joined(separator: ",") == ",b,a,b,,b,f,e,d,e,f,e")
    let unique = try Calls.run(Unique(), [Calls.strings(["b", "a", "b"])], outputs: 4)
    #expect(unique[0] == Calls.strings(["a", "b"]))
    #expect(unique[2].integers == [1, 0, 1])
  }

  @Test func reshapingSharesTheContents() throws {
    let tensor = try #require(Calls.integers(Array(0..<12), [3, 4]))
    let operators: [(any Operator, Tensor?)] = [
      (Reshape(), Calls.integers([2, -1])), (Flatten(), nil),
      (Unsqueeze(), Calls.integers([0, -1])),
      (Squeeze(), nil), (Identity(), nil),
    ]
    for (operation, shape) in operators {
      let result = try Calls.run(operation, shape == nil ? [tensor] : [tensor, shape])
      #expect(result[0].bytes.store === tensor.bytes.store, "\(operation.name)")
    }
  }

  @Test func paddingCutsBeforeItPads() throws {
    let tensor = try #require(Calls.integers([1, 2, 3, 4, 5]))
    for (mode, expected): (PadMode, [Int64]) in [
      (.constant, [0, 0, 0, 1, 2, 3]), (.edge, [1, 1, 1, 1, 2, 3]), (.reflect, [2, 3, 2, 1, 2, 3]),
      (.wrap, [1, 2, 3, 1, 2, 3]),
    ] {
      let result = try Calls.run(Pad().with(\.mode, mode), [tensor, Calls.integers([3, -2])])
      #expect(result[0].integers == expected, "\(mode)")
    }
  }

  @Test func reductionsOfScatteredIntegersAreExactAndWrap() throws {
    let largest = try #require(Calls.integers([.max, -1, 0], [3], .uint64))
    let indices = try #require(Calls.integers([0, 1, 2]))
    let updates = try #require(Calls.integers([1, 1, -1], [3], .uint64))
    func scatter(_ reduction: ScatterReduction) throws -> [UInt64] {
      let operation = ScatterElements().with(\.reduction, reduction)
      return try Calls.run(operation, [largest, indices, updates])[0].integers.map {
        UInt64(bitPattern: $0)
      }
    }
    #expect(try scatter(.add) == [1 << 63, 0, .max])
    #expect(try scatter(.max) == [UInt64(Int64.max), .max, .max])
    #expect(try scatter(.min) == [1, 1, 0])
    #expect(try scatter(.mul) == [UInt64(Int64.max), .max, 0])
  }

  @Test func largestElementsOrderNaNFirstAndTiesByPosition() throws {
    let tensor = try #require(
      Tensor(.float32, [5], elements: [1, Float.nan, 3, 3, -Float.infinity]))
    let top = try Calls.run(TopK(), [tensor, Calls.integers([3])], outputs: 2)
    #expect(top[1].integers == [1, 2, 3])
    let bottom = try Calls.run(
      TopK().with(\.largest, false), [tensor, Calls.integers([3])], outputs: 2)
    #expect(bottom[1].integers == [4, 0, 2])
  }

  @Test func rangesOfIntegersDoNotLosePrecision() throws {
    let start = Int64.max - 2
    let result = try Calls.run(
      RangeOperator(),
      [Calls.integers([start], []), Calls.integers([.max], []), Calls.integers([1], [])])
    #expect(result[0].integers == [start, start + 1])
    let whole = try Calls.run(
      RangeOperator(),
      [Calls.integers([.min], []), Calls.integers([.max], []), Calls.integers([1 << 62], [])])
    #expect(whole[0].integers == [.min, -(1 << 62), 0, 1 << 62])
  }

  @Test func stringsSplitAtWhitespaceAndDelimiters() throws {
    let tensor = try #require(Calls.strings([" a  b c ", ""]))
    let words = try Calls.run(StringSplit(), [tensor], outputs: 2)
    #expect(words[0] == Calls.strings(["a", "b", "c", "", "", ""], [2, 3]))
    #expect(words[1].integers == [3, 0])
    let once = try Calls.run(
      StringSplit().with(\.delimiter, Bytes("é".utf8)).with(\.maxsplit, 1),
      [Calls.strings(["aébéc"])], outputs: 2)
    #expect(once[0] == Calls.strings(["a", "béc"], [1, 2]))
  }
}
