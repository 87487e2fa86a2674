import TestSupport
import Testing
import WherryBytes
import WherryHDF5

/// Files by others, compared with what h5py finds in them.
@Suite struct HDF5SuiteTests {
  private static let fixtures = Suites.packageFolder + "/fixtures/hdf5"

  @Test(arguments: Folder.files(fixtures, suffix: ".h5"))
  func everyFixtureHoldsWhatH5pyFinds(path: String) throws {
    let expected = Folder.lines(path.dropLast(3) + ".txt").map(String.init)
    #expect(expected.count > 3)
    let found = try FileDump(try Bytes(mapping: path)).lines
    let missing = Set(expected.filter { !$0.contains(" unreadable ") }).subtracting(found)
    #expect(missing.isEmpty, "\(Set(found).subtracting(expected))")
    #expect(found.count == expected.count)
  }

  /// With `WHERRY_HDF5_OUT`, a folder, each file's lines go there for the oracle to compare:
  /// `python formats/HDF5/oracle/digests.py --compare suite SUITES/hdf5 FOLDER`.
  @Test func everySuiteFileIsReadOrRefusedForANamedReason() throws {
    guard let folder = Suites.find("hdf5") else { return }
    var (read, refused) = (0, 0)
    for path in Folder.files(folder, suffix: "") {
      let bytes = try Bytes(mapping: path)
      guard HDF5File.recognizes(bytes) else { continue }
      var lines: [String]
      do throws(DecodeError) {
        lines = try FileDump(bytes).lines
        read += 1
      } catch {
        lines = ["refused \(error)"]
        refused += 1
      }
      if let out = Suites.environment("WHERRY_HDF5_OUT") {
        let name = String(path.dropFirst(folder.count + 1))
        try Folder.write(
          Array(lines.joined(separator: "\n").utf8),
          to: "\(out)/suite-\(name.split(separator: "/").joined(separator: "%")).txt")
      }
    }
    #expect(read > 380 && refused < 40, "\(read) read, \(refused) refused")
  }
}
