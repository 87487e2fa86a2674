import Testing
import WherryBytes
import WherryGraph

@testable import WherryOperators

/// Runs one operator on float32 tensors; further kinds of input are given as values.
private func run(
  _ operation: any Operator, _ inputs: [Value?], outputs: Int = 1
) throws -> [Tensor?] {
  let call = OperatorCall(
    inputs: inputs, wanted: Array(repeating: true, count: outputs),
    runGraph: { (_, _) throws(RunError) in [] })
  return try operation.evaluate(call).map { $0?.tensor }
}

private func floats(_ shape: [Int], _ values: [Double]) throws -> Value {
  .tensor(try #require(Tensor(.float32, shape, doubles: values)))
}

/// Reproducible numbers that are exact in float32.
private func numbers(_ shape: [Int], seed: UInt64 = 1) throws -> Value {
  var state = seed
  let values = (0..<shape.reduce(1, *)).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1
    return Double(Int(state >> 60)) - 8
  }
  return try floats(shape, values)
}

@Suite struct NetworkOperatorTests {
  @Test func convolutionEqualsItsDefinition() throws {
    var conv = Conv()
    (conv.group, conv.strides, conv.dilations, conv.pads) = (2, [2, 1], [1, 2], [1, 0, 2, 3])
    let (x, w) = (try numbers([2, 4, 7, 70]), try numbers([6, 2, 3, 2], seed: 2))
    let y = try #require(try run(conv, [x, w])[0])
    #expect(y.shape == [2, 6, 4, 71])
    let (input, weights) = (try #require(x.tensor).doubles, try #require(w.tensor).doubles)
    var expected: [Double] = []
    for place in 0..<y.count {
      let (image, filter) = (place / (6 * 4 * 71), place / (4 * 71) % 6)
      let (row, column) = (place / 71 % 4, place % 71)
      var sum = 0.0
      for tap in 0..<12 {
        let (channel, down, right) = (tap / 6, tap / 2 % 3, tap % 2)
        let (h, v) = (column + right * 2, row * 2 + down - 1)
        guard v >= 0, v < 7, h < 70 else { continue }
        let plane = image * 4 + filter / 3 * 2 + channel
        sum += input[(plane * 7 + v) * 70 + h] * weights[filter * 12 + tap]
      }
      expected.append(sum)
    }
    #expect(y.doubles == expected)
  }

  @Test func transposedConvolutionIsTheAdjointOfConvolution() throws {
    // <conv(x), y> = <x, convᵀ(y)> for integers, exactly.
    var (conv, transpose) = (Conv(), ConvTranspose())
    (conv.group, conv.strides, conv.pads) = (2, [2, 3], [1, 0, 1, 2])
    (transpose.group, transpose.strides, transpose.pads) = (2, [2, 3], [1, 0, 1, 2])
    let (x, w) = (try numbers([1, 4, 7, 8]), try numbers([6, 2, 3, 4], seed: 3))
    let forward = try #require(try run(conv, [x, w])[0])
    let y = try numbers(forward.shape, seed: 4)
    let back = try #require(try run(transpose, [y, w])[0])
    #expect(back.shape == [1, 4, 7, 8])
    func dot(_ a: Tensor?, _ b: Tensor?) -> Double {
      zip(a?.doubles ?? [], b?.doubles ?? []).reduce(0) { $0 + $1.0 * $1.1 }
    }
    #expect(dot(forward, y.tensor) == dot(x.tensor, back))
  }

  @Test func lastWindowThatStartsInThePaddingIsDropped() throws {
    var pool = MaxPool()
    (pool.kernelShape, pool.strides, pool.pads, pool.ceilMode) = ([1], [2], [0, 1], true)
    let y = try #require(try run(pool, [floats([1, 1, 4], [1, 2, 3, 4])])[0])
    #expect(y.doubles == [1, 3])
  }

  @Test func reversedLayerStartsAtTheEndOfItsOwnSequence() throws {
    // h' = x + h sums the steps seen so far.
    var rnn = RNN()
    (rnn.direction, rnn.activations) = (.reverse, ["Affine"])
    let x = try floats([3, 2, 1], [1, 10, 2, 20, 4, 40])
    let one = try floats([1, 1, 1], [1])
    let lengths = Value.tensor(try #require(Tensor(.int32, [2], integers: [3, 2])))
    let results = try run(rnn, [x, one, one, nil, lengths], outputs: 2)
    #expect(results[0]?.doubles == [7, 30, 6, 20, 4, 0])
    #expect(results[1]?.doubles == [7, 30])
  }

  @Test func queryThatSeesNoKeyGivesZeros() throws {
    var attention = Attention()
    attention.isCausal = true
    let mask = Value.tensor(try #require(Tensor([2, 2], booleans: [false, true, true, true])))
    let (q, v) = (try numbers([1, 1, 2, 4]), try floats([1, 1, 2, 1], [3, 5]))
    let y = try #require(try run(attention, [q, q, v, mask], outputs: 4)[0])
    #expect(y.doubles[0] == 0)
    #expect(y.doubles[1] >= 3 && y.doubles[1] <= 5)
  }

  @Test func nearestResizeKeepsStrings() throws {
    var resize = Resize()
    resize.coordinateTransformationMode = .asymmetric
    resize.nearestMode = .floor
    let words = ["a", "b"].map { Bytes($0.utf8) }
    let x = Value.tensor(try #require(Tensor([2], strings: words)))
    let y = try run(resize, [x, nil, floats([1], [2])])[0]
    #expect(y?.strings.compactMap(\.text) == ["a", "a", "b", "b"])
  }
}

/// Attributes and values that no honest model has.
@Suite struct HostileNetworkTests {
  @Test func windowLargerThanItsInputIsRefused() throws {
    var pool = AveragePool()
    pool.kernelShape = [5]
    #expect(throws: RunError.self) { try run(pool, [numbers([1, 1, 4])]) }
  }

  @Test(arguments: [Int.max, Int.min, 0, -1]) func absurdStrideIsAnAttributeError(_ stride: Int)
    throws
  {
    var pool = MaxPool()
    (pool.kernelShape, pool.strides) = ([1], [stride])
    do {
      _ = try run(pool, [numbers([1, 1, 4])])
      Issue.record("stride \(stride) is taken")
    } catch let error as RunError {
      guard case .type(.attribute("strides", _)) = error.reason else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func hugeOutputIsALimitNotAnAllocation() throws {
    var resize = Resize()
    resize.mode = .linear
    do {
      _ = try run(resize, [numbers([4]), nil, floats([1], [1e9])])
      Issue.record("four billion elements are made")
    } catch let error as RunError {
      guard case .limit = error.reason else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func branchesThatGoInACircleEnd() throws {
    let node = TreeForest.Node(
      test: .less, feature: 0, split: 1, missingTracksTrue: false, onTrue: .node(0),
      onFalse: .leaf(0))
    let forest = TreeForest(nodes: [node], leaves: [[]], roots: [.node(0)])
    #expect(throws: RunError.self) { try forest.leaf(from: .node(0), [0.0]) }
    #expect(try forest.leaf(from: .node(0), [2.0]).isEmpty)
  }

  @Test func poolIndexOutsideItsOutputIsRefused() throws {
    var unpool = MaxUnpool()
    unpool.kernelShape = [2]
    let index = Value.tensor(try #require(Tensor(.int64, [1, 1, 1], integers: [2])))
    #expect(throws: RunError(.badValue("index 2 is outside [1, 1, 2]"))) {
      try run(unpool, [numbers([1, 1, 1]), index])
    }
  }
}
