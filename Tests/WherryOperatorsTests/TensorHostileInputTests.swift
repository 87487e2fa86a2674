import Testing
import WherryBytes
import WherryGraph
import WherryOperators

/// Values that a hostile model can feed: each is refused with a reason, none traps or takes memory.
@Suite struct TensorHostileInputTests {
  typealias Calls = TensorOperatorCalls

  private static let extremes: [Int64] = [
    .min, .min + 1, -(1 << 40), -1, 1 << 31, 1 << 40, 1 << 62, .max,
  ]

  private static func isLimit(_ reason: RunError.Reason?) -> Bool {
    switch reason {
    case .limit, .type: true
    default: false
    }
  }

  @Test(arguments: extremes) func extremeExtentsAreRefused(_ extent: Int64) throws {
    let shape = Calls.integers([extent, 3])
    let one = try #require(Tensor(.float64, [1, 1], doubles: [1]))
    #expect(Self.isLimit(Calls.refusal(ConstantOfShape(), [shape])))
    #expect(Self.isLimit(Calls.refusal(Expand(), [one, shape])))
    #expect(Self.isLimit(Calls.refusal(Tile(), [one, shape])))
    #expect(Self.isLimit(Calls.refusal(CenterCropPad(), [one, shape])))
    if extent != -1 { #expect(Calls.refusal(Reshape(), [one, shape]) != nil) }
    if extent != -1 {
      #expect(Self.isLimit(Calls.refusal(Pad(), [one, Calls.integers([0, 0, extent, 3])])))
    }
    #expect(
      Self.isLimit(Calls.refusal(Pad(), [one, Calls.integers([extent, extent, extent, .max])])))
    let depth = Calls.integers([extent], [])
    let values = Tensor(.float64, [2], doubles: [0, 1])
    if extent >= 0 {
      #expect(Self.isLimit(Calls.refusal(OneHot(), [Calls.integers([0, 1]), depth, values])))
      let (zero, step) = (Calls.integers([0], []), Calls.integers([1], []))
      #expect(Self.isLimit(Calls.refusal(RangeOperator(), [zero, depth, step])))
    }
    #expect(Self.isLimit(Calls.refusal(TopK(), [one, Calls.integers([extent])], outputs: 2)))
    #expect(
      Self.isLimit(Calls.refusal(Split(), [one, Calls.integers([extent, extent])], outputs: 2)))
    #expect(Self.isLimit(Calls.refusal(SplitToSequence(), [one, Calls.integers([extent, 1])])))
  }

  @Test(arguments: extremes) func extremeIndicesAreRefused(_ index: Int64) throws {
    let data = try #require(Calls.integers(Array(0..<6), [2, 3]))
    guard index != -1 else { return }
    #expect(Calls.refusal(Gather(), [data, Calls.integers([index])]) != nil)
    #expect(Calls.refusal(GatherElements(), [data, Calls.integers([index], [1, 1])]) != nil)
    #expect(Calls.refusal(GatherND(), [data, Calls.integers([0, index], [1, 2])]) != nil)
    #expect(
      Calls.refusal(ScatterND(), [data, Calls.integers([index, 0], [1, 2]), Calls.integers([1])])
        != nil)
    let update = Calls.integers([1], [1, 1])
    #expect(
      Calls.refusal(ScatterElements(), [data, Calls.integers([index], [1, 1]), update]) != nil)
    #expect(Calls.refusal(ReverseSequence(), [data, Calls.integers([index, 0, 0])]) != nil)
    let cache = try #require(Tensor(.float32, [1, 2, 1], doubles: [0, 0]))
    let line = Tensor(.float32, [1, 1, 1], doubles: [1])
    #expect(Calls.refusal(TensorScatter(), [cache, line, Calls.integers([index])]) != nil)
    for axes in [[index], [0, 0]] {
      #expect(Calls.refusal(Squeeze(), [data, Calls.integers(axes)]) != nil)
      #expect(Calls.refusal(Unsqueeze(), [data, Calls.integers(axes)]) != nil)
    }
    #expect(Calls.refusal(Concat().with(\.axis, Int(index)), [data, data]) != nil)
    #expect(Calls.refusal(Flatten().with(\.axis, Int(index)), [data]) != nil)
  }

  /// Slices and diagonals take any number, as numpy does.
  @Test(arguments: extremes) func extremeSlicesAndDiagonalsAreEmptyOrWhole(_ bound: Int64) throws {
    let data = try #require(Calls.integers(Array(0..<6), [2, 3]))
    for other in Self.extremes where other != 0 {
      let result = try Calls.run(
        SliceOperator(),
        [
          data, Calls.integers([bound]), Calls.integers([other]), Calls.integers([1]),
          Calls.integers([other]),
        ])
      #expect(result[0].shape[0] == 2 && result[0].shape[1] <= 3)
    }
    guard bound != -1 else { return }
    let upper = try Calls.run(Trilu(), [data, Calls.integers([bound], [])])
    #expect(upper[0].integers == (bound < 0 ? data.integers : Array(repeating: 0, count: 6)))
    let eye = try Calls.run(EyeLike().with(\.k, Int(bound)), [data])
    #expect(eye[0].integers.allSatisfy { $0 == 0 })
  }

  @Test func emptyTensorsPassThrough() throws {
    let empty = try #require(Calls.integers([], [0, 3]))
    #expect(try Calls.run(Transpose(), [empty])[0].shape == [3, 0])
    #expect(try Calls.run(Concat(), [empty, empty])[0].shape == [0, 3])
    #expect(try Calls.run(Tile(), [empty, Calls.integers([5, 2])])[0].shape == [0, 6])
    #expect(try Calls.run(NonZero(), [empty])[0].shape == [2, 0])
    #expect(try Calls.run(Unique(), [empty], outputs: 4)[0].shape == [0])
    #expect(try Calls.run(Reshape(), [empty, Calls.integers([-1, 3])])[0].shape == [0, 3])
    #expect(try Calls.run(Pad(), [empty, Calls.integers([1, 0, 0, 0])])[0].integers == [0, 0, 0])
    #expect(try Calls.run(TopK(), [empty, Calls.integers([2])], outputs: 2)[0].shape == [0, 2])
    #expect(
      Calls.refusal(Pad().with(\.mode, .edge), [empty, Calls.integers([1, 0, 0, 0])]) != nil)
    #expect(Calls.refusal(Gather(), [empty, Calls.integers([0])]) != nil)
  }

  /// An extent may be huge as long as another one is 0.
  @Test func hugeExtentsOfEmptyTensorsCostNothing() throws {
    let huge = 1 << 61
    let matrix = try #require(Tensor(.float32, [huge, 0], bytes: Bytes()))
    #expect(try Calls.run(EyeLike(), [matrix])[0].shape == [huge, 0])
    #expect(try Calls.run(Transpose(), [matrix])[0].shape == [0, huge])
    #expect(try Calls.run(NonZero(), [matrix])[0].shape == [2, 0])
    #expect(try Calls.run(Trilu(), [matrix])[0].shape == [huge, 0])
    #expect(Calls.refusal(Unique().with(\.axis, 0), [matrix], outputs: 4) != nil)
    #expect(Calls.refusal(SplitToSequence(), [matrix]) != nil)
    #expect(Calls.refusal(SplitToSequence(), [matrix, Calls.integers([1], [])]) != nil)
    let times = try #require(matrix.reshaped([huge, 1, 0]))
    let reversed = try Calls.run(ReverseSequence(), [times, Calls.integers([Int64(huge)])])
    #expect(reversed[0].shape == [huge, 1, 0])
    // Inference sees such extents in declared types, which cost nothing at all.
    let declared = ValueType.tensor(.int64, Shape([.fixed(.max)]))
    for operation: any Operator in [
      Reshape(), Expand(), Tile(), SliceOperator(), ConstantOfShape(), SplitToSequence(), Split(),
      Pad(),
      Squeeze(), Unsqueeze(), CenterCropPad(), TopK(), Concat(), OneHot(), Flatten(),
      ShapeOperator(),
    ] {
      let inputs = Array(repeating: (type: Optional(declared), content: Tensor?.none), count: 3)
      _ = try? Calls.infer(operation, inputs, outputs: 2)
    }
  }

  @Test func theLimitOfACallHoldsForEveryOutput() throws {
    var limits = EvaluationLimits()
    limits.elements = 10
    let shape = Calls.integers([11])
    #expect(throws: RunError(.limit("10 elements of a tensor"))) {
      try Calls.run(ConstantOfShape(), [shape], limits: limits)
    }
    #expect(try Calls.run(ConstantOfShape(), [Calls.integers([10])], limits: limits)[0].count == 10)
  }
}
