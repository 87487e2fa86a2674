import CZlib
import WherryBytes

/// A zip archive, read through its central directory.
///
/// - Source: PKWARE APPNOTE.TXT 6.3.10; zip64 included, encryption and multi-disk archives refused.
public struct ZipArchive: Sendable {
  public struct Entry: Sendable {
    public let name: String
    let method: UInt16
    let checksum: UInt32
    let stored: Int
    let size: Int
    let header: Int
  }

  public let entries: [Entry]
  private let bytes: Bytes

  public static func recognizes(_ bytes: Bytes) -> Bool {
    let start = bytes.slice(0..<4)?.array
    return start == [0x50, 0x4B, 3, 4] || start == [0x50, 0x4B, 5, 6]
  }

  /// - Throws: `DecodeError` when there is no readable central directory, when two entries have one name,
  ///   and when the deflated ones announce more than `Limits.expandedBytes` together.
  public init(_ bytes: Bytes, limits: Limits = .standard) throws(DecodeError) {
    self.bytes = bytes
    let end = try Self.findEnd(bytes)
    var reader = ByteReader(bytes)
    try reader.seek(end + 10)
    var count = Int(try reader.integer(UInt16.self))
    try reader.skip(4)
    var start = Int(try reader.integer(UInt32.self))
    if count == 0xFFFF || start == 0xFFFF_FFFF {
      (count, start) = try Self.findZip64End(bytes, before: end)
    }
    guard count <= limits.elements else {
      throw DecodeError(.limit("zip entries", limits.elements), .byte(end))
    }
    try reader.seek(start)
    var entries: [Entry] = []
    var names: Set<String> = []
    var room = limits.expandedBytes
    for _ in 0..<count {
      let place = reader.place
      let entry = try Self.entry(&reader)
      guard names.insert(entry.name).inserted else {
        throw DecodeError(.duplicate(entry.name), place)
      }
      if entry.method != 0 {
        guard entry.size <= room else {
          throw DecodeError(
            .limit("expanded bytes", limits.expandedBytes), place.inside("entry", entry.name))
        }
        room -= entry.size
      }
      entries.append(entry)
    }
    self.entries = entries
  }

  private static func findEnd(_ bytes: Bytes) throws(DecodeError) -> Int {
    let least = 22
    guard bytes.count >= least else {
      throw DecodeError(.truncated(needed: least, available: bytes.count), .byte(0))
    }
    let found = bytes.withUnsafeBytes { raw -> Int? in
      for start in stride(
        from: raw.count - least, through: max(0, raw.count - least - 0xFFFF), by: -1)
      where raw[start] == 0x50 && raw[start + 1] == 0x4B && raw[start + 2] == 5
        && raw[start + 3] == 6
      {
        return start
      }
      return nil
    }
    guard let found else {
      throw DecodeError(
        .invalid("a zip archive without its directory, which stands at the end"),
        .byte(bytes.count))
    }
    return found
  }

  private static func findZip64End(_ bytes: Bytes, before end: Int) throws(DecodeError) -> (
    Int, Int
  ) {
    var reader = ByteReader(bytes)
    try reader.seek(max(end - 20, 0))
    guard try reader.integer(UInt32.self) == 0x0706_4B50 else {
      throw DecodeError(.missing("zip64 locator"), reader.place)
    }
    try reader.skip(4)
    guard let at = Int(exactly: try reader.integer(UInt64.self)) else {
      throw DecodeError(.invalid("zip64 offset"), reader.place)
    }
    try reader.seek(at)
    guard try reader.integer(UInt32.self) == 0x0606_4B50 else {
      throw DecodeError(.missing("zip64 directory"), reader.place)
    }
    try reader.skip(28)
    let count = Int(exactly: try reader.integer(UInt64.self))
    try reader.skip(8)
    let start = Int(exactly: try reader.integer(UInt64.self))
    guard let count, let start else { throw DecodeError(.invalid("zip64 directory"), reader.place) }
    return (count, start)
  }

  private static func entry(_ reader: inout ByteReader) throws(DecodeError) -> Entry {
    let place = reader.place
    guard try reader.integer(UInt32.self) == 0x0201_4B50 else {
      throw DecodeError(.invalid("zip directory entry"), place)
    }
    try reader.skip(4)
    let flags = try reader.integer(UInt16.self)
    let method = try reader.integer(UInt16.self)
    try reader.skip(4)
    let checksum = try reader.integer(UInt32.self)
    var stored = UInt64(try reader.integer(UInt32.self))
    var size = UInt64(try reader.integer(UInt32.self))
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    let commentLength = Int(try reader.integer(UInt16.self))
    try reader.skip(8)
    var header = UInt64(try reader.integer(UInt32.self))
    guard let name = try reader.take(nameLength).text else { throw DecodeError(.notUTF8, place) }
    var extra = ByteReader(try reader.take(extraLength), origin: reader.offset)
    try reader.skip(commentLength)
    while extra.remaining >= 4 {
      let tag = try extra.integer(UInt16.self)
      var field = ByteReader(try extra.take(Int(try extra.integer(UInt16.self))))
      guard tag == 1 else { continue }
      if size == 0xFFFF_FFFF { size = try field.integer() }
      if stored == 0xFFFF_FFFF { stored = try field.integer() }
      if header == 0xFFFF_FFFF { header = try field.integer() }
    }
    guard flags & 1 == 0 else {
      throw DecodeError(.unsupported("encrypted zip entry"), place.inside("entry", name))
    }
    guard let stored = Int(exactly: stored), let size = Int(exactly: size),
      let header = Int(exactly: header)
    else { throw DecodeError(.invalid("zip entry size"), place.inside("entry", name)) }
    return Entry(
      name: name, method: method, checksum: checksum, stored: stored, size: size, header: header)
  }

  /// The content of an entry: shared when stored, inflated when deflated.
  ///
  /// - Throws: `DecodeError` for an unknown method, a name that is another at the entry itself, data that
  ///   does not inflate to the announced size, or a wrong checksum.
  public func content(of entry: Entry) throws(DecodeError) -> Bytes {
    let place = Place.byte(entry.header).inside("entry", entry.name)
    var reader = ByteReader(bytes)
    try reader.seek(entry.header)
    guard try reader.integer(UInt32.self) == 0x0403_4B50 else {
      throw DecodeError(.invalid("zip entry header"), place)
    }
    try reader.skip(22)
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    guard try reader.take(nameLength).text == entry.name else {
      throw DecodeError(.inconsistent("zip entry names"), place)
    }
    try reader.skip(extraLength)
    let stored = try reader.take(entry.stored)
    let content: Bytes
    switch entry.method {
    case 0: content = stored
    case 8:
      // No data of deflate grows more than 1032 times.
      guard entry.size / 1100 <= stored.count,
        let inflated = Self.inflate(stored, size: entry.size)
      else {
        throw DecodeError(.invalid("deflated data"), place)
      }
      content = inflated
    default: throw DecodeError(.unsupported("zip method \(entry.method)"), place)
    }
    let sum = content.withUnsafeBytes { raw -> UInt in
      var sum = crc32(0, nil, 0)
      var rest = raw[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        sum = crc32(sum, part.bindMemory(to: UInt8.self).baseAddress, uInt(part.count))
        rest = rest.dropFirst(part.count)
      }
      return UInt(sum)
    }
    guard sum == UInt(entry.checksum), content.count == entry.size else {
      throw DecodeError(.inconsistent("zip checksum"), place)
    }
    return content
  }

  private static func inflate(_ bytes: Bytes, size: Int) -> Bytes? {
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      return nil
    }
    defer { inflateEnd(&stream) }
    var isComplete = false
    let result = bytes.withUnsafeBytes { source in
      Bytes(count: size) { target in
        guard bytes.count <= UInt32.max, size <= UInt32.max else { return }
        let input = source.bindMemory(to: UInt8.self)
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = uInt(input.count)
        stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = uInt(size)
        isComplete = CZlib.inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size
      }
    }
    return isComplete || size == 0 ? result : nil
  }
}
