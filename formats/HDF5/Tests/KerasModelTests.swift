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

  @Test func residualNetworkHoldsOneTransposition() throws {
    guard let path = Suites.find(Self.resnet) else { return }
    let graph = try read(path).graph
    #expect(graph.nodes.filter { $0.operation is Transpose }.map(\.name) == ["conv2d/Transpose"])
    #expect(graph.inputs.map(\.name) == ["input_1"] && graph.outputs.map(\.name) == ["dense"])
    #expect(graph.initializers.contains { $0.name == "conv2d_1/kernel:0" })
  }
}
