/// The checksum filter: four bytes behind the data.
///
/// - Source: HDF5 filter 3; Fletcher's checksum over big-endian 16-bit words.
enum Fletcher32 {
  /// The data without its checksum.
  ///
  /// - Throws: `.checksum` when it is wrong. Sums whose halves have their bytes swapped are accepted:
  ///   releases before 1.6.3 wrote them on little-endian machines.
  static func checked(
    _ data: UnsafeRawBufferPointer
  ) throws(FilterFailure) -> UnsafeRawBufferPointer {
    guard data.count >= 4 else { throw .invalid("checksum of a chunk") }
    let body = UnsafeRawBufferPointer(rebasing: data.dropLast(4))
    let stored = UInt32(
      littleEndian: data.loadUnaligned(fromByteOffset: body.count, as: UInt32.self))
    let sum = sum(body)
    let swapped = (sum & 0x00FF_00FF) << 8 | (sum >> 8) & 0x00FF_00FF
    guard stored == sum || stored == swapped else { throw .checksum }
    return body
  }

  static func sum(_ data: UnsafeRawBufferPointer) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (0, 0)
    var at = 0
    let words = data.count / 2
    var done = 0
    while done < words {
      // 360 words are as many as can't overflow 32 bits.
      let block = min(360, words - done)
      for _ in 0..<block {
        low &+= UInt32(data[at]) << 8 | UInt32(data[at + 1])
        high &+= low
        at += 2
      }
      low = (low & 0xFFFF) + (low >> 16)
      high = (high & 0xFFFF) + (high >> 16)
      done += block
    }
    if data.count % 2 == 1 {
      low &+= UInt32(data[at]) << 8
      high &+= low
      low = (low & 0xFFFF) + (low >> 16)
      high = (high & 0xFFFF) + (high >> 16)
    }
    low = (low & 0xFFFF) + (low >> 16)
    high = (high & 0xFFFF) + (high >> 16)
    return high << 16 | low
  }
}
