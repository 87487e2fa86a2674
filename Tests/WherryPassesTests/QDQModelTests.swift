import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Where QuantizeLinear and DequantizeLinear stand.
@Suite struct QDQModelTests {
  @Test func aConvolutionWithItsReluStandsBetweenThem() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("b", [4])
    graph.add(QDQGraphs.conv(), ["x", "w", "b"], "c")
    graph.add(Relu(), ["c"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y"]))
    #expect(
      try quantized.road("y", 5)
        == ["DequantizeLinear", "QuantizeLinear", "Relu", "Conv", "DequantizeLinear"])
    let conv = try #require(quantized.model.graph.nodes.first { $0.operation is Conv })
    #expect(try quantized.maker(conv.inputs[1]).operation is DequantizeLinear)
    #expect(try quantized.maker(conv.inputs[2]).operation is DequantizeLinear)
    let weights = try quantized.maker(conv.inputs[1]).inputs[0]
    let bias = try quantized.maker(conv.inputs[2]).inputs[0]
    let constants = Dictionary(
      uniqueKeysWithValues: quantized.model.graph.initializers.map { ($0.name, $0.tensor) })
    #expect(constants[try #require(weights)]?.element == .int8)
    #expect(constants[try #require(bias)]?.element == .int32)
    #expect(constants["w"] == nil)
    #expect(try quantized.parameters(of: "y").zeroPoint == -128)
    #expect(quantized.model.violations.isEmpty)
    #expect(quantized.model.operatorSets == [OperatorSetVersion("", 13)])
  }

  @Test(arguments: ["Add", "Mul", "AveragePool"])
  func anOperatorWithItsReluStandsBetweenThem(name: String) throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("w2", [4, 3, 3, 3])
    try graph.constant("w3", [2, 4, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "a")
    graph.add(QDQGraphs.conv(), ["x", "w2"], "b")
    switch name {
    case "Add": graph.add(Add(), ["a", "b"], "s")
    case "Mul": graph.add(Mul(), ["a", "b"], "s")
    default:
      var pool = AveragePool()
      pool.kernelShape = [2, 2]
      graph.add(pool, ["a"], "s")
    }
    graph.add(Relu(), ["s"], "r")
    graph.add(QDQGraphs.conv(), ["r", "w3"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y"]))
    #expect(quantized.scheme.layers.map(\.operation).contains(name))
    #expect(!quantized.scheme.layers.contains { $0.operation == "Relu" })
    #expect(
      try quantized.road("r", 5)
        == ["DequantizeLinear", "QuantizeLinear", "Relu", name, "DequantizeLinear"])
    #expect(try quantized.parameters(of: "r").zeroPoint == -128)
    #expect(quantized.scheme.groups.index(of: "s") == nil)
    var integer = quantized.model
    let report = try CollapseQDQ.collapse(&integer)
    #expect(report.left.isEmpty)
    #expect(!integer.graph.nodes.contains { $0.operation is Relu || $0.operation is Lookup })
  }

  /// What else reads the sum needs it as it is.
  @Test func aReluIsALayerOfItsOwnWhereItsInputHasOtherReaders() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [3, 3, 3, 3])
    try graph.constant("w2", [3, 3, 3, 3])
    try graph.constant("w3", [2, 3, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "a")
    graph.add(QDQGraphs.conv(), ["x", "w2"], "b")
    graph.add(Add(), ["a", "b"], "s")
    graph.add(Relu(), ["s"], "r")
    graph.add(QDQGraphs.conv(), ["r", "w3"], "y")
    graph.add(QDQGraphs.conv(), ["s", "w3"], "z")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y", "z"]))
    #expect(
      quantized.scheme.layers.map(\.operation) == ["Conv", "Conv", "Add", "Relu", "Conv", "Conv"])
  }

  @Test func outputsStayNearTheFloatOnes() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("w2", [4, 4, 3, 3])
    try graph.constant("d", [4, 5])
    try graph.constant("e", [5])
    graph.add(QDQGraphs.conv(), ["x", "w"], "c")
    graph.add(Relu(), ["c"], "r")
    graph.add(QDQGraphs.conv(), ["r", "w2"], "c2")
    graph.add(Add(), ["r", "c2"], "s")
    graph.add(GlobalAveragePool(), ["s"], "p")
    graph.add(Flatten(), ["p"], "f")
    graph.add(MatMul(), ["f", "d"], "m")
    graph.add(Add(), ["m", "e"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y"]))
    #expect(quantized.scheme.layers.count == 6)
    var error = SignalError()
    for seed in 0..<4 {
      let sample = try Quantized.inputs(quantized.float, seed: seed).mapValues { Value.tensor($0) }
      let expected = try ReferenceEvaluator(quantized.float).run(sample)
      let actual = try ReferenceEvaluator(quantized.model).run(sample)
      error.add(
        reference: try #require(expected["y"]?.tensor), actual: try #require(actual["y"]?.tensor))
    }
    #expect(error.decibels > 30 && error.cosine > 0.999)
  }

  @Test func aMatrixProductTakesTheBiasOfTheAddAfterIt() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [6, 5])
    try graph.constant("b", [5])
    graph.add(MatMul(), ["x", "w"], "m")
    graph.add(Add(), ["b", "m"], "a")
    graph.add(Relu(), ["a"], "y")
    let quantized = try Quantized(graph.model([("x", [2, 3, 6])], ["y"]))
    #expect(quantized.scheme.layers.count == 1)
    #expect(try quantized.road("y", 4).dropFirst(2) == ["Relu", "Add"])
    let sum = try #require(quantized.model.graph.nodes.first { $0.operation is Add })
    #expect(try quantized.maker(sum.inputs[0]).operation is DequantizeLinear)
    #expect(try quantized.maker(sum.inputs[1]).operation is MatMul)
  }

  @Test func aFunctionOfOneValueIsNotCutInPieces() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("w2", [2, 4, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "c")
    graph.add(Sigmoid(), ["c"], "s")
    graph.add(Mul(), ["c", "s"], "m")
    graph.add(QDQGraphs.conv(), ["m", "w2"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y"]))
    #expect(quantized.scheme.layers.map(\.operation) == ["Conv", "Mul", "Conv"])
    let product = try #require(quantized.model.graph.nodes.first { $0.operation is Mul })
    #expect(try quantized.maker(product.inputs[1]).operation is Sigmoid)
  }

  @Test func dataMovementSharesTheScale() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("w2", [2, 4, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "c")
    graph.add(QDQGraphs.maxPool(), ["c"], "p")
    graph.add(QDQGraphs.conv(), ["p", "w2"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y"]))
    let groups = quantized.scheme.groups
    #expect(groups.index(of: "c") == groups.index(of: "p"))
    let pool = try #require(quantized.model.graph.nodes.first { $0.operation is MaxPool })
    let before = try quantized.maker(pool.inputs[0])
    let after = try #require(
      quantized.model.graph.nodes.first { $0.inputs.first == pool.outputs.first })
    #expect(before.inputs[1...] == after.inputs[1...])
  }

  @Test func joinedValuesShareAScaleWhereNothingElseReadsThem() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("w2", [4, 3, 3, 3])
    try graph.constant("w3", [2, 8, 3, 3])
    try graph.constant("w4", [2, 4, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "a")
    graph.add(QDQGraphs.conv(), ["x", "w2"], "b")
    var concat = Concat()
    concat.axis = 1
    graph.add(concat, ["a", "b"], "j")
    graph.add(QDQGraphs.conv(), ["j", "w3"], "y")
    graph.add(QDQGraphs.conv(), ["b", "w4"], "z")
    let quantized = try Quantized(graph.model([("x", [1, 3, 8, 8])], ["y", "z"]))
    let groups = quantized.scheme.groups
    #expect(groups.index(of: "a") == groups.index(of: "j"))
    #expect(groups.index(of: "b") != groups.index(of: "j"))
  }

  @Test func floatReadersOfAQuantizedValueReadItUnderItsOldName() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "c")
    graph.add(Exp(), ["c"], "e")
    graph.add(Softmax(), ["c"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 4, 4])], ["e", "y"]))
    #expect(try quantized.maker("e").inputs == ["c"])
    #expect(try quantized.maker("c").operation is DequantizeLinear)
    #expect(try quantized.maker("y").operation is Softmax)
    #expect(quantized.scheme.kept.contains { $0.operation == "Softmax" })
  }

  @Test func attentionIsQuantizedWithTheSoftmaxBetweenItsProducts() throws {
    var graph = QDQGraphs()
    try graph.constant("half", [], [0.5])
    graph.add(MatMul(), ["q", "k"], "s")
    graph.add(Mul(), ["s", "half"], "t")
    graph.add(Softmax(), ["t"], "p")
    graph.add(MatMul(), ["p", "v"], "y")
    let quantized = try Quantized(
      graph.model([("q", [1, 4, 8]), ("k", [1, 8, 4]), ("v", [1, 4, 8])], ["y"]))
    #expect(quantized.scheme.layers.map(\.operation) == ["MatMul", "Mul", "Softmax", "MatMul"])
  }

  @Test func aMeanOverFeaturesStaysFloat() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [6, 6])
    try graph.constant("w2", [6, 6])
    graph.constants.append(Initializer("axes", Tensor(vector: [-1])))
    graph.add(MatMul(), ["x", "w"], "m")
    graph.add(ReduceMean(), ["m", "axes"], "mean")
    graph.add(Sub(), ["m", "mean"], "centred")
    graph.add(MatMul(), ["centred", "w2"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 6])], ["y"]))
    #expect(quantized.scheme.layers.map(\.operation) == ["MatMul", "MatMul"])
    #expect(quantized.scheme.kept.map(\.operation) == ["ReduceMean"])
  }

  @Test(arguments: [InterfaceType.int8, .uint8])
  func inputsAndOutputsCanBeQuantizedThemselves(interface: InterfaceType) throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "y")
    let model = graph.model([("x", [1, 3, 4, 4])], ["y"])
    let quantized = try Quantized(model, interface: interface)
    let element: ElementType = interface == .int8 ? .int8 : .uint8
    #expect(quantized.model.graph.inputs[0].type.element == element)
    #expect(quantized.model.violations.isEmpty)
    let sample = try Quantized.inputs(model, seed: 0)
    let parameters = try quantized.parameters(of: "x")
    let offset = interface == .int8 ? 0 : 128
    let numbers = try #require(sample["x"]).doubles.map {
      Int64(parameters.quantize(Float($0))) + Int64(offset)
    }
    let input = try #require(Tensor(element, [1, 3, 4, 4], integers: numbers))
    let output = try #require(
      try ReferenceEvaluator(quantized.model).run(["x": .tensor(input)])["y"]?.tensor)
    #expect(output.element == element)
    let plain = try Quantized(model)
    let expected = try ReferenceEvaluator(plain.model).run(["x": .tensor(try #require(sample["x"]))]
    )
    let scale = try quantized.parameters(of: "y")
    let back = output.integers.map {
      Double(Float($0 - Int64(offset + scale.zeroPoint)) * scale.scale)
    }
    #expect(back == expected["y"]?.tensor?.doubles)
  }

  @Test func quantizedModelsAreRefused() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w"], "y")
    let quantized = try Quantized(graph.model([("x", [1, 3, 4, 4])], ["y"]))
    #expect {
      try QuantizationPreparation.prepare(quantized.model)
    } throws: { error in
      guard let error = error as? QuantizationError,
        case .alreadyQuantized(let name) = error.reason
      else { return false }
      return name.name.hasSuffix("quantizeLinear") || name.name.hasSuffix("uantizeLinear")
    }
  }
}
