import TestSupport
import Testing
import WherryBytes

@testable import WherryHDF5

/// Replaced elements are there, and everything else is as before.
@Suite struct ElementPatchTests {
  private func dataset(_ file: HDF5File, _ path: String) throws -> HDF5Dataset {
    guard case .dataset(let dataset) = try file.object(at: path) else {
      throw DecodeError(.missing(path))
    }
    return dataset
  }

  /// A file with other elements in the data set at a path.
  private func patched(_ bytes: [UInt8], _ path: String, _ elements: Bytes) throws -> [UInt8] {
    var end = bytes.count
    let edits = try dataset(HDF5File(Bytes(bytes)), path).edits(replacing: elements, end: &end)
    var result = bytes + [UInt8](repeating: 0, count: end - bytes.count)
    for edit in edits {
      result.replaceSubrange(edit.offset..<edit.offset + edit.bytes.count, with: edit.bytes.array)
    }
    return result
  }

  private func noise(_ count: Int, seed: UInt64) -> Bytes {
    var random = SplitMix(state: seed)
    return Bytes((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
  }

  @Test(
    arguments: [
      .contiguous, .chunked([4, 3], level: nil, shuffle: false),
      .chunked([4, 3], level: 6, shuffle: true), .chunked([10, 7], level: 9, shuffle: false),
      .chunked([1, 1], level: 1, shuffle: true), .chunked([64, 64], level: 0, shuffle: false),
    ] as [HDF5Draft.Storage])
  func onlyTheElementsChange(storage: HDF5Draft.Storage) throws {
    // Zeros pack well and noise does not, so packed chunks grow and shrink.
    let (zeros, other) = (Bytes(count: 280) { _ in }, noise(280, seed: 7))
    let members = [("x", zeros), ("y", other)].map { name, bytes in
      (
        name: name,
        object: HDF5Draft.Object.dataset(
          .init(.array(.int32, [10, 7], bytes), storage: storage))
      )
    }
    let sink = MemorySink()
    try HDF5Writer.write(.init(members: members), to: sink)
    let grown = try patched(sink.bytes, "x", noise(280, seed: 8))
    let back = try patched(grown, "x", zeros)
    for (bytes, expected) in [(grown, noise(280, seed: 8)), (back, zeros)] {
      let file = try HDF5File(Bytes(bytes))
      #expect(try dataset(file, "x").read().bytes == expected)
      #expect(try dataset(file, "y").read().bytes == other)
    }
    if case .contiguous = storage { #expect(back == sink.bytes && grown != back) }
    // What moved lies behind the old end.
    let moved = zip(sink.bytes, grown).count { $0 != $1 }
    #expect(moved > 0 && moved < sink.bytes.count / 2)
  }

  @Test(arguments: ["chunks", "types", "latest", "keras", "user_block"])
  func dataSetsOfOtherWritersAreReplacedOrRefusedByName(fixture: String) throws {
    let bytes = try Bytes(mapping: "\(Suites.packageFolder)/fixtures/hdf5/\(fixture).h5").array
    var paths: [String] = []
    try HDF5File(Bytes(bytes)).forEachObject { (object) throws(DecodeError) in
      if case .dataset(let dataset) = object { paths.append(dataset.path) }
    }
    var (replaced, refused) = (0, 0)
    for path in paths {
      guard let old = try? dataset(HDF5File(Bytes(bytes)), path).read() else { continue }
      let elements = noise(old.bytes.count, seed: 3)
      let result: [UInt8]
      do {
        result = try patched(bytes, path, elements)
      } catch let error as DecodeError {
        guard case .unsupported = error.reason else {
          Issue.record("\(path): \(error)")
          continue
        }
        refused += 1
        continue
      }
      let file = try HDF5File(Bytes(result))
      #expect(try dataset(file, path).read().bytes == elements, "\(path)")
      for other in paths where other != path {
        let before = try? dataset(HDF5File(Bytes(bytes)), other).read().bytes
        #expect((try? dataset(file, other).read().bytes) == before, "\(path) changes \(other)")
      }
      replaced += 1
    }
    #expect(replaced > 0, "\(fixture): \(replaced) replaced, \(refused) refused")
  }

  @Test func elementsOfAnotherSizeAreRefused() throws {
    let sink = MemorySink()
    let draft = HDF5Draft.Dataset(.array(.uint8, [3], Bytes([1, 2, 3])))
    try HDF5Writer.write(.init(members: [("x", .dataset(draft))]), to: sink)
    #expect(
      throws: DecodeError(.inconsistent("size of the elements"), Place().inside("data set", "/x"))
    ) {
      try patched(sink.bytes, "x", Bytes([1, 2]))
    }
  }
}
