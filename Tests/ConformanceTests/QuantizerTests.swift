import Testing
import Wherry
import WherryBytes
import WherryData
import WherryGraph
import WherryOperators
import WherryPasses

/// The quantizer on small networks whose weak spots are known.
@Suite struct QuantizerTests {
  private struct Random {
    var state: UInt64
    mutating func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 23) - 1
    }
  }

  /// Convolutions of 8 channels with Relu between them.
  ///
  /// - Parameter outliers: the layer each of whose channels has one weight that dwarfs the others.
  private func network(layers: Int = 5, outliers: Int? = nil) throws -> Model {
    var random = Random(state: 11)
    var graph = Graph(
      name: "net", inputs: [ValueInfo("x", .tensor(.float32, Shape([.symbolic("n"), 8, 6, 6])))],
      outputs: [ValueInfo("y", .tensor(.float32, nil))])
    for layer in 0..<layers {
      var weights = (0..<8 * 8 * 9).map { _ in random.next() * 0.2 }
      if layer == outliers {
        // At the border of the kernel and of an input channel that is often 0.
        for channel in 0..<8 { weights[channel * 72] = channel % 2 == 0 ? 60 : -60 }
      }
      let bias = (0..<8).map { _ in random.next() * 0.1 }
      graph.initializers.append(
        Initializer("w\(layer)", try #require(Tensor(.float32, [8, 8, 3, 3], elements: weights))))
      graph.initializers.append(
        Initializer("b\(layer)", try #require(Tensor(.float32, [8], elements: bias))))
      var conv = Conv()
      conv.pads = [1, 1, 1, 1]
      let isLast = layer == layers - 1
      graph.nodes.append(
        Node(
          conv, name: "conv\(layer)",
          inputs: [layer == 0 ? "x" : "r\(layer - 1)", "w\(layer)", "b\(layer)"],
          outputs: [isLast ? "y" : "c\(layer)"]))
      if !isLast {
        graph.nodes.append(
          Node(Relu(), name: "relu\(layer)", inputs: ["c\(layer)"], outputs: ["r\(layer)"]))
      }
    }
    return Model(graph: graph)
  }

  private func samples(_ model: Model, count: Int = 12) throws -> SampleSet {
    var random = Random(state: 5)
    let numbers = (0..<count * 288).map { _ in random.next() }
    let tensor = try #require(Tensor(.float32, [count, 8, 6, 6], elements: numbers))
    var samples = SampleSet(model)
    try samples.add(Bytes(Npy.write(tensor)), path: "x.npy", input: nil)
    return samples
  }

  private func quantize(
    _ model: Model, _ samples: SampleSet, _ change: (inout QuantizationOptions) -> Void = { _ in }
  ) throws -> (Quantization, QuantizationReport) {
    var options = QuantizationOptions()
    change(&options)
    var quantization = try Quantization(model, options)
    try quantization.calibrate(samples)
    return (quantization, try quantization.measure(samples))
  }

  @Test(arguments: 0..<5) func theLayerWithOutlierWeightsIsNamedFirst(layer: Int) throws {
    let model = try network(outliers: layer)
    for method in [CalibrationMethod.minMax, .squaredError, .auto] {
      let (_, report) = try quantize(model, samples(model)) { $0.method = method }
      #expect(report.layers.first?.name == "conv\(layer)", "\(method)")
      #expect(report.layers.count == 5)
      let others = report.layers.dropFirst().map(\.sqnr)
      #expect(try #require(report.layers.first).sqnr < #require(others.min()) - 1)
    }
  }

  @Test func theBoundKeepsThatLayerFloatAndSaysWhy() throws {
    let model = try network(outliers: 2)
    let data = try samples(model)
    var (quantization, report) = try quantize(model, data)
    let before = try #require(report.outputs.first).sqnr
    let result = try quantization.hold(
      QuantizationBound(.sqnr, before + 3), data, labels: nil, order: report.layers)
    #expect(result.isReached && result.value >= before + 3)
    #expect(result.kept.first?.layer == "conv2")
    let reason = try #require(quantization.excluded["conv2"])
    #expect(reason.contains("worst") && reason.contains("sqnr"))
    let quantized = try quantization.quantized()
    let conv = try #require(quantized.graph.nodes.first { $0.name == "conv2" })
    #expect(conv.inputs[1] == "w2" || conv.inputs[1]?.hasPrefix("w2_") == true)
    #expect(quantized.graph.initializers.contains { $0.name == conv.inputs[1] })
  }

  @Test func aBoundOutOfReachIsReported() throws {
    let model = try network(layers: 2)
    let data = try samples(model)
    var (quantization, report) = try quantize(model, data)
    let result = try quantization.hold(
      QuantizationBound(.difference, 0), data, labels: nil, order: report.layers)
    #expect(!result.isReached && result.value > 0)
    #expect(!result.kept.isEmpty)
    report.bound = result
  }

  @Test func theSameInputsGiveTheSameModel() throws {
    let model = try network(outliers: 1)
    let data = try samples(model)
    let (first, _) = try quantize(model, data)
    let (second, _) = try quantize(model, data)
    #expect(try first.quantized() == second.quantized())
  }

  @Test func correctionsNeverRaiseTheErrorOnCalibrationData() throws {
    let model = try network(outliers: 1)
    let data = try samples(model)
    func noise(_ correction: Correction) throws -> Double {
      let (_, report) = try quantize(model, data) {
        ($0.equalization, $0.biasCorrection) = (correction, correction)
        $0.weightRounding = correction
      }
      return try #require(report.outputs.first).sqnr
    }
    #expect(try noise(.auto) >= noise(.never) - 1e-9)
  }

  @Test func activationsThatAreNotFiniteNameTheSample() throws {
    var model = try network(layers: 2)
    model.graph.nodes.insert(
      Node(Log(), name: "log", inputs: ["r0"], outputs: ["l"]), at: 2)
    model.graph.nodes[3].inputs[0] = "l"
    let data = try samples(model)
    #expect {
      try quantize(model, data)
    } throws: { error in
      guard let error = error as? QuantizationError, case .notFinite("l") = error.reason else {
        return false
      }
      return error.place.road.first == .indexed("sample", 0, nil)
    }
  }

  @Test func roundingByInputsIsTakenWhereItHelps() throws {
    let model = try network()
    let data = try samples(model)
    func quantized(_ rounding: Correction) throws -> (Quantization, Double) {
      let (quantization, report) = try quantize(model, data) {
        ($0.equalization, $0.biasCorrection, $0.weightRounding) = (.never, .never, rounding)
      }
      return (quantization, try #require(report.outputs.first).sqnr)
    }
    let (plain, rounded) = (try quantized(.never), try quantized(.auto))
    #expect(rounded.1 > plain.1 && rounded.0.notes.contains { $0.contains("rounded") })
    #expect(rounded.0.parameters == plain.0.parameters)
    #expect(plain.0.notes.isEmpty)
  }

  @Test func aLayerWhoseSumsCouldLeave32BitsStaysFloatAndSaysWhy() throws {
    let depth = 70_000
    var graph = Graph(
      inputs: [ValueInfo("x", .tensor(.float32, Shape([.symbolic("n"), .fixed(depth)])))],
      outputs: [ValueInfo("y", .tensor(.float32, nil))])
    let large = Tensor(.float32, [depth, 2], elements: [Float](repeating: 1, count: depth * 2))
    let small = Tensor(.float32, [2, 2], elements: [Float(1), 0.5, -0.25, 0.75])
    graph.initializers = [
      Initializer("w", try #require(large)), Initializer("v", try #require(small)),
    ]
    graph.nodes = [
      Node(MatMul(), name: "wide", inputs: ["x", "w"], outputs: ["m"]),
      Node(MatMul(), name: "narrow", inputs: ["m", "v"], outputs: ["y"]),
    ]
    let model = Model(graph: graph)
    var data = SampleSet(model)
    let numbers = (0..<3 * depth).map { Float($0 % 7) - 3 }
    let tensor = try #require(Tensor(.float32, [3, depth], elements: numbers))
    try data.add(Bytes(Npy.write(tensor)), path: "x.npy", input: nil)
    let (quantization, report) = try quantize(model, data)
    #expect(quantization.excluded == ["wide": "sums of channel 0 could leave 32 bits"])
    #expect(report.layers.map(\.name) == ["narrow"])
    #expect(report.floatLayers.map(\.name) == ["wide"])
    #expect(report.floatLayers.map(\.reason) == ["sums of channel 0 could leave 32 bits"])
  }

  @Test func modelsWithNothingToQuantizeAreRefused() throws {
    let graph = Graph(
      nodes: [Node(Relu(), name: "r", inputs: ["x"], outputs: ["y"])],
      inputs: [ValueInfo("x", .tensor(.float32, Shape([1, 8, 6, 6])))],
      outputs: [ValueInfo("y", .tensor(.float32, nil))])
    #expect(throws: QuantizationError(.nothingToQuantize([]))) {
      try Quantization(Model(graph: graph))
    }
    var double = try network(layers: 1)
    double.graph.inputs[0].type = .tensor(.float64, Shape([1, 8, 6, 6]))
    double.graph.initializers = double.graph.initializers.compactMap { initializer in
      Tensor(.float64, initializer.tensor.shape, doubles: initializer.tensor.doubles).map {
        Initializer(initializer.name, $0)
      }
    }
    #expect {
      try Quantization(double)
    } throws: { error in
      guard let error = error as? QuantizationError,
        case .nothingToQuantize(let reasons) = error.reason
      else { return false }
      return reasons.count == 1 && reasons[0].contains("float64")
    }
  }

  @Test func noSamplesAreRefused() throws {
    let model = try network(layers: 1)
    var quantization = try Quantization(model)
    #expect(throws: QuantizationError(.noSamples)) { try quantization.calibrate(SampleSet(model)) }
  }

  @Test func theReferenceEvaluatorServesWhereTheRuntimeCannot() throws {
    let model = try network(layers: 2)
    let data = try samples(model, count: 2)
    var slow = try Quantization(model, engine: QuantizationEngine(engine: .reference))
    try slow.calibrate(data)
    let report = try slow.measure(data)
    #expect(report.layers.count == 2 && report.layers.allSatisfy { $0.sqnr > 25 })
  }
}
