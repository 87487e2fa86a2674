import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Quantization that needs no calibration data.
@Suite struct DatalessQuantizationTests {
  private func network() throws -> Model {
    var graph = QDQGraphs()
    try graph.constant("w", [4, 3, 3, 3])
    try graph.constant("b", [4])
    try graph.constant("w2", [4, 1, 3, 3])
    try graph.constant("d", [5, 256])
    try graph.constant("e", [5])
    var depthwise = QDQGraphs.conv()
    depthwise.group = 4
    var gemm = Gemm()
    (gemm.transB, gemm.alpha, gemm.beta) = (true, 0.5, 2)
    graph.add(QDQGraphs.conv(), ["x", "w", "b"], "c")
    graph.add(depthwise, ["c", "w2"], "c2")
    graph.add(Flatten(), ["c2"], "f")
    graph.add(gemm, ["f", "d", "e"], "y")
    return graph.model([("x", [1, 3, 8, 8])], ["y"])
  }

  private func decibels(_ model: Model, against float: Model) throws -> Double {
    var error = SignalError()
    for seed in 0..<3 {
      let sample = try Quantized.inputs(float, seed: seed).mapValues { Value.tensor($0) }
      error.add(
        reference: try #require(try ReferenceEvaluator(float).run(sample)["y"]?.tensor),
        actual: try #require(try ReferenceEvaluator(model).run(sample)["y"]?.tensor))
    }
    return error.decibels
  }

  @Test func weightsStandBehindDequantizeLinear() throws {
    let float = try network()
    let result = try WeightOnlyModel(QuantizationPreparation.prepare(float))
    #expect(result.layers.count == 3 && result.model.violations.isEmpty)
    #expect(result.layers.allSatisfy { $0.error.decibels > 35 })
    #expect(!result.model.graph.nodes.contains { $0.operation is QuantizeLinear })
    for name in ["w", "w2", "d"] {
      #expect(!result.model.graph.initializers.contains { $0.name == name })
    }
    #expect(try decibels(result.model, against: float) > 35)
  }

  @Test func dynamicModelsMultiplyIntegers() throws {
    let float = try network()
    let result = try DynamicModel(QuantizationPreparation.prepare(float))
    let operations = result.model.graph.nodes.map { $0.operation.name.name }
    #expect(operations.count { $0 == "ConvInteger" } == 2)
    #expect(operations.count { $0 == "MatMulInteger" } == 1)
    #expect(operations.count { $0 == "DynamicQuantizeLinear" } == 3)
    #expect(result.model.violations.isEmpty)
    #expect(try decibels(result.model, against: float) > 30)
  }

  @Test func oneValueIsQuantizedOnceForAllItsReaders() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [6, 5])
    try graph.constant("v", [6, 5])
    graph.add(MatMul(), ["x", "w"], "a")
    graph.add(MatMul(), ["x", "v"], "b")
    graph.add(Add(), ["a", "b"], "y")
    let model = try DynamicModel(graph.model([("x", [2, 6])], ["y"])).model
    #expect(model.graph.nodes.count { $0.operation is DynamicQuantizeLinear } == 1)
  }

  @Test func excludedLayersKeepTheirWeights() throws {
    let prepared = try QuantizationPreparation.prepare(try network())
    let only = try WeightOnlyModel(prepared, excluding: ["c2_node"])
    #expect(only.layers.map(\.name) == ["c_node", "y_node"])
    #expect(only.kept.map(\.name) == ["c2_node"])
    let dynamic = try DynamicModel(prepared, excluding: ["c2_node"])
    #expect(dynamic.kept.map(\.name) == ["c2_node"])
  }

  @Test func modelsWithoutWeightsAreRefused() throws {
    var graph = QDQGraphs()
    graph.add(Relu(), ["x"], "y")
    let model = graph.model([("x", [2, 6])], ["y"])
    #expect(throws: QuantizationError.self) { try WeightOnlyModel(model) }
    #expect(throws: QuantizationError.self) { try DynamicModel(model) }
  }

  @Test func recurrentWeightsStandBehindDequantizeLinear() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [1, 8, 3])
    try graph.constant("r", [1, 8, 2])
    var lstm = LSTM()
    lstm.hiddenSize = 2
    graph.add(lstm, ["x", "w", "r"], "y")
    let float = graph.model([("x", [4, 1, 3])], ["y"])
    for model in [try WeightOnlyModel(float).model, try DynamicModel(float).model] {
      let node = try #require(model.graph.nodes.first { $0.operation is LSTM })
      for position in 1...2 {
        let maker = model.graph.nodes.first { $0.outputs.contains(node.inputs[position]) }
        #expect(maker?.operation is DequantizeLinear)
      }
      #expect(try decibels(model, against: float) > 30)
    }
  }
}
