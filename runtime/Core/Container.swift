import CWherryABI

#if !_endian(little)
  #error("model files are little-endian and used in place")
#endif

/// A model file with its header and section table verified: every section lies inside the bytes.
struct Container {
  let bytes: UnsafeRawPointer
  let size: UInt64

  /// Where a section lies, and the record that says so.
  struct Section {
    var offset: UInt64
    var size: UInt64
    var record: Int
  }

  var header: UnsafePointer<wh_file_header> { bytes.assumingMemoryBound(to: wh_file_header.self) }

  var sectionCount: Int { Int(truncatingIfNeeded: header.pointee.section_count) }

  var sections: UnsafePointer<wh_section_record> {
    (bytes + MemoryLayout<wh_file_header>.size).assumingMemoryBound(to: wh_section_record.self)
  }

  /// The first byte after the section table.
  var tableEnd: UInt64 { Self.recordOffset(sectionCount) }

  /// - Throws: bad argument, not a model, truncated, bad version, bad model.
  init(_ bytes: UnsafeRawPointer?, size: Int) throws(Refusal) {
    guard let bytes, size >= 0 else { throw Refusal(WHERRY_BAD_ARGUMENT, "bytes is null") }
    guard Int(bitPattern: bytes) & Int(WH_ALIGNMENT - 1) == 0 else {
      throw Refusal(WHERRY_BAD_ARGUMENT, "bytes is not aligned to 64")
    }
    self.bytes = bytes
    self.size = UInt64(size)
    try verifyMagic()
    try verifyHeader()
    try verifyTable()
  }

  /// The section of a kind, if the file has one.
  func section(_ kind: Int) -> Section? {
    for index in 0..<sectionCount where Int(truncatingIfNeeded: sections[index].kind) == kind {
      return Section(offset: sections[index].offset, size: sections[index].bytes, record: index)
    }
    return nil
  }

  /// The section of a kind this library reads, in the one version it reads.
  func readableSection(_ kind: Int) throws(Refusal) -> Section? {
    guard let found = section(kind) else { return nil }
    guard sections[found.record].version == 1 else {
      throw Refusal(
        WHERRY_BAD_VERSION, at: Self.recordOffset(found.record) + SectionField.version,
        "this version of the section is not readable")
    }
    return found
  }

  static func recordOffset(_ index: Int) -> UInt64 {
    UInt64(MemoryLayout<wh_file_header>.size) &+ UInt64(truncatingIfNeeded: index)
      &* UInt64(MemoryLayout<wh_section_record>.size)
  }

  /// A file cut inside its magic is truncated; any other short file is not a model.
  private func verifyMagic() throws(Refusal) {
    var magic = WH_FILE_MAGIC
    var at: UInt64 = 0
    while magic != 0 {
      guard at < size else { throw Refusal(WHERRY_TRUNCATED, at: at, "the bytes end in the magic") }
      let byte = bytes.load(fromByteOffset: Int(truncatingIfNeeded: at), as: UInt8.self)
      guard byte == UInt8(truncatingIfNeeded: magic) else {
        throw Refusal(WHERRY_NOT_A_MODEL, at: at, "the magic bytes are missing")
      }
      magic &>>= 8
      at &+= 1
    }
  }

  private func verifyHeader() throws(Refusal) {
    guard size >= UInt64(MemoryLayout<wh_file_header>.size) else {
      throw Refusal(WHERRY_TRUNCATED, at: size, "the bytes end in the header")
    }
    guard UInt32(header.pointee.major) == WH_FILE_MAJOR else {
      throw Refusal(WHERRY_BAD_VERSION, at: HeaderField.major, "an unknown major format version")
    }
    guard header.pointee.section_count >= 1, header.pointee.section_count <= UInt32(WH_MAX_SECTIONS)
    else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.sectionCount, "section count is not 1 to 64")
    }
    guard size >= header.pointee.file_bytes else {
      throw Refusal(WHERRY_TRUNCATED, at: size, "the bytes end before the file does")
    }
    guard size == header.pointee.file_bytes else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.fileBytes, "bytes follow the file's end")
    }
    guard size >= tableEnd else {
      throw Refusal(
        WHERRY_BAD_MODEL, at: HeaderField.fileBytes, "the file ends in its section table")
    }
    let reserved = header.pointee.reserved
    guard reserved.0 | reserved.1 | reserved.2 | reserved.3 | reserved.4 == 0 else {
      throw Refusal(WHERRY_BAD_MODEL, at: HeaderField.reserved, "a reserved field is not zero")
    }
  }

  private func verifyTable() throws(Refusal) {
    var end = tableEnd
    for index in 0..<sectionCount {
      let record = sections[index]
      let place = Self.recordOffset(index)
      guard record.offset & UInt64(WH_ALIGNMENT &- 1) == 0 else {
        throw Refusal(
          WHERRY_BAD_MODEL, at: place + SectionField.offset, "a section is not aligned")
      }
      guard record.offset >= end else {
        throw Refusal(
          WHERRY_BAD_MODEL, at: place + SectionField.offset,
          "a section overlaps or precedes the one before")
      }
      let (sectionEnd, overflow) = record.offset.addingReportingOverflow(record.bytes)
      guard !overflow, sectionEnd <= size else {
        throw Refusal(
          WHERRY_BAD_MODEL, at: place + SectionField.bytes, "a section ends after the file")
      }
      guard record.reserved == 0 else {
        throw Refusal(
          WHERRY_BAD_MODEL, at: place + SectionField.reserved, "a reserved field is not zero")
      }
      for earlier in 0..<index where sections[earlier].kind == record.kind {
        throw Refusal(WHERRY_BAD_MODEL, at: place, "two sections of one kind")
      }
      end = sectionEnd
    }
  }
}

// Offsets of fields in the file's records. Embedded Swift has no `MemoryLayout.offset(of:)`.

enum HeaderField {
  static var major: UInt64 { 8 }
  static var sectionCount: UInt64 { 12 }
  static var fileBytes: UInt64 { 16 }
  static var arenaBytes: UInt64 { 24 }
  static var stateBytes: UInt64 { 32 }
  static var macs: UInt64 { 40 }
  static var liveBytes: UInt64 { 48 }
  static var reserved: UInt64 { 56 }
  static var digest: UInt64 { 96 }
}

enum SectionField {
  static var version: UInt64 { 4 }
  static var offset: UInt64 { 8 }
  static var bytes: UInt64 { 16 }
  static var reserved: UInt64 { 24 }
  static var digest: UInt64 { 32 }
}
