import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryONNX

/// Every real model is the same after it was written and read again.
///
/// Environment: `WHERRY_ROUNDTRIP_OUT` names a folder that gets the written files, for
/// `oracle/roundtrip.py` to judge; with `WHERRY_ROUNDTRIP_OPSET` they are in that operator set, as far
/// as it can say them.
@Suite struct ONNXRoundTripTests {
  @Test func everyModelOfTheSuitesSurvivesWriting() throws {
    guard let folder = Suites.find("") else { return }
    let filter = Suites.environment("WHERRY_NODE_FILTER") ?? ""
    let files = Folder.files(folder, suffix: ".onnx").filter {
      filter.isEmpty || $0.contains(filter)
    }
    let out = Suites.environment("WHERRY_ROUNDTRIP_OUT")
    let opset = Suites.environment("WHERRY_ROUNDTRIP_OPSET").flatMap { Int64($0) }
    let outcomes = CaseWorker.run(files.count, test: "everyModelOfTheSuitesSurvivesWriting") {
      index in
      do {
        if let opset, let out { return try Self.write(files[index], opset, folder, out) }
        return try Self.problem(files[index], folder: folder, out: out)
      } catch {
        return "\(error)".split(separator: "\n").joined(separator: "; ")
      }
    }
    for (file, outcome) in zip(files, outcomes) where outcome != .passed {
      Issue.record("\(file): \(outcome)")
    }
    print("round trips: \(outcomes.filter { $0 == .passed }.count) of \(outcomes.count)")
  }

  /// What differs after writing and reading; nil when nothing does.
  private static func problem(_ file: String, folder: String, out: String?) throws -> String? {
    let first = try ONNXFormat.read(
      ModelSource(Bytes(mapping: file), path: file, operators: OperatorSet.all))
    let sink = MemorySink()
    let losses = try ONNXFormat.write(first.model, to: sink, options: WriteOptions())
    if let out { try Folder.write(sink.bytes, to: flat(file, folder, out)) }
    let second = try ONNXFormat.read(
      ModelSource(Bytes(sink.bytes), path: file, operators: OperatorSet.all))
    if first.model != second.model { return ModelDifference.first(first.model, second.model) }
    if !losses.isEmpty { return "writing lost \(losses)" }
    let again = MemorySink()
    _ = try ONNXFormat.write(second.model, to: again, options: WriteOptions())
    return again.bytes == sink.bytes ? nil : "different bytes"
  }

  /// Writes a model in another operator set; why that can't be is a failure that names it.
  private static func write(
    _ file: String, _ opset: Int64, _ folder: String, _ out: String
  ) throws -> String? {
    let reading = try ONNXFormat.read(
      ModelSource(Bytes(mapping: file), path: file, operators: OperatorSet.all))
    var options = WriteOptions()
    options.opset = opset
    try Folder.write(written(reading.model, options), to: flat(file, folder, out))
    return nil
  }

  /// `out/a__b__model.onnx` for `folder/a/b/model.onnx`.
  private static func flat(_ file: String, _ folder: String, _ out: String) -> String {
    let inner = file.dropFirst(folder.count).split(separator: "/").joined(separator: "__")
    return "\(out)/\(inner)"
  }
}

/// Where two models begin to differ, for the eye.
enum ModelDifference {
  static func first(_ a: Model, _ b: Model) -> String {
    if a.metadata != b.metadata { return "metadata" }
    if a.operatorSets != b.operatorSets { return "operator sets \(b.operatorSets)" }
    if a.functions != b.functions { return "functions" }
    if a.training != b.training { return "training" }
    if a.devices != b.devices { return "devices" }
    if a.labels != b.labels || a.schema != b.schema { return "labels or schema" }
    return first(a.graph, b.graph)
  }

  private static func first(_ a: Graph, _ b: Graph) -> String {
    if a.initializers.map(\.name) != b.initializers.map(\.name) {
      return "initializers \(a.initializers.map(\.name)) and \(b.initializers.map(\.name))"
    }
    if a.initializers != b.initializers { return "contents of initializers" }
    if a.inputs != b.inputs || a.outputs != b.outputs { return "inputs or outputs" }
    if a.nodes.count != b.nodes.count { return "\(a.nodes.count) nodes, then \(b.nodes.count)" }
    for (index, (x, y)) in zip(a.nodes, b.nodes).enumerated() where x != y {
      return "node \(index): \(x) and \(y)"
    }
    return a.values != b.values ? "values" : "graph"
  }
}
