import Foundation
import Testing

/// Each verb's main job and its exit codes, as a user's shell sees them.
@Suite struct VerbTests {
  private func json(_ result: Shell.Result) throws -> Any {
    try JSONSerialization.jsonObject(with: result.output)
  }

  @Test func helpNamesEveryVerb() throws {
    let help = try Shell.wherry("--help")
    #expect(help.status == 0)
    for verb in ["convert", "inspect", "check", "run", "compare", "quantize", "bench", "verify", "patch"] {
      #expect(help.text.contains("  \(verb)"))
    }
  }

  @Test func completionScriptsAreMade() throws {
    for shell in ["bash", "zsh", "fish"] {
      let script = try Shell.wherry("--generate-completion-script", shell)
      #expect(script.status == 0 && script.text.contains("wherry"))
    }
  }

  @Test(arguments: ["wherry", "json", "onnx"])
  func everyFormatRoundTripsAndComparesEqual(ending: String) throws {
    try Shell.inFolder { folder in
      let file = folder.appending(path: "digits.\(ending)").path
      let there = try Shell.wherry("convert", Shell.digits, file, "--verify")
      #expect(there.status == 0, "\(there.errors)")
      let back = folder.appending(path: "back.onnx").path
      #expect(try Shell.wherry("convert", file, back, "--strict").status == 0)
      #expect(try Shell.wherry("compare", back, Shell.digits).status == 0)
      let again = folder.appending(path: "again.\(ending)").path
      _ = try Shell.wherry("convert", Shell.digits, again)
      #expect(try Data(contentsOf: URL(filePath: file)) == Data(contentsOf: URL(filePath: again)))
    }
  }

  @Test func inspectTellsInputsOutputsAndLabels() throws {
    let report = try #require(
      try json(Shell.wherry("inspect", Shell.digits, "--json")) as? [String: Any])
    let inputs = try #require(report["inputs"] as? [[String: Any]])
    #expect(inputs.first?["name"] as? String == "image")
    #expect(inputs.first?["type"] as? String == "float32[batch, 1, 8, 8]")
    let outputs = try #require(report["outputs"] as? [[String: Any]])
    #expect((outputs.first?["labels"] as? [String])?.count == 10)
  }

  @Test func inspectMakesAPageWithoutMarkupFromTheFile() throws {
    try Shell.inFolder { folder in
      let json = folder.appending(path: "digits.json")
      _ = try Shell.wherry("convert", Shell.digits, json.path)
      let text = try String(contentsOf: json, encoding: .utf8)
      let hostile = text.replacingOccurrences(of: "\"digits_cnn\"", with: "\"<script>\"")
      try hostile.write(to: json, atomically: true, encoding: .utf8)
      let page = try Shell.wherry("inspect", json.path, "--html")
      #expect(page.status == 0 && page.text.hasPrefix("<!DOCTYPE html>"))
      #expect(page.text.contains("&lt;script&gt;") && !page.text.contains("<script>"))
      #expect(page.text.contains("<td>Conv</td>"))
    }
  }

  @Test func runReadsRawDataAndClassifies() throws {
    let images = Shell.fixtures.appending(path: "golden/digits_images.f32").path
    let labels = try Data(contentsOf: Shell.fixtures.appending(path: "golden/digits_labels.u8"))
    let result = try Shell.wherry("run", Shell.digits, "-i", images, "--format", "csv")
    #expect(result.status == 0, "\(result.errors)")
    let rows = result.text.split(separator: "\n").dropFirst().map { line in
      line.split(separator: ",").compactMap { Double($0) }
    }
    #expect(rows.count == labels.count)
    let right = zip(rows, labels).count { row, label in
      row.indices.max { row[$0] < row[$1] } == Int(label)
    }
    #expect(Double(right) / Double(labels.count) > 0.98)
  }

  @Test func runGivesTheSameWithEveryEngine() throws {
    let images = Shell.fixtures.appending(path: "golden/digits_images.f32").path
    try Shell.inFolder { folder in
      for engine in ["reference", "runtime"] {
        let result = try Shell.wherry(
          "run", Shell.digits, "-i", images, "--engine", engine, "-o",
          folder.appending(path: engine).path)
        #expect(result.status == 0, "\(result.errors)")
      }
      let expected = try Data(
        contentsOf: Shell.fixtures.appending(path: "golden/digits_outputs.f32"))
      for engine in ["reference", "runtime"] {
        let npy = try Data(contentsOf: folder.appending(path: "\(engine)/probabilities.npy"))
        let body = npy.suffix(expected.count)
        let pairs = zip(floats(body), floats(expected))
        #expect(pairs.allSatisfy { ($0 - $1).magnitude <= 1e-6 + 1e-5 * $1.magnitude })
      }
    }
  }

  private func floats(_ data: Data) -> [Float] {
    let bytes = [UInt8](data)
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
  }

  @Test func standardInputAndOutputAreFiles() throws {
    let model = try Data(contentsOf: URL(filePath: Shell.digits))
    let result = try Shell.wherry("convert", "-", "-", "--to", "json", input: model)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.hasPrefix("{"))
    let back = try Shell.wherry("inspect", "-", "--json", input: result.output)
    #expect(back.status == 0 && back.text.contains("\"Conv\""))
  }

  @Test func benchReportsLatency() throws {
    let report = try #require(
      try json(Shell.wherry("bench", Shell.digits, "--seconds", "0.05", "--json", "--profile"))
        as? [String: Any])
    #expect((report["p50"] as? Double ?? 0) > 0)
    #expect((report["arenaBytes"] as? Int ?? 0) > 0)
    #expect((report["operations"] as? [Any])?.isEmpty == false)
  }

  @Test func aDamagedNativeFileFailsVerification() throws {
    try Shell.inFolder { folder in
      let file = folder.appending(path: "digits.wherry")
      #expect(try Shell.wherry("convert", Shell.digits, file.path).status == 0)
      #expect(try Shell.wherry("verify", file.path).status == 0)
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: file)
      #expect(try Shell.wherry("verify", file.path).status == 1)
    }
  }

  @Test func optimizeListsEveryPassAndProvesIt() throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "smaller.onnx").path
      let result = try Shell.wherry("optimize", Shell.digits, output)
      #expect(result.status == 0, "\(result.errors)")
      #expect(
        result.text.contains("fuse-batch-norm        3 changes, nodes 14 -> 11, outputs within"))
      #expect(result.text.contains("fuse-activation        3 changes, operations 11 -> 8"))
      #expect(!result.text.contains("TOO MUCH"))
      #expect(try Shell.wherry("compare", output, Shell.digits).status == 0)
    }
  }
}
