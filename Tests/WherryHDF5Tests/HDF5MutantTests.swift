import TestSupport
import Testing
import WherryBytes
import WherryHDF5

/// Files that chance has damaged are read or refused, never more.
@Suite struct HDF5MutantTests {
  /// How many mutants to try: `WHERRY_MUTANTS`, and where they start: `WHERRY_SEED`.
  private static let count = Suites.environment("WHERRY_MUTANTS").flatMap { Int($0) } ?? 1000
  private static let seed = Suites.environment("WHERRY_SEED").flatMap { UInt64($0) } ?? 1

  /// What a mutant may spend.
  static var tight: Limits {
    var limits = Limits()
    limits.expandedBytes = 1 << 22
    limits.elements = 1 << 14
    return limits
  }

  /// Ten files of different structure: those of the fixtures, and some of our own.
  private static func parents() throws -> [[UInt8]] {
    let fixtures = Folder.files(Suites.packageFolder + "/fixtures/hdf5", suffix: ".h5")
    var files = try fixtures.map { try Bytes(mapping: $0).array }
    let numbers = HDF5Draft.Value.array(.int16, [30, 10], Bytes([UInt8](repeating: 7, count: 600)))
    let storages: [HDF5Draft.Storage] = [
      .contiguous, .chunked([1, 1], level: nil, shuffle: false),
      .chunked([7, 3], level: 6, shuffle: true), .chunked([30, 10], level: 1, shuffle: false),
    ]
    for storage in storages {
      let sink = MemorySink()
      let draft = HDF5Draft.Group(
        attributes: [.init("texts", .texts(["a", "bc"])), .init("flag", .bool(true))],
        members: [
          ("numbers", .dataset(.init(numbers, storage: storage))), ("soft", .softLink("numbers")),
        ])
      try HDF5Writer.write(draft, to: sink)
      files.append(sink.bytes)
    }
    return files
  }

  /// Places worth damaging: blocks start with four capitals.
  private static func signatures(_ bytes: [UInt8]) -> [Int] {
    guard bytes.count >= 4 else { return [] }
    return (0...bytes.count - 4).filter { at in
      bytes[at..<at + 4].allSatisfy { (0x41...0x5A).contains($0) }
    }
  }

  @Test func damagedFilesAreReadOrRefused() throws {
    var random = SplitMix(state: Self.seed)
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(bound, 1))) }
    let parents = try Self.parents()
    #expect(parents.count == 10)
    let blocks = parents.map(Self.signatures)
    var (opened, lines, refusals) = (0, 0, 0)
    for index in 0..<Self.count {
      let parent = index % parents.count
      var bytes = parents[parent]
      for _ in 0...below(5) {
        // Metadata is a small part of a file; half of the damage goes there.
        let block = blocks[parent].isEmpty ? 0 : blocks[parent][below(blocks[parent].count)]
        let at = below(2) == 0 ? below(bytes.count) : min(block + below(120), bytes.count - 1)
        switch below(7) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[at] ^= 1 << UInt8(below(8))
        case 2: bytes[at] = 0xFF
        case 3: bytes[at] &+= 1
        case 4:
          let from = below(bytes.count)
          for offset in 0..<min(8, bytes.count - max(from, at)) {
            bytes[at + offset] = bytes[from + offset]
          }
        case 5:
          // An address of another block.
          let target = blocks[parent].isEmpty ? 0 : blocks[parent][below(blocks[parent].count)]
          for offset in 0..<min(8, bytes.count - at) {
            bytes[at + offset] = UInt8(truncatingIfNeeded: target >> (8 * offset))
          }
        default:
          for offset in 0..<min(4, bytes.count - at) {
            bytes[at + offset] = UInt8(truncatingIfNeeded: random.next())
          }
        }
      }
      do throws(DecodeError) {
        let dump = try FileDump(
          Bytes(bytes), limits: Self.tight, mostBytes: 1 << 20, verifiesChecksums: false)
        opened += 1
        lines += dump.lines.count
        refusals += dump.lines.count { $0.contains("byte ") }
      } catch {
        refusals += 1
      }
    }
    print(
      "\(Self.count) mutants from seed \(Self.seed): \(opened) opened, \(lines) things in them, "
        + "\(refusals) refused")
    #expect(opened > Self.count / 2 && refusals > Self.count / 4)
  }

  @Test func everyPrefixIsReadOrRefused() throws {
    for name in ["user_block", "types"] {
      let bytes = try Bytes(mapping: "\(Suites.packageFolder)/fixtures/hdf5/\(name).h5")
      var shorter = 0
      for count in stride(from: 0, to: bytes.count, by: name == "types" ? 7 : 1) {
        let prefix = try #require(bytes.slice(0..<count))
        do throws(DecodeError) {
          _ = try HDF5File(prefix)
        } catch {
          shorter += 1
        }
      }
      // The superblock states the end of the file.
      #expect(shorter >= bytes.count / 7 - 1)
    }
  }

  /// As above, but with the end of the file that the superblock states moved along.
  @Test func everyPrefixWithItsOwnEndIsReadOrRefused() throws {
    let sink = MemorySink()
    try HDF5Writer.write(
      .init(
        attributes: [.init("text", .text("hello"))],
        members: [("x", .dataset(.init(.array(.uint8, [3], Bytes([1, 2, 3])))))]), to: sink)
    let whole = try FileDump(Bytes(sink.bytes)).lines
    #expect(whole.count == 3)
    for count in 96..<sink.bytes.count {
      var bytes = Array(sink.bytes.prefix(count))
      for offset in 0..<8 { bytes[40 + offset] = UInt8(truncatingIfNeeded: count >> (8 * offset)) }
      let lines = try FileDump(Bytes(bytes)).lines
      #expect(lines != whole, "\(count) of \(sink.bytes.count) bytes hold the same")
    }
  }
}

/// Reproducible random numbers.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
