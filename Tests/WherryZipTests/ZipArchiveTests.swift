import CZlib
import TestSupport
import Testing
import WherryBytes
import WherryZip

/// Archives that are whole, damaged and hostile.
@Suite struct ZipArchiveTests {
  private static let text = [UInt8](
    repeatElement("a line that repeats itself\n".utf8, count: 40).joined())

  /// An archive whose entries are deflated, or stored as they are.
  private func archive(
    _ entries: [(name: String, content: [UInt8])], isDeflated: Bool = true, size: UInt32? = nil
  ) -> [UInt8] {
    var (file, directory) = (ByteWriter(), ByteWriter())
    for entry in entries {
      let data = isDeflated ? deflated(entry.content) : entry.content
      let sum = UInt32(crc32(0, entry.content, uInt(entry.content.count)))
      var common = ByteWriter()
      for field in [20, 0, isDeflated ? 8 : 0, 0, 33] as [UInt16] { common.integer(field) }
      for field in [sum, UInt32(data.count), size ?? UInt32(entry.content.count)] {
        common.integer(field)
      }
      common.integer(UInt16(entry.name.utf8.count))
      common.integer(UInt16(0))
      directory.integer(UInt32(0x0201_4B50))
      directory.integer(UInt16(20))
      directory.raw(common.bytes)
      directory.raw([UInt8](repeating: 0, count: 10))
      directory.integer(UInt32(file.count))
      directory.raw(Array(entry.name.utf8))
      file.integer(UInt32(0x0403_4B50))
      file.raw(common.bytes)
      file.raw(Array(entry.name.utf8))
      file.raw(data)
    }
    let start = file.count
    file.raw(directory.bytes)
    file.integer(UInt32(0x0605_4B50))
    file.integer(UInt32(0))
    file.integer(UInt16(entries.count))
    file.integer(UInt16(entries.count))
    file.integer(UInt32(directory.count))
    file.integer(UInt32(start))
    file.integer(UInt16(0))
    return file.bytes
  }

  private func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    deflateInit2_(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    defer { deflateEnd(&stream) }
    var (input, output) = (bytes, [UInt8](repeating: 0, count: bytes.count + 64))
    return input.withUnsafeMutableBufferPointer { input in
      let count = output.withUnsafeMutableBufferPointer { output -> Int in
        (stream.next_in, stream.avail_in) = (input.baseAddress, uInt(input.count))
        (stream.next_out, stream.avail_out) = (output.baseAddress, uInt(output.count))
        deflate(&stream, Z_FINISH)
        return Int(stream.total_out)
      }
      return Array(output[..<count])
    }
  }

  private func refusal(_ bytes: [UInt8], limits: Limits = .standard) -> DecodeError? {
    do throws(DecodeError) {
      let archive = try ZipArchive(Bytes(bytes), limits: limits)
      for entry in archive.entries { _ = try archive.content(of: entry) }
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [true, false])
  func entriesComeOutAsTheyWentIn(_ isDeflated: Bool) throws {
    let entries = [("a.txt", Self.text), ("folder/ä", [UInt8]()), ("b", [1, 2, 3])]
    let file = try ZipArchive(Bytes(archive(entries, isDeflated: isDeflated)))
    #expect(file.entries.map(\.name) == entries.map(\.0))
    for (entry, content) in zip(file.entries, entries) {
      #expect(try file.content(of: entry).array == content.1)
    }
  }

  @Test func whatTheWriterWritesIsRead() throws {
    let sink = MemorySink()
    var writer = ZipWriter(sink)
    try writer.add("config.json", Bytes(Self.text))
    try writer.add("empty", Bytes([UInt8]()))
    try writer.finish()
    let file = try ZipArchive(Bytes(sink.bytes))
    #expect(file.entries.map(\.name) == ["config.json", "empty"])
    #expect(try file.entries.first.map { try file.content(of: $0) }?.array == Self.text)
  }

  @Test func everyPrefixIsRefused() {
    let bytes = archive([("a", Self.text), ("b", [1])])
    for count in 0..<bytes.count { #expect(refusal(Array(bytes[..<count])) != nil, "\(count)") }
  }

  /// No bit of the directory or of an entry decides alone what is read: content is that of the checksum.
  @Test func everyBitThatIsTurnedIsNoticedOrDoesNotMatter() throws {
    let bytes = archive([("first", Self.text), ("second", [1, 2, 3])])
    for place in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= 1 << UInt8(bit)
        guard let file = try? ZipArchive(Bytes(damaged)) else { continue }
        for entry in file.entries {
          guard let content = try? file.content(of: entry) else { continue }
          let isWhole = content.array == Self.text || content.array == [1, 2, 3]
          // An entry may be said to be empty, whose checksum is 0; nothing else passes.
          #expect(isWhole, "byte \(place), bit \(bit)")
        }
      }
    }
  }

  @Test func entriesThatGrowTogetherBeyondTheLimitAreRefused() throws {
    var limits = Limits()
    limits.expandedBytes = 2 * Self.text.count - 1
    let bytes = archive([("a", Self.text), ("b", Self.text)])
    let error = try #require(refusal(bytes, limits: limits))
    #expect(error.reason == .limit("expanded bytes", limits.expandedBytes))
    #expect(error.description.contains("\"b\""))
    limits.expandedBytes += 1
    #expect(refusal(bytes, limits: limits) == nil)
    // What is stored takes no room of its own.
    limits.expandedBytes = 0
    let stored = archive([("a", Self.text)], isDeflated: false)
    #expect(refusal(stored, limits: limits) == nil)
  }

  /// A size that deflate can't reach is refused before room is made for it.
  @Test func sizesThatDataCannotReachAreRefused() throws {
    let bytes = archive([("a", [7, 7, 7])], size: 1 << 30)
    #expect(refusal(bytes)?.reason == .invalid("deflated data"))
  }

  @Test func namesThatStandTwiceOrDifferAreRefused() {
    let twice = archive([("config.json", [1]), ("config.json", [2])])
    #expect(refusal(twice)?.reason == .duplicate("config.json"))
    var other = archive([("config.json", [1])])
    other[30] = UInt8(ascii: "C")
    #expect(refusal(other)?.reason == .inconsistent("zip entry names"))
  }

  @Test func encryptionAndOtherMethodsHaveNames() {
    var encrypted = archive([("a", [1])], isDeflated: false)
    let directory = encrypted.count - 22 - 47
    encrypted[directory + 8] = 1
    #expect(refusal(encrypted)?.reason == .unsupported("encrypted zip entry"))
    var other = archive([("a", [1])], isDeflated: false)
    other[directory + 10] = 12
    #expect(refusal(other)?.reason == .unsupported("zip method 12"))
  }
}
