import CWherryKernels
import Foundation
import TestSupport
import Testing
import Wherry
import WherryBytes
import WherryGraph

/// The committed files are those of the manifest, and keep meaning what they meant.
@Suite struct FixtureTests {
  private struct Row: Decodable {
    var file, format, origin, expectation, sha256: String
  }

  private static let folder = Suites.packageFolder + "/fixtures"

  private func digest(_ bytes: Bytes) -> String {
    var hash = wh_sha256()
    var digest = [UInt8](repeating: 0, count: 32)
    wh_sha256_begin(&hash)
    bytes.withUnsafeBytes { wh_sha256_add(&hash, $0.baseAddress, $0.count) }
    wh_sha256_end(&hash, &digest)
    return digest.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
  }

  @Test func manifestListsEveryFileWithItsDigest() throws {
    let manifest = try Data(contentsOf: URL(filePath: Self.folder + "/manifest.json"))
    let rows = try JSONDecoder().decode([Row].self, from: manifest)
    for row in rows {
      #expect(digest(try Bytes(mapping: "\(Self.folder)/\(row.file)")) == row.sha256, "\(row.file)")
    }
    let listed = Set(rows.map(\.file))
    for part in ["models", "golden", "hdf5", "keras"] {
      let walk = try #require(FileManager.default.enumerator(atPath: "\(Self.folder)/\(part)"))
      for case let path as String in walk {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(
          atPath: "\(Self.folder)/\(part)/\(path)", isDirectory: &isFolder)
        if !isFolder.boolValue {
          #expect(listed.contains("\(part)/\(path)"), "\(path) is not listed")
        }
      }
    }
  }

  @Test func nativeFilesOfEveryVersionStillReadAndRun() throws {
    let original = try ModelFile("\(Self.folder)/models/digits_cnn.onnx")
    let file = try ModelFile("\(Self.folder)/golden/native-1.0/digits_cnn.wherry")
    #expect(file.model == original.model)
    let verification = try Verification(file.bytes)
    #expect(verification.problems.isEmpty && verification.testCases == 1)
    let images = try Bytes(mapping: "\(Self.folder)/golden/digits_images.f32")
    let scores = try Bytes(mapping: "\(Self.folder)/golden/digits_outputs.f32")
    let input = try #require(Tensor(.float32, [359, 1, 8, 8], bytes: images))
    let outputs = try Execution(file, engine: .runtime).run(["image": input])
    let comparison = Comparison(
      "probabilities", outputs.first?.tensor, Tensor(.float32, [359, 10], bytes: scores),
      bounds: .init(relative: 1e-5, absolute: 1e-5))
    #expect(comparison.isEqual, "\(comparison)")
  }
}
