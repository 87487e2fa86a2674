import CWherryABI
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

private func floats(_ shape: [Int]) throws -> Tensor {
  let count = shape.reduce(1, *)
  return try #require(
    Tensor(.float32, shape, elements: (0..<count).map { Float($0 % 7) - 3 }))
}

private func model(
  _ nodes: [Node], input: [Int], output: String = "y", _ constants: [(String, Tensor)] = []
) -> Model {
  Model(
    graph: Graph(
      nodes: nodes, inputs: [ValueInfo("x", .tensor(.float32, Shape(fixed: input)))],
      outputs: [ValueInfo(output, .tensor(.float32, nil))],
      initializers: constants.map { Initializer($0.0, $0.1) }))
}

private func kernels(_ plan: Plan) -> [String] { plan.operations.map(\.step.kernel) }

private func conv(pads: Int = 1) -> Conv {
  var conv = Conv()
  conv.pads = [pads, pads, pads, pads]
  return conv
}

@Test func aResidualBlockIsThreeConvolutionsBetweenTwoMoves() throws {
  let nodes = [
    Node(conv(), inputs: ["x", "w", "b"], outputs: ["h"]),
    Node(Relu(), inputs: ["h"], outputs: ["r"]),
    Node(conv(), inputs: ["r", "w2"], outputs: ["h2"]),
    Node(conv(), inputs: ["x", "w"], outputs: ["s"]),
    Node(Add(), inputs: ["h2", "s"], outputs: ["a"]), Node(Relu(), inputs: ["a"], outputs: ["y"]),
  ]
  let plan = try model(
    nodes, input: [1, 3, 8, 8],
    [("w", try floats([4, 3, 3, 3])), ("b", try floats([4])), ("w2", try floats([4, 4, 3, 3]))]
  ).compiled()
  #expect(kernels(plan) == ["Move", "Conv", "Conv", "Conv", "Move"])
  guard case .conv(let last) = plan.operations[3].step else { return }
  #expect(last.low == 0 && last.high == .infinity)
  #expect(plan.operations[3].inputs[3] != nil)
}

@Test func transposesThatCancelCostNothing() throws {
  var there = Transpose()
  there.perm = [0, 2, 3, 1]
  var back = Transpose()
  back.perm = [0, 3, 1, 2]
  let nodes = [
    Node(there, inputs: ["x"], outputs: ["t"]), Node(Relu(), inputs: ["t"], outputs: ["r"]),
    Node(back, inputs: ["r"], outputs: ["y"]),
  ]
  #expect(kernels(try model(nodes, input: [1, 3, 4, 5]).compiled()) == ["Unary"])
}

@Test func aMapOfOnePixelIsFlattenedWithoutAMove() throws {
  let nodes = [
    Node(conv(pads: 0), inputs: ["x", "w"], outputs: ["h"]),
    Node(Flatten(), inputs: ["h"], outputs: ["y"]),
  ]
  let plan = try model(nodes, input: [1, 1, 3, 3], [("w", try floats([5, 1, 3, 3]))]).compiled()
  #expect(kernels(plan) == ["Conv"])
}

@Test func batchNormalizationGoesIntoTheConvolution() throws {
  let ones = try #require(Tensor(.float32, [4], elements: [Float](repeating: 1, count: 4)))
  let nodes = [
    Node(conv(), inputs: ["x", "w"], outputs: ["h"]),
    Node(BatchNormalization(), inputs: ["h", "one", "m", "m", "one"], outputs: ["y"]),
  ]
  let plan = try model(
    nodes, input: [1, 3, 8, 8],
    [("w", try floats([4, 3, 3, 3])), ("one", ones), ("m", try floats([4]))]
  ).compiled()
  #expect(kernels(plan) == ["Move", "Conv", "Move"])
}

@Test func everythingUnsupportedIsReportedAtOnce() throws {
  let unknown = UnknownOperator(OperatorName("Mystery", domain: "a"), attributes: [])
  let nodes = [
    Node(unknown, name: "first", inputs: ["x"], outputs: ["h"]),
    Node(unknown, name: "second", inputs: ["x"], outputs: ["i"]),
    Node(Add(), name: "third", inputs: ["h", "i"], outputs: ["y"]),
  ]
  do {
    _ = try model(nodes, input: [2]).compiled()
    Issue.record("compiled")
  } catch {
    #expect(
      error.problems.map(\.reason) == Array(repeating: .unsupportedOperator(unknown.name), count: 2)
    )
    #expect(
      error.problems.map { $0.place.road.last } == [
        .indexed("node", 0, "first"), .indexed("node", 1, "second"),
      ])
  }
}

@Test func anOpenFirstAxisBecomesOneAndOthersAreNamed() throws {
  var open = model([Node(Relu(), inputs: ["x"], outputs: ["y"])], input: [])
  open.graph.inputs[0].type = .tensor(.float32, Shape([.unknown, .fixed(3)]))
  let plan = try open.compiled()
  #expect(plan.tensors[plan.inputs[0]].dims == [1, 3])
  #expect(try open.compiled(inputShapes: ["x": [5, 3]]).tensors[0].dims == [5, 3])
  open.graph.inputs[0].type = .tensor(.float32, Shape([.fixed(3), .symbolic("n"), .unknown]))
  #expect(throws: CompileError.self) { try open.compiled() }
  do { _ = try open.compiled() } catch {
    #expect(error.problems.map(\.reason) == [.openInput(name: "x", axes: [1, 2])])
  }
}

@Test func panelsCoverTheirMatrixAndPadWithZeros() throws {
  let tensor = try floats([3, 20])
  let view = PanelView(inner: 3, innerStride: 20, columns: 20, columnStride: 1)
  let weight = Weight(tensor.bytes, width: 4, packing: .panels(view))
  #expect(weight.byteCount == 2 * 3 * 16 * 4)
  let packed = try #require(Tensor(.float32, [96], bytes: weight.packed)).doubles
  let source = tensor.doubles
  for k in 0..<3 {
    for n in 0..<32 {
      let value = packed[n / 16 * 48 + k * 16 + n % 16]
      #expect(value == (n < 20 ? source[k * 20 + n] : 0))
    }
  }
}
