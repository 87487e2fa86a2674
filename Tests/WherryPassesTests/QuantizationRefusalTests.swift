import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Scales that can't be computed with and sums that could leave 32 bits: refused with reason and place.
@Suite struct QuantizationRefusalTests {
  private static let useless: [Float] = [
    0, .leastNonzeroMagnitude, .leastNormalMagnitude / 2, .infinity, .nan, -1,
  ]

  /// What keeps a model of a first node that is fine and a second one under test from being compiled.
  private func problems(_ graph: QuantizedGraph, _ y: String) throws -> [CompileProblem] {
    let error = try #require(throws: CompileError.self) {
      try graph.model(y).compiled(without: Set(PassList.graphNames))
    }
    return error.problems
  }

  /// A map of 8-bit numbers that a node of its own made.
  private func start(_ graph: inout QuantizedGraph, _ shape: [Int]) -> String {
    graph.add(MaxPool.window1, [graph.input("x", shape, .int8)])
  }

  @Test(arguments: useless) func aScaleOfNoUseIsRefusedAtItsNode(scale: Float) throws {
    let operations: [(any Operator, scales: [Int])] = [
      (QLinearConv(), [1, 4, 6]), (QLinearAdd(), [1, 4, 6]), (QLinearMul(), [1, 4, 6]),
      (QLinearSub(), [1, 4, 6]),
    ]
    for (operation, places) in operations {
      for wrong in places {
        var graph = QuantizedGraph()
        let x = start(&graph, [1, 2, 3, 3])
        let fine = try graph.constant(Tensor(.float32, [], elements: [Float(0.1)]), "fine")
        let bad = try graph.constant(Tensor(.float32, [], elements: [scale]), "bad")
        let zero = try graph.constant(Tensor(.int8, [], integers: [3]), "zero")
        let weights = try graph.constant(
          Tensor(.int8, [2, 2, 1, 1], integers: [1, 2, 3, 4]), "weights")
        let isConv = operation is QLinearConv
        let none = try graph.constant(Tensor(.int8, [], integers: [0]), "none")
        let names: [String?] = (0..<8).map { place in
          switch place {
          case wrong: bad
          case 0: x
          case 1, 4, 6: fine
          case 3: isConv ? weights : x
          case 5: isConv ? none : zero
          default: zero
          }
        }
        let y = graph.add(operation, names)
        let found = try problems(graph, y)
        #expect(found.map(\.place.road.last) == [.indexed("node", 1, "n1")], "\(found)")
        guard case .invalid = found.first?.reason else {
          Issue.record("\(operation) input \(wrong): \(found)")
          continue
        }
      }
    }
  }

  /// Each scale is fine, but what the sums are multiplied by is not.
  @Test(arguments: [Float(1e-30), 1e30])
  func aFactorOutOfRangeIsRefusedAtItsNode(scale: Float) throws {
    var graph = QuantizedGraph()
    let x = start(&graph, [1, 1, 2, 2])
    let own = try graph.constant(Tensor(.float32, [], elements: [scale]), "own")
    let result = try graph.constant(Tensor(.float32, [], elements: [1 / scale]), "result")
    let zero = try graph.constant(Tensor(.int8, [], integers: [0]), "zero")
    let w = try graph.constant(Tensor(.int8, [1, 1, 1, 1], integers: [5]), "w")
    let y = graph.add(QLinearConv(), [x, own, zero, w, own, zero, result, zero])
    let found = try problems(graph, y)
    #expect(found.map(\.place.road.last) == [.indexed("node", 1, "n1")])
    guard case .invalid = found.first?.reason else {
      Issue.record("\(found)")
      return
    }
  }

  @Test func sumsThatCouldLeave32BitsAreRefusedAtTheirNode() throws {
    let expected = CompileProblem.Reason.unsupported("sums of channel 1 that may not fit int32")
    // A bias that leaves no room in one channel, and more weights than fit with none.
    for isBias in [true, false] {
      let depth = isBias ? 3 : 70_000
      var graph = QuantizedGraph()
      let x = graph.add(
        Reshape(),
        [
          graph.input("x", [1, depth, 1, 1], .int8),
          try graph.constant(Tensor(vector: [1, depth, 1, 1]), "shape"),
        ])
      let one = try graph.constant(Tensor(.float32, [], elements: [Float(1)]), "one")
      let zero = try graph.constant(Tensor(.int8, [], integers: [0]), "zero")
      let values = [Int64](repeating: 0, count: depth) + Array(repeating: 127, count: depth)
      let w = try graph.constant(Tensor(.int8, [2, depth, 1, 1], integers: values), "w")
      var inputs: [String?] = [x, one, zero, w, one, zero, one, zero]
      if isBias {
        inputs.append(
          try graph.constant(Tensor(.int32, [2], integers: [0, Int64(Int32.max) - 10]), "c"))
      }
      let y = graph.add(QLinearConv(), inputs)
      let found = try problems(graph, y)
      #expect(found.map(\.reason) == [expected])
      #expect(found.map(\.place.road.last) == [.indexed("node", 1, "n1")])
    }
  }
}

extension MaxPool {
  /// A window of one element.
  fileprivate static var window1: MaxPool {
    var pool = MaxPool()
    pool.kernelShape = [1, 1]
    return pool
  }
}
