import CWherryABI
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

private func constant(_ shape: [Int], _ value: Float = 1) throws -> Tensor {
  let count = shape.reduce(1, *)
  return try #require(
    Tensor(.float32, shape, elements: (0..<count).map { value + Float($0 % 5) }))
}

private func model(
  _ nodes: [Node], inputs: [(String, [Int])], outputs: [String] = ["y"],
  _ constants: [(String, Tensor)] = []
) -> Model {
  Model(
    graph: Graph(
      nodes: nodes,
      inputs: inputs.map { ValueInfo($0.0, .tensor(.float32, Shape(fixed: $0.1))) },
      outputs: outputs.map { ValueInfo($0, .tensor(.float32, nil)) },
      initializers: constants.map { Initializer($0.0, $0.1) }))
}

private func joined(_ axis: Int, _ names: [String]) -> Node {
  var concat = Concat()
  concat.axis = axis
  return Node(concat, inputs: names, outputs: ["y"])
}

private func kernels(_ plan: Plan) -> [String] { plan.operations.map(\.step.kernel) }

@Suite struct FusePadTests {
  private func padded(
    _ pads: [Int64], by value: Float = 0, before operation: any Operator
  ) throws -> Model {
    let amounts = try #require(Tensor(.int64, [pads.count], integers: pads))
    let number = try #require(Tensor(.float32, [], elements: [value]))
    return model(
      [
        Node(Pad(), inputs: ["x", "p", "v"], outputs: ["h"]),
        Node(
          operation, inputs: operation is Conv ? ["h", "w"] : ["h"], outputs: ["y"]),
      ], inputs: [("x", [1, 2, 5, 6])],
      [("p", amounts), ("v", number), ("w", try constant([3, 2, 3, 3]))])
  }

  private func same(_ a: Model, _ b: Model) throws -> Bool {
    let x = Value.tensor(try constant([1, 2, 5, 6], -2))
    let (one, two) = (
      try ReferenceEvaluator(a).run(["x": x]), try ReferenceEvaluator(b).run(["x": x])
    )
    return one["y"]?.tensor?.doubles == two["y"]?.tensor?.doubles
      && one["y"]?.tensor?.shape == two["y"]?.tensor?.shape
  }

  @Test func unequalPaddingGoesIntoAConvolution() throws {
    var conv = Conv()
    conv.pads = [1, 0, 0, 2]
    let before = try padded([0, 0, 1, 2, 0, 0, 0, 1], before: conv)
    var after = before
    #expect(try FusePad.run(&after) == 1)
    #expect((after.graph.nodes.first?.operation as? Conv)?.pads == [2, 2, 0, 3])
    #expect(after.graph.nodes.count == 1)
    #expect(try same(before, after))
  }

  @Test func anAveragePoolThenCountsThePadding() throws {
    var pool = AveragePool()
    pool.kernelShape = [2, 3]
    let before = try padded([0, 0, 1, 1, 0, 0, 1, 0], before: pool)
    var after = before
    #expect(try FusePad.run(&after) == 1)
    #expect(try same(before, after))
  }

  @Test func paddingOfChannelsOrByANumberStays() throws {
    var model = try padded([0, 1, 0, 0, 0, 0, 0, 0], before: AveragePool())
    #expect(try FusePad.run(&model) == 0)
    model = try padded([0, 0, 1, 1, 0, 0, 1, 1], by: 3, before: Conv())
    #expect(try FusePad.run(&model) == 0)
    model = try padded([0, 0, -1, 1, 0, 0, 1, 1], before: Conv())
    #expect(try FusePad.run(&model) == 0)
  }

  @Test func aPoolThatLeavesItsOwnPaddingOutKeepsThePad() throws {
    var pool = AveragePool()
    (pool.kernelShape, pool.pads) = ([3, 3], [1, 1, 1, 1])
    var model = try padded([0, 0, 1, 1, 0, 0, 1, 1], before: pool)
    #expect(try FusePad.run(&model) == 0)
  }
}

@Suite struct ConcatenateByOffsetTests {
  private let sums = [
    Node(Add(), inputs: ["a", "b"], outputs: ["s"]),
    Node(Sub(), inputs: ["a", "b"], outputs: ["d"]),
  ]

  @Test func partsAreComputedWhereTheyAreWanted() throws {
    let plan = try model(
      sums + [joined(0, ["s", "d"])], inputs: [("a", [16, 4]), ("b", [16, 4])]
    ).compiled()
    #expect(kernels(plan) == ["Binary", "Binary"])
    let places = plan.operations.map { plan.tensors[$0.outputs[0] ?? 0].place }
    guard case .arena(let whole) = plan.tensors[plan.outputs[0]].place else { return }
    #expect(places == [.arena(whole), .arena(whole + 256)])
    #expect(plan.changes[.concatenateByOffset] == 2)
  }

  @Test func withoutThePassTheCopiesAreMade() throws {
    let plan = try model(
      sums + [joined(0, ["s", "d"])], inputs: [("a", [16, 4]), ("b", [16, 4])]
    ).compiled(without: ["concatenate-by-offset"])
    #expect(kernels(plan) == ["Binary", "Binary", "Move", "Move"])
  }

  @Test func aPartThatWouldNotBeAlignedIsCopied() throws {
    let plan = try model(
      sums + [joined(0, ["s", "d"])], inputs: [("a", [3, 5]), ("b", [3, 5])]
    ).compiled()
    #expect(kernels(plan) == ["Binary", "Binary", "Move"])
  }

  @Test func inputsAndColumnsAreCopied() throws {
    let inputs = [("a", [16, 4]), ("b", [16, 4])]
    #expect(
      kernels(try model([joined(0, ["a", "b"])], inputs: inputs).compiled()) == ["Move", "Move"])
    #expect(
      kernels(try model(sums + [joined(1, ["s", "d"])], inputs: inputs).compiled())
        == ["Binary", "Binary", "Move", "Move"])
  }

  @Test func aPartThatIsAnOutputKeepsItsOwnMemory() throws {
    let plan = try model(
      sums + [joined(0, ["s", "d"])], inputs: [("a", [16, 4]), ("b", [16, 4])], outputs: ["y", "s"]
    ).compiled()
    #expect(kernels(plan) == ["Binary", "Binary", "Move"])
  }
}

@Suite struct PassListTests {
  @Test func everyPassHasANameOfItsOwn() {
    #expect(Set(PassList.names).count == PassList.names.count)
    #expect(PassList.names.count > 10)
  }

  @Test func aSkippedPassDoesNotRun() throws {
    let relu = model(
      [
        Node(Add(), inputs: ["a", "b"], outputs: ["s"]),
        Node(Identity(), inputs: ["s"], outputs: ["i"]),
        Node(Relu(), inputs: ["i"], outputs: ["y"]),
      ], inputs: [("a", [4]), ("b", [4])])
    #expect(kernels(try relu.compiled()) == ["Binary"])
    #expect(kernels(try relu.compiled(without: ["fuse-activation"])) == ["Binary", "Unary"])
    var seen: [String] = []
    let prepared = try relu.prepared(without: ["remove-identity"]) { change, _ in
      seen.append(change.name)
    }
    #expect(prepared.graph.nodes.count == 3 && !seen.contains("remove-identity"))
    #expect(seen.contains("fold-constants"))
  }
}
