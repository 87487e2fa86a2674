import Foundation
import Testing
import WherryBytes

@Suite struct AtomicFileTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  @Test func nothingIsLeftWithoutCommit() throws {
    try inFolder { folder in
      try Data("old".utf8).write(to: URL(filePath: folder + "/f"))
      do {
        let file = try AtomicFile(folder + "/f")
        try file.append([1, 2, 3])
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["f"])
      #expect(try Bytes(mapping: folder + "/f").text == "old")
    }
  }

  @Test func committedFilesAppearWhole() throws {
    try inFolder { folder in
      let file = try AtomicFile(folder + "/f")
      let large = [UInt8](repeating: 7, count: 200_000)
      try file.append([1])
      try file.append(large)
      try file.pad(to: 64)
      try file.overwrite([9], at: 0)
      #expect(file.count == 200_064)
      try file.commit()
      let bytes = try Bytes(mapping: folder + "/f")
      #expect(bytes.count == 200_064)
      #expect(bytes.byte(0) == 9 && bytes.byte(200_000) == 7 && bytes.byte(200_063) == 0)
    }
  }

  @Test func missingFoldersAndFilesSayWhatTheyAre() {
    let write = #expect(throws: FileError.self) { try AtomicFile("/nonexistent/f") }
    #expect(write?.reason == .notFound)
    let read = #expect(throws: FileError.self) { try Bytes(mapping: "/nonexistent") }
    #expect(read?.reason == .notFound)
    let folder = #expect(throws: FileError.self) { try Bytes(mapping: "/tmp") }
    #expect(folder?.reason == .notRegular)
  }
}
