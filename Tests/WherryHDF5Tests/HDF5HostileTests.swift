import TestSupport
import Testing
import WherryBytes

@testable import WherryHDF5

/// Files that mean harm are refused for the right reason, at the right place.
@Suite struct HDF5HostileTests {
  /// A file that a test damages at chosen places.
  private struct Victim {
    var bytes: [UInt8]

    init(_ root: HDF5Draft.Group) throws {
      let sink = MemorySink()
      try HDF5Writer.write(root, to: sink)
      bytes = sink.bytes
    }

    init(fixture: String) throws {
      bytes = try Bytes(mapping: "\(Suites.packageFolder)/fixtures/hdf5/\(fixture).h5").array
    }

    /// Where the n-th block with a signature starts.
    func block(_ signature: String, _ number: Int = 0) throws -> Int {
      let letters = Array(signature.utf8)
      let found = bytes.indices.dropLast(3).filter { Array(bytes[$0..<$0 + 4]) == letters }
      return try #require(found.dropFirst(number).first, "\(signature) \(number)")
    }

    func number(at offset: Int) -> Int {
      (0..<8).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    mutating func put(_ number: Int, width: Int = 8, at offset: Int) {
      for index in 0..<width {
        bytes[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * index))
      }
    }

    /// Where `pattern` stands, which must be once.
    func find(_ pattern: [UInt8]) throws -> Int {
      let found = bytes.indices.dropLast(pattern.count - 1).filter {
        Array(bytes[$0..<$0 + pattern.count]) == pattern
      }
      #expect(found.count == 1)
      return try #require(found.first)
    }

    func file(_ limits: Limits = .standard) throws(DecodeError) -> HDF5File {
      try HDF5File(Bytes(bytes), limits: limits, verifiesChecksums: false)
    }
  }

  private func error(_ body: () throws -> Void) -> DecodeError? {
    do {
      try body()
      return nil
    } catch {
      return error as? DecodeError
    }
  }

  private func read(_ file: HDF5File, _ path: String) throws -> HDF5Array {
    guard case .dataset(let dataset) = try file.object(at: path) else {
      throw DecodeError(.missing(path))
    }
    return try dataset.read()
  }

  private static let ramp = HDF5Draft.Value.array(.uint8, [32], Bytes((0..<32).map { UInt8($0) }))

  private func one(_ storage: HDF5Draft.Storage) throws -> Victim {
    try Victim(.init(members: [("x", .dataset(.init(Self.ramp, storage: storage)))]))
  }

  private func links(_ count: Int) throws -> Victim {
    try Victim(.init(members: (0..<count).map { ("link \($0)", .softLink("x")) }))
  }

  @Test func aTreeThatIsItsOwnChildIsRefused() throws {
    var victim = try links(9)
    let tree = try victim.block("TREE")
    victim.put(1, width: 1, at: tree + 5)
    victim.put(tree, at: tree + 32)
    let found = error { _ = try victim.file().root().links() }
    #expect(found?.reason == .invalid("B-tree that comes back to a node"))
    #expect(found?.place == Place(.byte(tree), road: [.named("group", "/")]))
  }

  @Test func aTreeThatLeadsTwiceToANodeIsRefused() throws {
    var victim = try links(300)
    let root = try victim.block("TREE", 2)
    #expect(victim.bytes[root + 5] == 1)
    let leaf = victim.number(at: root + 32)
    victim.bytes[leaf + 5] = 1
    let deep = error { _ = try victim.file().root().links() }
    #expect(deep?.reason == .inconsistent("level of a B-tree node"))
    victim.bytes[leaf + 5] = 0
    victim.put(leaf, at: root + 48)
    let found = error { _ = try victim.file().root().links() }
    #expect(found?.reason == .invalid("B-tree that comes back to a node"))
    #expect(found?.place.position == .byte(leaf))
  }

  @Test func twoLinksOfOneNameAreRefused() throws {
    var victim = try links(2)
    let node = try victim.block("SNOD")
    victim.put(victim.number(at: node + 8), at: node + 48)
    #expect(error { _ = try victim.file().root().links() }?.reason == .duplicate("link 0"))
  }

  @Test func aHeaderThatContinuesInItselfIsRefused() throws {
    var victim = try one(.contiguous)
    guard case .dataset(let dataset) = try victim.file().object(at: "x") else { return }
    let message = dataset.address + 16
    #expect(victim.bytes[message] == 1)
    victim.put(0x10, width: 2, at: message)
    victim.put(message, at: message + 8)
    victim.put(24, at: message + 16)
    let found = error { _ = try victim.file().object(at: "x") }
    #expect(found?.reason == .invalid("object header continuation that comes back"))
  }

  @Test func softLinksThatChaseEachOtherAreRefused() throws {
    let file = try Victim(
      .init(members: [("a", .softLink("b")), ("b", .softLink("/a")), ("c", .softLink("c/c/c"))])
    ).file()
    for name in ["a", "b", "c"] {
      #expect(error { _ = try file.object(at: name) }?.reason == .limit("soft links", 100))
    }
    let deep = String(repeating: "/c", count: 101)
    #expect(error { _ = try file.object(at: deep) }?.reason == .limit("parts of a path", 100))
  }

  @Test func aGroupThatHoldsItselfIsVisitedOnce() throws {
    var victim = try Victim(.init(members: [("inner", .group(.init()))]))
    let root = victim.number(at: 64)
    // The last symbol table node is the root's.
    let node = try victim.block("SNOD")
    victim.put(root, at: node + 16)
    let file = try victim.file()
    var visited: [String] = []
    try file.forEachObject { object in
      if case .group(let group) = object { visited.append(group.path) }
    }
    #expect(visited == ["/"])
    guard case .group(let again) = try file.object(at: "inner/inner/inner") else { return }
    #expect(again.address == root)
  }

  @Test func externalLinksAreReportedAndNeverFollowed() throws {
    let file = try Victim(fixture: "keras").file()
    let link = try #require(try file.root().links().first { $0.name.text == "outside" })
    #expect(link.target == .external(file: HDF5Name("other.h5"), path: HDF5Name("/x")))
    #expect(
      error { _ = try file.root().open(link) }?.reason
        == .unsupported("external link to other.h5:/x"))
  }

  @Test func dataThatUnpacksBeyondTheBudgetIsRefused() throws {
    let zeros = HDF5Draft.Value.array(
      .uint8, [1 << 20], Bytes([UInt8](repeating: 0, count: 1 << 20)))
    let storage = HDF5Draft.Storage.chunked([1 << 20], level: 9, shuffle: false)
    let victim = try Victim(.init(members: [("x", .dataset(.init(zeros, storage: storage)))]))
    #expect(victim.bytes.count < 8000)
    var limits = Limits()
    limits.expandedBytes = 1 << 20
    #expect(try read(try victim.file(limits), "x").bytes.count == 1 << 20)
    limits.expandedBytes -= 1
    #expect(
      error { _ = try read(try victim.file(limits), "x") }?.reason
        == .limit("expanded bytes", limits.expandedBytes))
  }

  @Test func extentsBeyondAllMemoryAreRefused() throws {
    for storage in [
      HDF5Draft.Storage.chunked([16], level: 1, shuffle: false), .contiguous,
    ] {
      var victim = try one(storage)
      guard case .dataset(let dataset) = try victim.file().object(at: "x") else { return }
      for extent in [1 << 40, Int.max] {
        victim.put(extent, at: dataset.address + 32)
        let found = try #require(error { _ = try read(try victim.file(), "x") })
        if case .contiguous = storage {
          #expect(found.reason == .truncated(needed: extent, available: 32))
        } else {
          #expect(found.reason == .limit("expanded bytes", 8 << 30))
        }
        #expect(found.place.road == [.named("data set", "/x")])
      }
    }
  }

  @Test func chunksLargerThanTheirDataAreRefused() throws {
    var victim = try one(.chunked([16], level: 1, shuffle: false))
    // The layout message: version 3, chunked, two dimensions; then an address and 16 x 1.
    let layout = try victim.find([3, 2, 2])
    for extent in [1 << 10, 1 << 31] {
      victim.put(extent, width: 4, at: layout + 11)
      let found = error { _ = try read(try victim.file(), "x") }
      #expect(found?.reason == .inconsistent("chunk of 16 bytes"))
      #expect(found?.place.road == [.named("data set", "/x"), .indexed("chunk", 0, nil)])
    }
  }

  @Test func aChunkThatStandsTwiceIsRefused() throws {
    var victim = try one(.chunked([16], level: nil, shuffle: false))
    let tree = try victim.block("TREE")
    victim.put(0, at: tree + 24 + 32 + 8)
    let found = error { _ = try read(try victim.file(), "x") }
    #expect(found?.reason == .duplicate("chunk"))
  }

  @Test func manyTextsThatShareOneAreCounted() throws {
    let texts = [String(repeating: "x", count: 50_000)] + [String](repeating: "y", count: 99)
    var victim = try Victim(.init(members: [("x", .dataset(.init(.texts(texts))))]))
    let heap = try victim.block("GCOL")
    let pointers = try victim.find(
      [0x50, 0xC3, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: heap >> (8 * $0)) })
    for index in 1..<100 {
      for offset in 0..<16 {
        victim.bytes[pointers + 16 * index + offset] = victim.bytes[pointers + offset]
      }
    }
    #expect(try read(try victim.file(), "x").strings().count == 100)
    var limits = Limits()
    limits.expandedBytes = 1 << 20
    #expect(
      error { _ = try read(try victim.file(limits), "x").strings() }?.reason
        == .limit("expanded bytes", 1 << 20))
  }

  @Test func typesNestedTooDeeplyAreRefused() throws {
    var type = HDF5Type.uint8
    for _ in 0..<120 { type = .array(of: type, [1]) }
    let victim = try Victim(.init(members: [("x", .dataset(.init(.empty(type))))]))
    #expect(
      error { _ = try victim.file().object(at: "x") }?.reason == .limit("nested types", 100))
  }

  @Test func metadataIsReadOnlySoOften() throws {
    let reading = Reading(
      try Superblock.read(
        Bytes(try links(3).bytes), limits: .standard, verifiesChecksums: true))
    let found = error {
      while true { _ = try reading.fields(at: 0, count: 1000) }
    }
    guard case .limit("metadata bytes in one call", _) = found?.reason else {
      Issue.record("\(String(describing: found))")
      return
    }
  }

  @Test func whatIsNotSupportedHasAName() throws {
    var victim = try one(.chunked([16], level: 1, shuffle: false))
    let filter = try victim.find([1, 0, 8, 0, 1, 0, 1, 0] + Array("deflate".utf8)[0..<7])
    victim.put(32001, width: 2, at: filter)
    let found = error { _ = try read(try victim.file(), "x") }
    #expect(found?.reason == .unsupported("filter 32001 (deflate)"))
    #expect(found?.place.road == [.named("data set", "/x"), .indexed("chunk", 0, nil)])
    victim = try one(.contiguous)
    let layout = try victim.find(
      [3, 1] + (0..<8).map { UInt8(truncatingIfNeeded: 96 >> (8 * $0)) } + [32, 0])
    victim.put(3, width: 1, at: layout + 1)
    #expect(
      error { _ = try read(try victim.file(), "x") }?.reason == .unsupported("virtual data set"))
  }

  @Test func damagedSumsAreNoticed() throws {
    for signature in ["OHDR", "FRHP", "BTHD", "FAHD", "EAHD", "FHDB"] {
      var victim = try Victim(fixture: "latest")
      victim.bytes[try victim.block(signature) + 6] ^= 0x80
      let lines = try FileDump(Bytes(victim.bytes)).lines.joined(separator: "\n")
      #expect(lines.contains("inconsistent: checksum of"), "\(signature)")
    }
    var victim = try Victim(fixture: "latest")
    victim.bytes[20] ^= 1
    #expect(
      error { _ = try HDF5File(Bytes(victim.bytes)) }?.reason
        == .inconsistent("checksum of superblock"))
    victim = try Victim(fixture: "chunks")
    guard case .dataset(let dataset) = try victim.file().object(at: "sum"),
      case .chunked(let chunks) = dataset.layout
    else { return }
    let tree = try #require(chunks.address)
    victim.bytes[victim.number(at: tree + 24 + 24)] ^= 1
    #expect(
      error { _ = try read(try victim.file(), "sum") }?.reason
        == .inconsistent("checksum of a chunk"))
  }
}
