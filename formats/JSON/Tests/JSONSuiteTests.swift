import Glibc
import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryJSON
import WherryONNX
import WherryOperators

/// Real models, read from ONNX, through JSON and back. With `WHERRY_JSON_OUT` naming a folder, the
/// documents are left there for `oracle/validate.py`.
@Suite struct JSONSuiteTests {
  private static let out = Suites.environment("WHERRY_JSON_OUT")

  @Test(arguments: ["onnx_node", "models"])
  func everyModelSurvives(suite: String) throws {
    guard let folder = Suites.find(suite) else { return }
    var (same, unread, failed) = (0, 0, 0)
    for (index, path) in Folder.files(folder, suffix: ".onnx").enumerated() {
      let source = ModelSource(
        try Bytes(mapping: path), path: path, operators: OperatorSet.all)
      guard let model = try? ONNXFormat.read(source).model else {
        unread += 1
        continue
      }
      do {
        let bytes = try encoded(model)
        let back = try decoded(bytes)
        let again = try encoded(back)
        let isSame = back == model && again == bytes
        let compact = try encoded(model, pretty: false, decimals: bytes.count < 1 << 20 ? .max : 64)
        if isSame, try decoded(compact) == model {
          same += 1
        } else {
          failed += 1
          Issue.record("\(path) changes on its way")
        }
        if let out = Self.out { try Folder.write(bytes, to: "\(out)/\(suite)-\(index).json") }
      } catch {
        failed += 1
        Issue.record("\(path): \(error)")
      }
      if failed > 5 { return }
    }
    print("\(suite): \(same) models the same after JSON, \(unread) not read from ONNX")
    #expect(same > 0)
  }

  @Test func sampleDocumentsAreLeftForTheOracle() throws {
    guard let out = Self.out else { return }
    for (index, writing) in writings.enumerated() {
      for (name, model) in [
        ("everything", SampleModel.everything), ("tensors", SampleModel.tensors),
      ] {
        let bytes = try encoded(model, pretty: writing.0, decimals: writing.1)
        try Folder.write(bytes, to: "\(out)/\(name)-\(index).json")
      }
    }
  }
}
