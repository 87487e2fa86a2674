import Glibc
import TestSupport
import Testing
import WherryBytes

@testable import WherryHDF5

/// What reading packed chunks costs and checks.
@Suite struct PackedReadingTests {
  /// The check sum as the specification states it, byte by byte.
  private static func adler(_ bytes: [UInt8]) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    return high << 16 | low
  }

  @Test(arguments: [0, 1, 15, 16, 17, 5551, 5552, 5553, 5568, 11104, 100_003])
  func checkSumIsThatOfTheSpecification(_ count: Int) {
    var random = SplitMix(state: UInt64(count))
    let noise = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let largest = [UInt8](repeating: 0xFF, count: count)
    for bytes in [noise, largest] {
      let sum = bytes.withUnsafeBytes { Adler32.checksum($0) }
      #expect(sum == Self.adler(bytes))
    }
  }

  /// A file of 8 MB of numbers that deflate leaves about as large.
  private static func write(
    _ path: String, type: HDF5Type, level: Int?
  ) throws -> [UInt8] {
    var random = SplitMix(state: 5)
    let elements = (0..<8 << 20).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let value = HDF5Draft.Value.array(type, [32, 256, 256], Bytes(elements))
    let file = try AtomicFile(path)
    let storage = HDF5Draft.Storage.chunked([1, 128, 256], level: level, shuffle: false)
    try HDF5Writer.write(
      .init(members: [("x", .dataset(.init(value, storage: storage)))]), to: file)
    try file.commit()
    return elements
  }

  /// Kilobytes of a mapped file that are in this program's memory.
  private static func resident(_ path: String) throws -> Int {
    let text = try #require(Bytes(reading: open("/proc/self/smaps", O_RDONLY)).text)
    var (sum, isOurs) = (0, false)
    for line in text.split(separator: "\n") {
      if line.contains("-"), line.contains(" r") { isOurs = line.hasSuffix(path) }
      if isOurs, line.hasPrefix("Rss:") {
        sum += line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      }
    }
    return sum
  }

  @Test(arguments: [nil, 1])
  func chunksThatWereReadDoNotStayInMemory(_ level: Int?) throws {
    let path = "/tmp/wherry-packed-\(getpid())-\(level ?? 0).h5"
    defer { unlink(path) }
    let elements = try Self.write(path, type: .float32, level: level)
    let bytes = try Bytes(mapping: path)
    guard case .dataset(let dataset) = try HDF5File(bytes).object(at: "x") else {
      Issue.record("no data set")
      return
    }
    #expect(try dataset.read().bytes.array == elements)
    #expect(try Self.resident(path) < 1024)
    // What was let go comes back.
    #expect(try dataset.read().bytes.array == elements)
  }

  @Test(arguments: [2, 4, 8])
  func chunksOfTheOtherByteOrderAreTurned(_ size: Int) throws {
    let bits = HDF5Bits(size: size, order: .big)
    let elements = (0..<6000 * size).map { UInt8(truncatingIfNeeded: $0 * 37 + $0 / 256) }
    let turned = elements.indices.map { elements[$0 / size * size + size - 1 - $0 % size] }
    let value = HDF5Draft.Value(
      .integer(bits, isSigned: true), .simple([60, 100], maximum: [60, 100]),
      .bytes(Bytes(elements)))
    for storage in [HDF5Draft.Storage.chunked([7, 100], level: 1, shuffle: true), .contiguous] {
      let sink = MemorySink()
      try HDF5Writer.write(
        .init(members: [("x", .dataset(.init(value, storage: storage)))]), to: sink)
      guard case .dataset(let dataset) = try HDF5File(Bytes(sink.bytes)).object(at: "x") else {
        Issue.record("no data set")
        continue
      }
      let array = try dataset.read()
      #expect(dataset.type == .integer(bits, isSigned: true))
      #expect(array.type == .integer(HDF5Bits(size: size), isSigned: true))
      #expect(array.bytes.array == turned)
    }
  }

  @Test func bytesThatWereLetGoAreTheSame() throws {
    let path = "/tmp/wherry-released-\(getpid())"
    defer { unlink(path) }
    let content = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    let file = try AtomicFile(path)
    try file.append(content)
    try file.commit()
    let mapped = try Bytes(mapping: path)
    for range in [0..<50_000, 4096..<8192, 4097..<4098, 49_999..<50_000, 7..<7] {
      let heap = try #require(Bytes(content).slice(range))
      #expect(try #require(mapped.slice(range)) == heap)
      mapped.slice(range)?.releasePages()
      heap.releasePages()
      #expect(mapped.array == content)
      #expect(heap.array == Array(content[range]))
    }
  }

  @Test func streamsWhoseFrameIsDamagedAreRefused() throws {
    let elements = [UInt8](repeating: 9, count: 4096)
    let sink = MemorySink()
    let value = HDF5Draft.Value.array(.uint8, [4096], Bytes(elements))
    let storage = HDF5Draft.Storage.chunked([4096], level: 6, shuffle: false)
    try HDF5Writer.write(
      .init(members: [("x", .dataset(.init(value, storage: storage)))]), to: sink)
    func read(_ bytes: [UInt8]) throws -> [UInt8]? {
      guard case .dataset(let dataset) = try HDF5File(Bytes(bytes)).object(at: "x") else {
        return nil
      }
      return try dataset.read().bytes.array
    }
    #expect(try read(sink.bytes) == elements)
    let sum = Self.adler(elements)
    let trailer = (0..<4).map { UInt8(truncatingIfNeeded: sum >> UInt32(24 - 8 * $0)) }
    let end = try #require(
      (4..<sink.bytes.count - 4).first { Array(sink.bytes[$0..<$0 + 4]) == trailer })
    for at in end..<end + 4 {
      var damaged = sink.bytes
      damaged[at] ^= 1
      #expect(throws: DecodeError.self) { try read(damaged) }
    }
    let start = try #require((0..<end).last { sink.bytes[$0] == 0x78 })
    for (at, bit) in [(start, 1), (start, 0x80), (start + 1, 0x20), (start + 1, 1)] {
      var damaged = sink.bytes
      damaged[at] ^= UInt8(bit)
      #expect(throws: DecodeError.self) { try read(damaged) }
    }
  }
}
