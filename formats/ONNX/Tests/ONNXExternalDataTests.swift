import Glibc
import TestSupport
import Testing
import WherryBytes
import WherryGraph

@testable import WherryONNX

/// Tensors in files beside the model, and paths that try to leave its folder.
@Suite struct ONNXExternalDataTests {
  /// A model whose constant lies in another file.
  private func model(_ location: String, offset: String = "0", length: String = "8") -> [UInt8] {
    let entry = { (key: String, value: String) in WireBuilder().text(1, key).text(2, value) }
    let tensor = WireBuilder().number(1, 2).number(2, 1).text(8, "w")
      .message(13, entry("location", location)).message(13, entry("offset", offset))
      .message(13, entry("length", length)).number(14, 1)
    return WireBuilder.model(
      WireBuilder().message(1, WireBuilder.node("Add", ["x", "w"], ["y"])).message(5, tensor)
        .message(11, WireBuilder.value("x")).message(12, WireBuilder.value("y")))
  }

  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = Folder.temporary()
    defer { Folder.remove(folder) }
    try Folder.write([0, 0, 128, 63, 0, 0, 0, 64], to: "\(folder)/w.bin")
    try body(folder)
  }

  @Test func bytesBesideTheModelAreRead() throws {
    try inFolder { folder in
      let reading = try read(model("w.bin"), path: "\(folder)/m.onnx")
      #expect(reading.model.graph.initializers.first?.tensor.doubles == [1, 2])
    }
  }

  @Test(arguments: ["/etc/passwd", "../w.bin", "a/../../w.bin", "", "a//b", ".."])
  func pathsOutOfTheFolderAreRefused(_ location: String) throws {
    try inFolder { folder in
      let found = errors(model(location), path: "\(folder)/m.onnx")
      #expect(found.map(\.reason) == [.escapingPath(location)])
      #expect(found.first?.place.road == [.named("graph", nil), .indexed("initializer", 0, "w")])
      #expect(found.first?.place.position != nil)
    }
  }

  @Test func linksAreRefusedAtTheEndAndOnTheWay() throws {
    try inFolder { folder in
      symlink("\(folder)/w.bin", "\(folder)/link.bin")
      symlink(folder, "\(folder)/inner")
      for location in ["link.bin", "inner/w.bin"] {
        let found = errors(model(location), path: "\(folder)/m.onnx")
        #expect(found.map(\.reason) == [.escapingPath(location)])
      }
      unlink("\(folder)/inner")
    }
  }

  @Test func rangesOutsideTheFileAreRefused() throws {
    try inFolder { folder in
      let path = "\(folder)/m.onnx"
      #expect(
        errors(model("w.bin", offset: "4"), path: path).map(\.reason)
          == [.truncated(needed: 8, available: 4)])
      #expect(
        errors(model("w.bin", offset: "\(Int.max)"), path: path).map(\.reason)
          == [.truncated(needed: 8, available: 0)])
      #expect(
        errors(model("w.bin", offset: "-1"), path: path).map(\.reason) == [
          .invalid("offset \"-1\"")
        ])
      #expect(
        errors(model("w.bin", length: "4"), path: path).map(\.reason)
          == [.inconsistent("4 bytes for a tensor of 8")])
    }
  }

  @Test func aModelWithoutAPathHasNoSecondFile() {
    #expect(
      errors(model("w.bin")).map(\.reason)
        == [.unsupported("external data of a model without a path")])
  }

  @Test func largeTensorsGoBesideTheModelAndComeBack() throws {
    try inFolder { folder in
      var model = try read(WireBuilder.model(WireBuilder.sum)).model
      let large = try #require(
        Tensor(.float32, [3000], elements: (0..<3000).map { Float($0) }))
      model.graph.initializers.append(Initializer("large", large))
      var options = WriteOptions()
      options.path = "\(folder)/out.onnx"
      options.externalDataThreshold = 1000
      let bytes = try written(model, options)
      #expect(bytes.count < 1000)
      #expect(try Bytes(mapping: "\(folder)/out.onnx.data").count == 12000)
      #expect(try read(bytes, path: "\(folder)/out.onnx").model == model)
    }
  }
}
