import CWherryABI
import WherryBytes
import WherryGraph

/// The kinds of section this version knows; others are skipped.
enum SectionKind: Hashable {
  case graph, plan, weights, test

  var code: UInt32 {
    switch self {
    case .graph: UInt32(WH_SECTION_GRAPH)
    case .plan: UInt32(WH_SECTION_PLAN)
    case .weights: UInt32(WH_SECTION_WEIGHTS)
    case .test: UInt32(WH_SECTION_TEST)
    }
  }
}

/// A file's header and section table, checked; the sections' bytes where they lie.
struct Container {
  struct Section {
    var kind: UInt32
    var version: UInt32
    var offset: Int
    var bytes: Bytes
    var digest: Digest

    /// The kind's four letters.
    var name: String {
      let letters = (0..<4).map { UInt8(truncatingIfNeeded: kind >> UInt32(8 * $0)) }
      return letters.allSatisfy { $0 >= 32 && $0 < 127 }
        ? String(decoding: letters, as: UTF8.self) : "\(kind)"
    }
  }

  static let headerBytes = MemoryLayout<wh_file_header>.size
  static let recordBytes = MemoryLayout<wh_section_record>.size
  /// Where the header's digest stands.
  static let digestOffset = headerBytes - 32

  /// The version of a graph section whose repeated runs are copies.
  static let packedVersion: UInt32 = 2

  private(set) var sections: [Section] = []

  func section(_ kind: SectionKind) -> Section? { sections.first { $0.kind == kind.code } }

  /// - Throws: `notThisFormat`, `unsupportedVersion`, `truncated`, or `invalid` and `inconsistent` for
  ///   a header or table that breaks the format's rules.
  init(_ bytes: Bytes, limits: Limits) throws(DecodeError) {
    var reader = ByteReader(bytes)
    guard bytes.count >= 8, try reader.integer(UInt64.self) == WH_FILE_MAGIC else {
      throw DecodeError(.notThisFormat("a native file"), .byte(0))
    }
    let major = try reader.integer(UInt16.self)
    let minor = try reader.integer(UInt16.self)
    guard major == UInt16(WH_FILE_MAJOR) else {
      throw DecodeError(.unsupportedVersion("\(major).\(minor)"), .byte(8))
    }
    let count = Int(try reader.integer(UInt32.self))
    guard count >= 1, count <= Int(WH_MAX_SECTIONS) else {
      throw DecodeError(.invalid("\(count) sections"), .byte(12))
    }
    let stated = try reader.integer(UInt64.self)
    guard stated <= UInt64(bytes.count) else {
      let needed = Int(exactly: stated) ?? .max
      throw DecodeError(.truncated(needed: needed, available: bytes.count), .byte(16))
    }
    guard stated == UInt64(bytes.count) else {
      throw DecodeError(.inconsistent("bytes after the end of the file"), .byte(16))
    }
    guard bytes.count <= limits.fileBytes else {
      throw DecodeError(.limit("bytes of a file", limits.fileBytes), .byte(16))
    }
    try Self.checkDigest(bytes, sections: count)
    try reader.seek(56)
    for field in 0..<5 {
      guard try reader.integer(UInt64.self) == 0 else {
        throw DecodeError(.invalid("a reserved field that is not zero"), .byte(56 + 8 * field))
      }
    }
    try reader.seek(Self.headerBytes)
    var end = Self.headerBytes + count * Self.recordBytes
    for _ in 0..<count {
      let section = try Self.section(&reader, bytes, after: end)
      end = section.offset + section.bytes.count
      guard !sections.contains(where: { $0.kind == section.kind }) else {
        throw DecodeError(.duplicate("section \(section.name)"), .byte(section.offset))
      }
      sections.append(section)
    }
    try Self.checkZeros(bytes, from: end, to: bytes.count)
  }

  private static func section(
    _ reader: inout ByteReader, _ bytes: Bytes, after end: Int
  ) throws(DecodeError) -> Section {
    let place = reader.place
    let kind = try reader.integer(UInt32.self)
    let version = try reader.integer(UInt32.self)
    let offset = Int(exactly: try reader.integer(UInt64.self))
    let size = Int(exactly: try reader.integer(UInt64.self))
    let reserved = try reader.integer(UInt64.self)
    let digest = Digest(bytes: try reader.take(32).array)
    guard let offset, let size, offset >= end, let last = Checked.add(offset, size),
      let content = bytes.slice(offset..<max(last, offset))
    else { throw DecodeError(.invalid("a section outside the file or over another"), place) }
    guard offset % Int(WH_ALIGNMENT) == 0, reserved == 0 else {
      throw DecodeError(.invalid("a section's offset or reserved field"), place)
    }
    let isKnown = [SectionKind.graph, .plan, .weights, .test].contains { $0.code == kind }
    let isPacked = kind == SectionKind.graph.code && version == Self.packedVersion
    guard !isKnown || version == 1 || isPacked else {
      throw DecodeError(.unsupportedVersion("section version \(version)"), place)
    }
    try checkZeros(bytes, from: end, to: offset)
    return Section(kind: kind, version: version, offset: offset, bytes: content, digest: digest)
  }

  /// Gaps between sections are zero, so that equal models give equal files.
  private static func checkZeros(_ bytes: Bytes, from start: Int, to end: Int) throws(DecodeError) {
    guard end - start <= Int(WH_PAGE) else {
      throw DecodeError(.invalid("a gap of \(end - start) bytes"), .byte(start))
    }
    for offset in start..<max(end, start) where bytes.byte(offset) != 0 {
      throw DecodeError(.invalid("a gap that is not zero"), .byte(offset))
    }
  }

  private static func checkDigest(_ bytes: Bytes, sections: Int) throws(DecodeError) {
    var reader = ByteReader(bytes)
    var head = try reader.take(headerBytes + sections * recordBytes).array
    let stated = Digest(bytes: Array(head[digestOffset..<digestOffset + 32]))
    for index in digestOffset..<digestOffset + 32 { head[index] = 0 }
    guard Digest(of: Bytes(head)) == stated else {
      throw DecodeError(.inconsistent("the digest of the header"), .byte(digestOffset))
    }
  }
}
