import WherryBytes

/// The values of variable length: collections of numbered objects, each read once in a call.
///
/// - Source: HDF5 File Format Specification 3.0, section III.E.
final class GlobalHeap {
  private let reading: Reading
  private var collections: [Int: [Int: Bytes]] = [:]
  private var left: Int

  init(_ reading: Reading) {
    self.reading = reading
    left = reading.image.limits.expandedBytes
  }

  /// What a pointer (count, address of a collection, number in it) points at; nil for the null
  /// pointer.
  ///
  /// - Throws: `.limit` when the values of one call sum up to more than `Limits.expandedBytes`: many
  ///   pointers can share one value.
  func value(_ pointer: inout FieldReader) throws(DecodeError) -> (count: Int, bytes: Bytes)? {
    let place = pointer.place
    let count = try pointer.u32()
    guard let bytes = try object(&pointer) else {
      guard count == 0 else { throw DecodeError(.missing("heap collection"), place) }
      return nil
    }
    return (count, bytes)
  }

  /// What an address of a collection and a number in it point at; nil for the null pointer.
  func object(_ pointer: inout FieldReader) throws(DecodeError) -> Bytes? {
    let place = pointer.place
    let address = try pointer.address()
    let index = try pointer.u32()
    guard let address, address > 0 else { return nil }
    if collections[address] == nil { collections[address] = try collection(at: address) }
    guard let found = collections[address]?[index] else {
      throw DecodeError(.missing("heap object \(index)"), place)
    }
    guard found.count <= left else {
      throw DecodeError(.limit("expanded bytes", reading.image.limits.expandedBytes), place)
    }
    left -= found.count
    return found
  }

  private func collection(at address: Int) throws(DecodeError) -> [Int: Bytes] {
    // Heads of collections and objects fill a multiple of eight bytes.
    let headSize = (8 + reading.image.widths.length + 7) / 8 * 8
    var head = try reading.fields(at: address, count: headSize)
    let place = head.place
    try head.signature("GCOL")
    _ = try head.version(1...1, of: "global heap")
    try head.skip(3)
    let size = try head.length()
    guard size >= headSize else { throw DecodeError(.invalid("global heap size"), place) }
    let padding = headSize - 8 - reading.image.widths.length
    let body = try reading.data(at: address, count: size)
    var fields = FieldReader(
      body, origin: reading.image.base + address, widths: reading.image.widths)
    try fields.skip(headSize)
    var objects: [Int: Bytes] = [:]
    while fields.remaining >= headSize {
      try reading.spend(headSize, at: fields.place)
      let index = try fields.u16()
      try fields.skip(6)
      let count = try fields.length()
      try fields.skip(padding)
      if index == 0 { break }
      objects[index] = try fields.take(count)
      try fields.skip(min((8 - count % 8) % 8, fields.remaining))
    }
    return objects
  }
}
