import Foundation
import TestSupport
import Testing
import Wherry
import WherryBytes
import WherryData
import WherryGraph
import WherryNative

/// Whole models by others, on every path from file to outputs, against the outputs of the tool that
/// made them.
@Suite struct ModelTests {
  /// Cases whose models the runtime does not execute yet, with the reason it gives.
  private static let withoutPlan: [String: String] = [
    "linear_classifier": "LinearClassifier",
    "linear_regressor": "LinearRegressor",
    "xgboost": "TreeEnsemble",
    "test_xgb": "TreeEnsemble",
    "treeensembleclassifier": "TreeEnsemble",
    "rf_iris": "TreeEnsemble",
  ]

  struct Case: Sendable, CustomStringConvertible {
    let model: String
    let golden: String
    var description: String { golden }
  }

  static let cases: [Case] = {
    guard let suites = Suites.folder else { return [] }
    let goldens =
      (try? FileManager.default.contentsOfDirectory(atPath: suites + "/goldens_onnx")) ?? []
    var models: [String: String] = [:]
    for case let path as String in FileManager.default.enumerator(atPath: suites + "/models")
      ?? .init()
    where path.hasSuffix(".onnx") {
      models[path.replacingOccurrences(of: "/", with: "__")] = "\(suites)/models/\(path)"
    }
    return goldens.sorted().compactMap { golden in
      models[String(golden.dropLast(4))].map {
        Case(model: $0, golden: "\(suites)/goldens_onnx/\(golden)")
      }
    }
  }()

  private func samples(_ golden: String) throws -> [(
    inputs: [String: Tensor], outputs: [String: Tensor]
  )] {
    var samples: [Int: (inputs: [String: Tensor], outputs: [String: Tensor])] = [:]
    for (name, tensor) in try Npz.read(Bytes(mapping: golden)) {
      let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
      let isInput = parts[0].hasPrefix("in")
      let index = try #require(Int(parts[0].drop { !$0.isNumber }))
      if isInput {
        samples[index, default: ([:], [:])].inputs[parts[1]] = tensor
      } else {
        samples[index, default: ([:], [:])].outputs[parts[1]] = tensor
      }
    }
    return samples.sorted { $0.key < $1.key }.map(\.value)
  }

  private func check(
    _ execution: Execution, _ sample: (inputs: [String: Tensor], outputs: [String: Tensor]),
    _ path: String
  ) throws {
    let outputs = Dictionary(
      try execution.run(sample.inputs).map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a }
    )
    for (name, expected) in sample.outputs {
      guard let actual = outputs[name] else {
        // ZipMap gives a sequence of maps, which no data file holds.
        #expect(name == "output_probability", "\(path) gives no \(name)")
        continue
      }
      // Relative to the output's largest value: elements near zero carry the rounding of large ones.
      let largest = expected.doubles.map(\.magnitude).max() ?? 0
      let comparison = Comparison(
        name, Tensor(expected.element, actual.shape, doubles: actual.doubles) ?? actual,
        expected.reshaped(actual.shape), bounds: .init(relative: 0, absolute: 1e-5 * largest))
      #expect(
        comparison.isEqual,
        "\(path) \(name): \(comparison.mismatch ?? "\(comparison.differing) of \(comparison.count), \(comparison.largestAbsolute)")"
      )
    }
  }

  @Test(arguments: cases)
  func outputsEqualTheGoldensOnEveryPath(_ subject: Case) throws {
    let file = try ModelFile(subject.model)
    let samples = try samples(subject.golden)
    let first = try #require(samples.first)
    let shapes = first.inputs.mapValues(\.shape)
    try check(Execution(file, engine: .reference, shapes: shapes), first, "reference")
    for format in Formats.all + Formats.variants {
      let again = try file.converted(to: format)
      if format.name == "hdf5", again.model != file.model {  // said in Keras's layers: other nodes
        try check(Execution(again, engine: .reference, shapes: shapes), first, "hdf5")
      } else {
        #expect(again.model == file.model, "\(format.name)")
      }
    }
    if let reason = Self.withoutPlan.first(where: { subject.model.contains($0.key) })?.value {
      let problems = Execution.runtimeProblems(file, shapes: shapes)
      #expect(problems.contains { $0.contains(reason) }, "\(problems)")
      return
    }
    let runtime = try Execution(file, engine: .runtime, shapes: shapes)
    for sample in samples { try check(runtime, sample, "runtime") }
  }
}
