import Foundation
import Testing

/// Honest exit codes, and nothing half-written.
@Suite struct ExitCodeTests {
  @Test func wrongUsageIs64() throws {
    #expect(try Shell.wherry("convert", Shell.digits).status == 64)
    #expect(try Shell.wherry("convert", Shell.digits, "/tmp/x.unknown").status == 64)
    #expect(try Shell.wherry("frobnicate").status == 64)
    #expect(try Shell.wherry("run", Shell.digits).status == 64)
  }

  @Test func aMissingFileIs66() throws {
    #expect(try Shell.wherry("inspect", "/nonexistent/model.onnx").status == 66)
    #expect(try Shell.wherry("verify", "/nonexistent/model.wherry").status == 66)
    #expect(try Shell.wherry("run", Shell.digits, "-i", "/nonexistent/x.npy").status == 66)
  }

  @Test func badContentIs65AndLeavesNothing() throws {
    try Shell.inFolder { folder in
      let bad = folder.appending(path: "bad.onnx")
      let whole = try Data(contentsOf: URL(filePath: Shell.digits))
      try whole.prefix(whole.count / 2).write(to: bad)
      let output = folder.appending(path: "out.wherry")
      let result = try Shell.wherry("convert", bad.path, output.path)
      #expect(result.status == 65)
      #expect(result.errors.contains("byte "))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["bad.onnx"])
      #expect(try Shell.wherry("check", bad.path).status == 65)
    }
  }

  @Test func anUnwritableFolderIs73() throws {
    #expect(try Shell.wherry("convert", Shell.digits, "/proc/none/out.json").status == 73)
  }

  @Test func strictRefusesLossesAndKeepsTheOldFile() throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "out.onnx")
      try Data("old".utf8).write(to: output)
      let result = try Shell.wherry(
        "convert", Shell.digits, output.path, "--opset", "3", "--strict")
      #expect(result.status == 65)
      #expect(try Data(contentsOf: output) == Data("old".utf8))
    }
  }

  @Test func differingModelsCompareAs1() throws {
    try Shell.inFolder { folder in
      let json = folder.appending(path: "digits.json")
      #expect(try Shell.wherry("convert", Shell.digits, json.path).status == 0)
      let text = try String(contentsOf: json, encoding: .utf8)
      let changed = text.replacingOccurrences(of: "\"op\": \"Relu\"", with: "\"op\": \"Tanh\"")
      try changed.write(to: json, atomically: true, encoding: .utf8)
      #expect(changed != text)
      let result = try Shell.wherry("compare", json.path, Shell.digits)
      #expect(result.status == 1, "\(result.text)\(result.errors)")
    }
  }
}
