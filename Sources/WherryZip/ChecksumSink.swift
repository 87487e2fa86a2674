import CZlib
import WherryBytes

/// Counts bytes and sums them up as zip archives do, and keeps none.
public final class ChecksumSink: ByteSink {
  public private(set) var count = 0
  /// CRC-32 of the bytes so far.
  public private(set) var checksum: UInt32 = 0

  public init() {}

  public func append(_ raw: UnsafeRawBufferPointer) {
    var rest = raw[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let sum = crc32(
        uLong(checksum), part.bindMemory(to: UInt8.self).baseAddress, uInt(part.count))
      checksum = UInt32(truncatingIfNeeded: sum)
      rest = rest.dropFirst(part.count)
    }
    count += raw.count
  }
}
