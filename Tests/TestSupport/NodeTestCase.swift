import WherryBytes
import WherryGraph
import WherryONNX
import WherryOperators

/// One of ONNX's backend tests: a model with inputs and the outputs they must give.
public struct NodeTestCase: Sendable {
  /// The folder of the model.
  public let path: String
  /// The folder the case is in, such as `node_1.19.1` or `simple`.
  public let category: String
  public let name: String
  /// The suites' class, such as `A-core`.
  public let group: String

  /// Every case of the suites with a model and data, by path.
  public static func all(in folder: String) -> [NodeTestCase] {
    var groups: [String: String] = [:]
    for list in ["onnx_backend_tests.csv", "ort_1.19.1.csv"] {
      for line in Folder.lines("\(folder)/\(list)").dropFirst() {
        let columns = line.split(separator: ",", omittingEmptySubsequences: false)
        if columns.count >= 15 { groups[String(columns[1])] = String(columns[14]) }
      }
    }
    return Folder.files(folder, suffix: "/model.onnx").map { file in
      let steps = file.split(separator: "/").dropLast().suffix(2).map(String.init)
      return NodeTestCase(
        path: String(file.dropLast("/model.onnx".count)), category: steps[0], name: steps[1],
        group: groups[steps[1]] ?? "unlisted")
    }
  }

  /// Runs the model over its data sets; nil when every output is as expected, else why not.
  public func run() -> String? {
    do {
      let file = "\(path)/model.onnx"
      let source = ModelSource(
        try Bytes(mapping: file), path: file, operators: OperatorSet.all)
      let model = try ONNXFormat.read(source).model
      for set in Folder.names(path) where set.hasPrefix("test_data_set_") {
        if let problem = try run(model, "\(path)/\(set)") { return problem }
      }
      return nil
    } catch {
      return "\(error)".split(separator: "\n").joined(separator: "; ")
    }
  }

  private func run(_ model: Model, _ set: String) throws -> String? {
    var inputs: [String: Value] = [:]
    for (index, input) in model.graph.inputs.enumerated() {
      let file = "\(set)/input_\(index).pb"
      guard Folder.exists(file) else { continue }
      inputs[input.name] = try ValueFile.read(Bytes(mapping: file), as: input.type)
    }
    let outputs = try ReferenceEvaluator(model).run(inputs)
    for (index, output) in model.graph.outputs.enumerated() {
      let file = "\(set)/output_\(index).pb"
      guard Folder.exists(file) else { continue }
      let expected = try ValueFile.read(Bytes(mapping: file), as: output.type)
      guard let result = outputs[output.name] else { return "no output \(output.name)" }
      if let difference = result.difference(from: expected, .onnxBackend) {
        return "output \(index) \"\(output.name)\": \(difference)"
      }
    }
    return nil
  }
}
