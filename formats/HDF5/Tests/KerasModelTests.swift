import TestSupport
import Testing
import WherryBytes
import WherryData
import WherryGraph
import WherryKeras
import WherryOperators

/// Whole models by others, against the outputs of the framework that made them.
@Suite struct KerasModelTests {
  private static let training = "mlperf_tiny/benchmark/training"
  private static let resnet =
    "\(training)/image_classification/trained_models/pretrainedResnet.h5"
  private static let autoencoder = "\(training)/anomaly_detection/trained_models/ad01.h5"

  private func read(_ path: String) throws -> Model {
    try KerasFormat.read(
      ModelSource(try Bytes(mapping: path), path: path, operators: OperatorSet.all)
    ).model
  }

  @Test(arguments: [resnet, autoencoder])
  func outputsEqualTheGoldens(_ name: String) throws {
    let golden = "goldens_keras/" + name.split(separator: "/").joined(separator: "__") + ".npz"
    guard let path = Suites.find(name), let data = Suites.find(golden) else { return }
    let model = try read(path)
    #expect(model.violations.isEmpty)
    let arrays = Dictionary(
      try Npz.read(Bytes(mapping: data)).map { ($0.name, $0.tensor) },
      uniquingKeysWith: { a, _ in a })
    let input = try #require(model.graph.inputs.first)
    let output = try #require(model.graph.outputs.first)
    let evaluator = ReferenceEvaluator(model)
    for sample in 0..<2 {
      let given = try #require(arrays["in\(sample)"])
      let expected = try #require(arrays["out\(sample)"])
      let actual = try #require(
        try evaluator.run([input.name: .tensor(given)])[output.name]?.tensor)
      let largest = expected.doubles.map(\.magnitude).max() ?? 0
      let tolerance = Tolerance(relative: 0, absolute: 1e-5 * largest)
      #expect(actual.difference(from: expected, tolerance) == nil)
    }
  }

  /// The file holds the weights of both halves; a structure of one half goes by the layers' names.
  @Test(arguments: [1, 2])
  func halfOfANetFromWeightsAloneEqualsItsTwin(_ half: Int) throws {
    let folder = "models/breizhn+DTLN/pretrained_model"
    let golden = "models__breizhn+DTLN__pretrained_model__model_\(half).tflite.npz"
    guard let path = Suites.find("\(folder)/model.h5"),
      let data = Suites.find("goldens_tflite/\(golden)")
    else { return }
    let beside = Suites.packageFolder + "/formats/HDF5/oracle/dtln_\(half).h5"
    let model = try KerasFormat.read(
      ModelSource(try Bytes(mapping: path), path: beside, operators: OperatorSet.all)
    ).model
    #expect(model.violations.isEmpty)
    let arrays = Dictionary(
      try Npz.read(Bytes(mapping: data)).map { ($0.name, $0.tensor.doubles) },
      uniquingKeysWith: { a, _ in a })
    for sample in 0..<4 {
      let given = try apart(arrays["in\(sample)_0"], arrays["in\(sample)_1"])
      let expected = try apart(arrays["ref\(sample)_0"], arrays["ref\(sample)_1"])
      var inputs: [String: Value] = [:]
      for (input, values) in zip(model.graph.inputs, given) {
        let extents = try #require(input.type.shape).dimensions.map { $0.extent ?? 1 }
        inputs[input.name] = .tensor(try #require(Tensor(.float32, extents, doubles: values)))
      }
      let results = try ReferenceEvaluator(model).run(inputs)
      #expect(model.graph.outputs.count == expected.count)
      for (output, values) in zip(model.graph.outputs, expected) {
        let actual = try #require(results[output.name]?.tensor).doubles
        let largest = values.map(\.magnitude).max() ?? 0
        #expect(actual.count == values.count)
        #expect(zip(actual, values).allSatisfy { abs($0 - $1) <= 1e-5 * largest })
      }
    }
  }

  /// The twin's tensor of states [1, 2, 128, 2] as hidden and cell state of each layer.
  private func apart(_ value: [Double]?, _ states: [Double]?) throws -> [[Double]] {
    let states = try #require(states)
    let parts = [0, 1].flatMap { layer in
      [0, 1].map { kind in stride(from: layer * 256 + kind, to: (layer + 1) * 256, by: 2) }
    }
    return [try #require(value)] + parts.map { $0.map { states[$0] } }
  }

  @Test func residualNetworkHoldsOneTransposition() throws {
    guard let path = Suites.find(Self.resnet) else { return }
    let graph = try read(path).graph
    #expect(graph.nodes.filter { $0.operation is Transpose }.map(\.name) == ["conv2d/Transpose"])
    #expect(graph.inputs.map(\.name) == ["input_1"] && graph.outputs.map(\.name) == ["dense"])
    #expect(graph.initializers.contains { $0.name == "conv2d_1/kernel:0" })
  }
}
