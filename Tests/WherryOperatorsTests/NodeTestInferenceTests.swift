import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryONNX
import WherryOperators

/// Types inferred for ONNX's backend tests against the outputs they come with.
///
/// `WHERRY_INFERENCE_REPORT` names a file that gets one line an output: test, index, inferred type.
@Suite struct NodeTestInferenceTests {
  @Test func inferredTypesDescribeTheExpectedOutputs() throws {
    guard let folder = Suites.find("onnx_node") else { return }
    var (lines, checked) = ("", 0)
    for test in NodeTestCase.all(in: folder) {
      let file = "\(test.path)/model.onnx"
      let source = ModelSource(try Bytes(mapping: file), path: file, operators: OperatorSet.all)
      // Its body has the batch axis that Scan had in operator set 8.
      guard test.name != "test_scan_sum" else { continue }
      guard var model = try? ONNXFormat.read(source).model else { continue }
      let declared = model.graph.outputs
      for index in declared.indices { model.graph.outputs[index].type = .unspecified }
      let inference = TypeInference(model)
      #expect(inference.errors == [], "\(test.name)")
      for (index, output) in declared.enumerated() {
        guard let inferred = inference.types[output.name], inferred != .unspecified else {
          continue
        }
        lines += "\(test.name)\t\(index)\t\(inferred)\n"
        let data = "\(test.path)/test_data_set_0/output_\(index).pb"
        guard Folder.exists(data) else { continue }
        let expected = try ValueFile.read(Bytes(mapping: data), as: output.type).type
        #expect(
          ValueType.merge(inferred, expected) != nil,
          "\(test.name) output \(index): \(inferred) inferred, \(expected) expected")
        checked += 1
      }
    }
    #expect(checked > 0)
    if let path = Suites.environment("WHERRY_INFERENCE_REPORT") {
      try Folder.write(Array(lines.utf8), to: path)
    }
  }
}
