import WherryBytes

/// Metadata that a library left in one block when it closed the file, instead of at its own places.
///
/// - Source: HDF5 File Format Specification 3.0, section IV.A.2.y ("Metadata Cache Image"); RFC
///   "Metadata Cache Image".
struct CacheImage: Sendable {
  private struct Entry: Sendable {
    let address: Int
    let bytes: Bytes
  }

  /// By address; they do not overlap.
  private let entries: [Entry]

  /// - Parameter message: the address and the size of the block.
  init?(_ message: FieldReader, _ reading: Reading) throws(DecodeError) {
    var pointer = message
    _ = try pointer.version(0...0, of: "metadata cache image")
    guard let address = try pointer.address() else { return nil }
    let size = try pointer.length()
    var fields = try reading.checkedFields(at: address, count: size, "metadata cache image")
    try fields.signature("MDCI")
    _ = try fields.version(0...0, of: "metadata cache image")
    try fields.skip(1 + fields.widths.length)
    var found: [Entry] = []
    for _ in 0..<(try fields.u32()) {
      try fields.skip(4 + 2 + 2)
      let parents = try fields.u16()
      try fields.skip(4)
      let address = try fields.requiredAddress("cached metadata")
      let size = try fields.length()
      try fields.skip(parents * fields.widths.address)
      found.append(Entry(address: address, bytes: try fields.take(size)))
    }
    entries = found.sorted { $0.address < $1.address }
  }

  /// `count` bytes at an address, where the block holds them.
  func bytes(at address: Int, count: Int) -> Bytes? {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let entry = entries[low - 1]
    let start = address - entry.address
    guard let end = Checked.add(start, count) else { return nil }
    return entry.bytes.slice(start..<end)
  }
}
