import Foundation
import Testing

/// `wherry quantize`: what it writes, what it reports, what it refuses and with which exit code.
@Suite struct QuantizeTests {
  private static let images = Shell.fixtures.appending(path: "golden/digits_images.f32").path
  private static let labels = Shell.fixtures.appending(path: "golden/digits_labels.u8")

  private func json(_ result: Shell.Result) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
  }

  /// A version 1.0 npy file.
  private func npy(_ shape: [Int], _ numbers: [Float]) -> Data {
    let extents = shape.map { "\($0)" }.joined(separator: ", ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents),), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var data = Data([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0])
    data.append(contentsOf: [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)])
    data.append(Data(header.utf8))
    numbers.withUnsafeBytes { data.append(contentsOf: $0) }
    return data
  }

  private func digits(_ count: Int) throws -> [Float] {
    let raw = try Data(contentsOf: URL(filePath: Self.images)).prefix(count * 256)
    return [UInt8](raw).withUnsafeBytes { bytes in
      (0..<count * 64).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
  }

  private func write(_ data: Data, _ name: String, in folder: URL) throws -> String {
    let url = folder.appending(path: name)
    try data.write(to: url)
    return url.path
  }

  private func textLabels() throws -> Data {
    Data(try Data(contentsOf: Self.labels).map { "\($0)" }.joined(separator: "\n").utf8)
  }

  @Test(arguments: ["onnx", "wherry", "json"])
  func everyFormatHoldsAQuantizedModelAndTheSameOneEachTime(ending: String) throws {
    try Shell.inFolder { folder in
      let samples = try write(npy([20, 1, 8, 8], digits(20)), "x.npy", in: folder)
      let files = ["a", "b"].map { folder.appending(path: "\($0).\(ending)") }
      for file in files {
        let result = try Shell.wherry(
          "quantize", Shell.digits, file.path, "--calibrate", samples)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.text.contains("conv0"))
      }
      #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
      let compared = try Shell.wherry(
        "compare", files[0].path, Shell.digits, "-i", samples, "--atol", "0.1")
      #expect(compared.status == 0, "\(compared.text)\(compared.errors)")
    }
  }

  @Test func accuracyOnTheDigitsDropsByHalfAPointAtMost() throws {
    try Shell.inFolder { folder in
      let labels = try write(textLabels(), "labels.txt", in: folder)
      let result = try Shell.wherry(
        "quantize", Shell.digits, folder.appending(path: "q.onnx").path, "--calibrate",
        Self.images, "--labels", labels, "--max-drop", "0.5", "--json")
      #expect(result.status == 0, "\(result.errors)")
      let report = try json(result)
      let accuracy = try #require(report["accuracy"] as? [String: Double])
      let (float, quantized) = (
        try #require(accuracy["float"]), try #require(accuracy["quantized"])
      )
      #expect(float > 0.98 && quantized > float - 0.005)
      let bound = try #require(report["bound"] as? [String: Any])
      #expect(bound["isReached"] as? Bool == true && (bound["kept"] as? [Any])?.isEmpty == true)
    }
  }

  @Test func theReportNamesEveryLayerWorstFirst() throws {
    try Shell.inFolder { folder in
      let result = try Shell.wherry(
        "quantize", Shell.digits, folder.appending(path: "q.onnx").path, "--calibrate",
        Self.images, "--json")
      let report = try json(result)
      let layers = try #require(report["layers"] as? [[String: Any]])
      let ratios = layers.compactMap { $0["sqnr"] as? Double }
      #expect(
        Set(layers.compactMap { $0["name"] as? String }) == ["conv0", "conv1", "conv2", "dense"])
      #expect(ratios.count == 4 && ratios == ratios.sorted() && ratios[0] > 20)
      let float = try #require(report["floatLayers"] as? [[String: Any]])
      #expect(float.map { $0["op"] as? String } == ["Softmax"])
    }
  }

  @Test func aBoundThatCantBeReachedIs1AndLeavesNothing() throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "q.onnx").path
      let result = try Shell.wherry(
        "quantize", Shell.digits, output, "--calibrate", Self.images, "--max-drop", "200")
      #expect(result.status == 1)
      #expect(result.errors.contains("nothing is written"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test func theWorstLayersStayFloatUntilTheBoundHolds() throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "q.onnx").path
      let free = try json(
        Shell.wherry("quantize", Shell.digits, output, "--calibrate", Self.images, "--json"))
      let outputs = try #require(free["outputs"] as? [[String: Any]])
      let reached = try #require(outputs.first?["sqnr"] as? Double)
      let worst = try #require((free["layers"] as? [[String: Any]])?.first?["name"] as? String)
      let result = try Shell.wherry(
        "quantize", Shell.digits, output, "--calibrate", Self.images, "--max-drop",
        "\(reached + 0.5)", "--json")
      let report = try json(result)
      let bound = try #require(report["bound"] as? [String: Any])
      let kept = try #require(bound["kept"] as? [[String: Any]])
      if result.status == 0 {
        #expect(kept.first?["layer"] as? String == worst)
        let float = try #require(report["floatLayers"] as? [[String: Any]])
        #expect(float.contains { $0["name"] as? String == worst })
        #expect(try #require(bound["value"] as? Double) >= reached + 0.5)
      } else {
        #expect(result.status == 1 && !kept.isEmpty)
      }
    }
  }

  @Test(arguments: ["--weights-only", "--dynamic"])
  func noDataIsNeededForTheModesWithoutScales(mode: String) throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "q.onnx").path
      let result = try Shell.wherry("quantize", Shell.digits, output, mode, "--json")
      #expect(result.status == 0, "\(result.errors)")
      #expect((try json(result)["layers"] as? [Any])?.count == 4)
      let compared = try Shell.wherry(
        "compare", output, Shell.digits, "-i", Self.images, "--atol", "0.1", "--engine",
        "reference")
      #expect(compared.status == 0, "\(compared.text)\(compared.errors)")
      let size = try FileManager.default.attributesOfItem(atPath: output)[.size] as? Int
      let whole = try FileManager.default.attributesOfItem(atPath: Shell.digits)[.size] as? Int
      #expect(try #require(size) < #require(whole) / 2)
    }
  }

  @Test func inputsAndOutputsCanBeIntegers() throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "q.onnx").path
      for (io, type) in [("int8", "int8"), ("uint8", "uint8"), ("float", "float32")] {
        let result = try Shell.wherry(
          "quantize", Shell.digits, output, "--calibrate", Self.images, "--io", io)
        #expect(result.status == 0, "\(result.errors)")
        let report = try json(Shell.wherry("inspect", output, "--json"))
        let input = (report["inputs"] as? [[String: Any]])?.first?["type"] as? String
        let results = (report["outputs"] as? [[String: Any]])?.first?["type"] as? String
        #expect(input?.hasPrefix(type) == true && results?.hasPrefix(type) == true)
      }
    }
  }

  @Test func aQuantizedModelIsWrittenAsItIs() throws {
    try Shell.inFolder { folder in
      let first = folder.appending(path: "q.onnx")
      let second = folder.appending(path: "again.onnx")
      _ = try Shell.wherry("quantize", Shell.digits, first.path, "--calibrate", Self.images)
      let result = try Shell.wherry("quantize", first.path, second.path, "--dynamic")
      #expect(result.status == 0 && result.errors.contains("quantized already"))
      #expect(try Data(contentsOf: first) == Data(contentsOf: second))
    }
  }

  @Test func aPartlyQuantizedModelIsRefusedByName() throws {
    try Shell.inFolder { folder in
      let first = folder.appending(path: "q.onnx").path
      let made = try Shell.wherry(
        "quantize", Shell.digits, first, "--calibrate", Self.images, "--exclude", "conv1")
      #expect(made.status == 0, "\(made.errors)")
      let output = folder.appending(path: "again.onnx").path
      let result = try Shell.wherry("quantize", first, output, "--calibrate", Self.images)
      #expect(result.status == 65)
      #expect(result.errors.contains("graph > node") && result.errors.contains("already"))
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  @Test func badSamplesAreRefusedWithTheirPlace() throws {
    try Shell.inFolder { folder in
      let good = try digits(4)
      var bad = good
      bad[64 * 2 + 7] = .nan
      let cases: [(Data, String, String)] = [
        (npy([4, 1, 8, 8], bad), "x.npy", "input \"image\" > sample 2 > element 7"),
        (npy([4, 1, 64], good), "x.npy", "[4, 1, 64]"),
        (npy([0, 1, 8, 8], []), "x.npy", "sample 0"),
        (Data("1,2,3\n".utf8), "x.csv", "3 values a row"),
        (Data("1,x\n".utf8), "x.csv", "input \"image\""),
        (Data("P5\n7 8\n255\n".utf8) + Data(count: 56), "x.pgm", "7 x 8"),
        (Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0]), "x.png", "byte 8"),
        (Data(), "x.npy", "image"),
      ]
      for (data, name, expected) in cases {
        let file = try write(data, name, in: folder)
        let output = folder.appending(path: "q.onnx").path
        let result = try Shell.wherry("quantize", Shell.digits, output, "--calibrate", file)
        #expect(result.status == 65, "\(name) \(expected): \(result.text)")
        #expect(result.errors.contains(expected), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: output))
      }
    }
  }

  @Test func imagesOfAFolderAreSamples() throws {
    try Shell.inFolder { folder in
      let images = folder.appending(path: "images")
      try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
      for (index, image) in try digits(12).chunked(64).enumerated() {
        let pixels = image.map { UInt8(min(max($0 * 255, 0), 255)) }
        try (Data("P5\n8 8\n255\n".utf8) + Data(pixels))
          .write(to: images.appending(path: "\(index + 10).pgm"))
      }
      let result = try Shell.wherry(
        "quantize", Shell.digits, folder.appending(path: "q.onnx").path, "--calibrate",
        images.path, "--scale", "0.00392157", "--json")
      #expect(result.status == 0, "\(result.errors)")
      #expect(try json(result)["samples"] as? Int == 12)
    }
  }

  @Test func wrongUsageIs64() throws {
    let output = "/tmp/never.onnx"
    for arguments in [
      [], ["--dynamic", "--weights-only"], ["--dynamic", "--max-drop", "1"],
      ["--calibrate", Self.images, "--percentile", "0"],
      ["--calibrate", Self.images, "--max-drop", "-1"],
      ["--calibrate", Self.images, "--metric", "accuracy"],
      ["--calibrate", Self.images, "--method", "guess"],
    ] {
      let result = try Shell.run(["quantize", Shell.digits, output] + arguments)
      #expect(result.status == 64, "\(arguments): \(result.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func otherWrongArgumentsAreBadData() throws {
    try Shell.inFolder { folder in
      let output = folder.appending(path: "q.onnx").path
      let few = try write(Data("1\n2\n".utf8), "labels.txt", in: folder)
      let words = try write(Data("one\n".utf8), "words.txt", in: folder)
      for arguments in [
        ["--labels", few], ["--labels", words], ["--exclude", "nobody"],
      ] {
        let result = try Shell.run(
          ["quantize", Shell.digits, output, "--calibrate", Self.images] + arguments)
        #expect(result.status == 65, "\(arguments): \(result.errors)")
      }
      let missing = try Shell.wherry(
        "quantize", Shell.digits, output, "--calibrate", "/nonexistent.npy")
      #expect(missing.status == 66)
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }
}

extension Array {
  fileprivate func chunked(_ size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
  }
}
