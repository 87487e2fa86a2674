import Foundation
import Testing

/// What the command shows of HDF5 files, and how it replaces weights.
@Suite struct HDF5VerbTests {
  private static let keras = Shell.fixtures.appending(path: "hdf5/keras.h5")

  /// A NumPy file of float32.
  private func npy(_ values: [Float], _ shape: [Int], at url: URL) throws {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    header += String(repeating: " ", count: 117 - header.count) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0])
    data += Data(header.utf8)
    for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data += $0 } }
    try data.write(to: url)
  }

  private func tree(_ path: String) throws -> [[String: Any]] {
    let result = try Shell.wherry("inspect", path, "--tree", "--json")
    #expect(result.status == 0, "\(result.errors)")
    let report = try JSONSerialization.jsonObject(with: result.output) as? [String: Any]
    return report?["entries"] as? [[String: Any]] ?? []
  }

  @Test func inspectShowsAFileWithoutAModelAsATree() throws {
    let chunks = Shell.fixtures.appending(path: "hdf5/chunks.h5").path
    let result = try Shell.wherry("inspect", chunks)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.text.contains("  gzip: float32  [20, 6]  chunked  [5, 6]  deflate 4  480 B\n"))
    #expect(result.text.contains("  all: int16 big-endian  [9, 5]  chunked  [4, 4]  shuffle  LZF"))
    let entries = try tree(chunks)
    let rows = try #require(entries.first { $0["path"] as? String == "/rows" })
    #expect(rows["filters"] as? [String] == ["shuffle", "deflate 4"])
    #expect(rows["chunk"] as? [Int] == [1, 2, 3])
  }

  @Test func treesShowAttributesAndLinks() throws {
    let names = try Shell.wherry("inspect", Shell.fixtures.appending(path: "hdf5/names.h5").path)
    #expect(names.status == 0 && names.text.contains("(soft link)"))
    let keras = try tree(Self.keras.path)
    let root = try #require(keras.first?["attributes"] as? [[String: Any]])
    let version = root.first { $0["name"] as? String == "keras_version" }
    #expect(version?["value"] as? String == "\"2.15.0\"")
    #expect(try Shell.wherry("inspect", Shell.digits, "--tree").status == 65)
  }

  @Test func everyGraphGoesToHDF5AndTheChoiceOfLayoutIsPrinted() throws {
    try Shell.inFolder { folder in
      let (h5, back) = (
        folder.appending(path: "digits.h5").path, folder.appending(path: "back.onnx").path
      )
      let keras = try Shell.wherry("convert", Shell.digits, h5, "--verify")
      #expect(keras.status == 0 && !keras.errors.contains("graph layout"), "\(keras.errors)")
      #expect(keras.errors.contains("class labels"), "\(keras.errors)")
      #expect(try Shell.wherry("convert", Shell.digits, h5, "--strict").status == 65)
      let small = folder.appending(path: "small.onnx").path
      #expect(try Shell.wherry("quantize", Shell.digits, small, "--weights-only").status == 0)
      let other = try Shell.wherry("convert", small, h5)
      #expect(other.status == 0 && other.errors.contains("graph layout"), "\(other.errors)")
      let named = try Shell.wherry("convert", Shell.digits, h5, "--strict", "--to", "hdf5-graph")
      #expect(named.status == 0 && named.errors.isEmpty, "\(named.errors)")
      #expect(try Shell.wherry("convert", h5, back, "--strict").status == 0)
      #expect(try Shell.wherry("compare", back, Shell.digits).status == 0)
      #expect(try Shell.wherry("inspect", h5).text.contains("x Conv"))
    }
  }

  @Test func patchReplacesOneWeightAndLeavesTheRest() throws {
    try Shell.inFolder { folder in
      let (model, weight) = (folder.appending(path: "m.h5"), folder.appending(path: "w.npy"))
      let before = try Data(contentsOf: Self.keras)
      try before.write(to: model)
      try npy([7.5, -1], [2], at: weight)
      let result = try Shell.wherry("patch", model.path, "dense_1/bias=\(weight.path)")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.text.contains("/model_weights/dense_1/dense_1/bias:0: float32 [2]"))
      let after = try Data(contentsOf: model)
      #expect(after.count == before.count)
      let changed = after.indices.filter { after[$0] != before[$0] }
      let (first, last) = (try #require(changed.first), try #require(changed.last))
      #expect(last - first < 8)
      // The old value puts every byte back.
      let (old, out) = (folder.appending(path: "old.npy"), folder.appending(path: "out.h5"))
      let start = first - (first % 4)
      try npy(
        (0..<2).map { index in
          before.subdata(in: start + 4 * index..<start + 4 * index + 4).withUnsafeBytes {
            $0.loadUnaligned(as: Float.self)
          }
        }, [2], at: old)
      #expect(
        try Shell.wherry("patch", model.path, "dense_1/bias=\(old.path)", "-o", out.path).status
          == 0)
      #expect(try Data(contentsOf: out) == before)
    }
  }

  @Test func patchReachesInitializersOfONNXAndOfTheGraphLayout() throws {
    try Shell.inFolder { folder in
      let h5 = folder.appending(path: "digits.h5")
      _ = try Shell.wherry("convert", Shell.digits, h5.path, "--to", "hdf5-graph")
      let report =
        try JSONSerialization.jsonObject(
          with: try Shell.wherry("inspect", h5.path, "--tree", "--json").output) as? [String: Any]
      let entries = try #require(report?["entries"] as? [[String: Any]])
      let bias = try #require(
        entries.first {
          ($0["path"] as? String)?.hasPrefix("/graph/initializers/") == true
            && ($0["shape"] as? String)?.contains(",") == false
            && $0["type"] as? String == "float32"
        })
      let count = try #require(
        (bias["shape"] as? String).flatMap { Int($0.dropFirst().dropLast()) })
      let attributes = try #require(bias["attributes"] as? [[String: Any]])
      let label = try #require(attributes.first { $0["name"] as? String == "name" })
      let name = try #require(label["value"] as? String, "\(bias)").dropFirst().dropLast()
      let weight = folder.appending(path: "w.npy")
      try npy([Float](repeating: 3, count: count), [count], at: weight)
      for model in [h5, URL(filePath: Shell.digits)] {
        let out = folder.appending(path: "out").appendingPathExtension(model.pathExtension)
        let result = try Shell.wherry(
          "patch", model.path, "\(name)=\(weight.path)", "-o", out.path)
        #expect(result.status == 0, "\(result.errors)")
        let (old, new) = (try Data(contentsOf: model), try Data(contentsOf: out))
        let changed = old.indices.filter { old[$0] != new[$0] }
        #expect(old.count == new.count && !changed.isEmpty && changed.count <= 4 * count)
      }
      #expect(
        try Shell.wherry(
          "compare", folder.appending(path: "out.h5").path,
          folder.appending(path: "out.onnx").path
        ).status == 0)
    }
  }

  @Test func patchRefusesWhatDoesNotFitAndWritesNothing() throws {
    try Shell.inFolder { folder in
      let (model, weight) = (folder.appending(path: "m.h5"), folder.appending(path: "w.npy"))
      let before = try Data(contentsOf: Self.keras)
      try before.write(to: model)
      try npy([1, 2, 3], [3], at: weight)
      for (argument, reason) in [
        ("dense_1/bias=\(weight.path)", "shape [3] in place of [2]"),
        ("step=\(weight.path)", "float32 in place of int64"),
        ("nothing=\(weight.path)", "\"nothing\" is not defined"),
        ("bias=\(weight.path)", "stands twice"),
      ] {
        let result = try Shell.wherry("patch", model.path, argument)
        #expect(result.status == 65 && result.errors.contains(reason), "\(result.errors)")
      }
      #expect(try Shell.wherry("patch", model.path, "dense_1").status == 64)
      #expect(try Shell.wherry("patch", model.path, "a=/nonexistent.npy").status == 66)
      let native = folder.appending(path: "m.wherry")
      _ = try Shell.wherry("convert", Shell.digits, native.path)
      let refused = try Shell.wherry("patch", native.path, "a=\(weight.path)")
      #expect(refused.status == 65 && refused.errors.contains("native file"))
      #expect(try Data(contentsOf: model) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 3)
    }
  }
}
