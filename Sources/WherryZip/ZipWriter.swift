import CZlib
import WherryBytes

/// Writes zip archives whose entries are stored as they are: equal entries give equal bytes.
///
/// - Source: PKWARE APPNOTE.TXT 6.3.10; zip64 where sizes ask for it.
public struct ZipWriter {
  private struct Entry {
    let name: [UInt8]
    let checksum: UInt32
    let size: Int
    let offset: Int
  }

  private let sink: any ByteSink
  private let start: Int
  private var entries: [Entry] = []

  public init(_ sink: any ByteSink) { (self.sink, start) = (sink, sink.count) }

  /// The date of every entry: 1 January 1980, the earliest there is.
  private static let date: UInt16 = 1 << 5 | 1

  /// Adds an entry.
  public mutating func add(_ name: String, _ content: Bytes) throws(FileError) {
    let measured = ChecksumSink()
    try measured.append(content)
    try begin(name, size: content.count, checksum: measured.checksum)
    try sink.append(content)
  }

  /// Begins an entry; the caller then gives the sink its content.
  ///
  /// - Parameters:
  ///   - size: bytes of the content.
  ///   - checksum: of the content, as `ChecksumSink` finds it.
  public mutating func begin(_ name: String, size: Int, checksum: UInt32) throws(FileError) {
    let entry = Entry(
      name: Array(name.utf8), checksum: checksum, size: size, offset: sink.count - start)
    entries.append(entry)
    var header = ByteWriter()
    header.integer(UInt32(0x0403_4B50))
    header.integer(Self.version(entry))
    header.raw(Self.common(entry))
    let isLarge = entry.size >= Self.limit
    header.integer(UInt16(isLarge ? 20 : 0))
    header.raw(entry.name)
    if isLarge {
      header.integer(UInt16(1))
      header.integer(UInt16(16))
      header.integer(UInt64(entry.size))
      header.integer(UInt64(entry.size))
    }
    try sink.append(header.bytes)
  }

  /// Sizes and offsets from here on stand in a zip64 field.
  private static let limit = 0xFFFF_FFFF

  private static func version(_ entry: Entry) -> UInt16 {
    entry.size >= limit || entry.offset >= limit ? 45 : 20
  }

  /// Flags to name length, as both headers of an entry have them.
  private static func common(_ entry: Entry) -> [UInt8] {
    var fields = ByteWriter()
    // Names are UTF-8.
    fields.integer(UInt16(entry.name.contains { $0 >= 0x80 } ? 0x800 : 0))
    fields.integer(UInt16(0))
    fields.integer(UInt16(0))
    fields.integer(date)
    fields.integer(entry.checksum)
    let size = UInt32(min(entry.size, limit))
    fields.integer(size)
    fields.integer(size)
    fields.integer(UInt16(truncatingIfNeeded: entry.name.count))
    return fields.bytes
  }

  /// Adds the directory; nothing may be added behind.
  public func finish() throws(FileError) {
    let directory = sink.count - start
    for entry in entries {
      var header = ByteWriter()
      header.integer(UInt32(0x0201_4B50))
      header.integer(Self.version(entry))
      header.integer(Self.version(entry))
      header.raw(Self.common(entry))
      var extra = ByteWriter()
      if entry.size >= Self.limit {
        extra.integer(UInt64(entry.size))
        extra.integer(UInt64(entry.size))
      }
      if entry.offset >= Self.limit { extra.integer(UInt64(entry.offset)) }
      header.integer(UInt16(extra.count == 0 ? 0 : extra.count + 4))
      // No comment; first disk; no attributes.
      header.raw([0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      header.integer(UInt32(min(entry.offset, Self.limit)))
      header.raw(entry.name)
      if extra.count > 0 {
        header.integer(UInt16(1))
        header.integer(UInt16(extra.count))
        header.raw(extra.bytes)
      }
      try sink.append(header.bytes)
    }
    try sink.append(end(directory, size: sink.count - start - directory))
  }

  private func end(_ directory: Int, size: Int) -> [UInt8] {
    var end = ByteWriter()
    let isLarge = directory >= Self.limit || size >= Self.limit || entries.count >= 0xFFFF
    if isLarge {
      end.integer(UInt32(0x0606_4B50))
      end.integer(UInt64(44))
      end.integer(UInt16(45))
      end.integer(UInt16(45))
      end.integer(UInt64(0))
      end.integer(UInt64(entries.count))
      end.integer(UInt64(entries.count))
      end.integer(UInt64(size))
      end.integer(UInt64(directory))
      end.integer(UInt32(0x0706_4B50))
      end.integer(UInt32(0))
      end.integer(UInt64(directory + size))
      end.integer(UInt32(1))
    }
    end.integer(UInt32(0x0605_4B50))
    end.integer(UInt32(0))
    let count = UInt16(min(entries.count, 0xFFFF))
    end.integer(count)
    end.integer(count)
    end.integer(UInt32(min(size, Self.limit)))
    end.integer(UInt32(min(directory, Self.limit)))
    end.integer(UInt16(0))
    return end.bytes
  }
}
