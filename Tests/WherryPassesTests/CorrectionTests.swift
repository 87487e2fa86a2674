import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Equalization and bias correction keep or mend what a model computes.
@Suite struct CorrectionTests {
  private func network(_ middle: [(any Operator, String)] = [(Relu(), "r")]) throws -> Model {
    var graph = QDQGraphs()
    // Channels of very different size.
    let spread = (0..<4).flatMap { channel in
      graph.random(27).map { $0 * [0.001, 1, 0.05, 4][channel] }
    }
    try graph.constant("w", [4, 3, 3, 3], spread)
    try graph.constant("b", [4], [0.001, -0.5, 0.01, 1])
    try graph.constant("w2", [2, 4, 3, 3])
    graph.add(QDQGraphs.conv(), ["x", "w", "b"], "c")
    var last = "c"
    for (operation, name) in middle {
      graph.add(operation, [last], name)
      last = name
    }
    graph.add(QDQGraphs.conv(), [last, "w2"], "y")
    return graph.model([("x", [1, 3, 8, 8])], ["y"])
  }

  private func channels(_ model: Model, _ value: String) throws -> ChannelStatistics {
    var statistics = ChannelStatistics()
    let sample = try Quantized.inputs(model, seed: 1).mapValues { Value.tensor($0) }
    let values = try ReferenceEvaluator(model.exposing([value])).run(sample)
    statistics.add(try #require(values[value]?.tensor), axis: 1)
    return statistics
  }

  @Test func equalizedLayersComputeTheSame() throws {
    let float = try QuantizationPreparation.prepare(try network())
    let scheme = QuantizationScheme(float, interface: .float)
    let pairs = scheme.equalizationPairs(float)
    let pair = try #require(pairs.first)
    #expect(pairs.count == 1 && pair.value == "r")
    let before = try channels(float, "r")
    let factors = try #require(EqualizeLayers.factors(pair, float, largest: before.largest))
    #expect(factors.allSatisfy { $0.significand == 1 && $0 > 0 && $0 <= 1 })
    var equalized = float
    EqualizeLayers.apply(pair, factors, to: &equalized)
    let after = try channels(equalized, "r")
    #expect(
      after.largest.max()! / after.largest.min()! < before.largest.max()! / before.largest.min()!
        / 8)
    let sample = try Quantized.inputs(float, seed: 2).mapValues { Value.tensor($0) }
    #expect(
      try ReferenceEvaluator(float).run(sample)["y"]
        == ReferenceEvaluator(equalized).run(sample)["y"])
  }

  @Test func channelsThatMixBetweenLayersAreNoPair() throws {
    var pool = AveragePool()
    pool.kernelShape = [2, 2]
    let pooled = try QuantizationPreparation.prepare(try network([(Relu(), "r"), (pool, "p")]))
    #expect(
      QuantizationScheme(pooled, interface: .float).equalizationPairs(pooled).count == 1)
    for operation: any Operator in [Sigmoid(), HardSwish(), Tanh(), Softmax()] {
      let model = try QuantizationPreparation.prepare(try network([(operation, "s")]))
      let scheme = QuantizationScheme(model, interface: .float)
      #expect(scheme.equalizationPairs(model).isEmpty)
    }
  }

  @Test func aValueWithOtherReadersIsNoPair() throws {
    var model = try network()
    model.graph.outputs.append(ValueInfo("r", .tensor(.float32, nil)))
    let prepared = try QuantizationPreparation.prepare(model)
    let scheme = QuantizationScheme(prepared, interface: .float)
    #expect(scheme.equalizationPairs(prepared).isEmpty)
  }

  @Test func sharedWeightsAreChangedInOnePlaceOnly() throws {
    var graph = QDQGraphs()
    try graph.constant("w", [3, 3, 3, 3], graph.random(81).enumerated().map { $1 * Float($0 % 7) })
    graph.add(QDQGraphs.conv(), ["x", "w"], "c")
    graph.add(QDQGraphs.conv(), ["c", "w"], "y")
    let float = try QuantizationPreparation.prepare(graph.model([("x", [1, 3, 8, 8])], ["y"]))
    let scheme = QuantizationScheme(float, interface: .float)
    let pair = try #require(scheme.equalizationPairs(float).first)
    var equalized = float
    EqualizeLayers.apply(pair, [1, 0.25, 0.5], to: &equalized)
    let sample = try Quantized.inputs(float, seed: 2).mapValues { Value.tensor($0) }
    #expect(
      try ReferenceEvaluator(float).run(sample)["y"]
        == ReferenceEvaluator(equalized).run(sample)["y"])
  }

  @Test func meanShiftsThatChanceExplainsAreLeftAlone() throws {
    func tensor(_ numbers: [Float]) throws -> Tensor {
      try #require(Tensor(.float32, [1, 2, numbers.count / 2], elements: numbers))
    }
    var statistics = ChannelStatistics()
    let zeros = [Float](repeating: 0, count: 8)
    statistics.addDifference(
      try tensor([1, 1, 1, 1] + [4, -3, 2, -2]), try tensor(zeros), axis: 1)
    #expect(statistics.shift[0] == 1)
    #expect(statistics.shift[1].magnitude < 0.25 / 4)
  }

  @Test func aCorrectedBiasTakesTheShiftAway() throws {
    let float = try QuantizationPreparation.prepare(try network())
    let scheme = QuantizationScheme(float, interface: .float)
    let sites = CorrectBiases.sites(float, scheme)
    #expect(sites.map(\.value) == ["c", "y"] && sites.map(\.axis) == [1, 1])
    var corrected = float
    CorrectBiases.apply([1, 2, 3, 4], at: sites[0], scheme, to: &corrected)
    CorrectBiases.apply([5, 6], at: sites[1], scheme, to: &corrected)
    let sample = try Quantized.inputs(float, seed: 2).mapValues { Value.tensor($0) }
    let before = try ReferenceEvaluator(float.giving(["c"])).run(sample)["c"]?.tensor?.doubles
    let after = try ReferenceEvaluator(corrected.giving(["c"])).run(sample)["c"]?.tensor?.doubles
    for (index, pair) in zip(before ?? [], after ?? []).enumerated() {
      #expect((pair.0 - pair.1 - Double(index / 64 + 1)).magnitude < 1e-5)
    }
    let node = corrected.graph.nodes[scheme.layers[1].core]
    #expect(node.inputs.count == 3 && corrected.violations.isEmpty)
  }
}
