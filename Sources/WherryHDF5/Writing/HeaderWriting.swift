import WherryBytes

/// Builds a version 1 object header, message by message.
struct HeaderWriting {
  private var messages = ByteWriter()
  private var count = 0
  let place: Place

  init(_ place: Place) { self.place = place }

  /// Adds a message; its body is padded to a multiple of eight bytes.
  ///
  /// - Throws: `.inexpressible` for more than a message or a header can hold.
  mutating func add(_ kind: Int, _ body: [UInt8], _ what: String) throws(EncodeError) {
    let size = (body.count + 7) / 8 * 8
    guard size <= 0xFFF8 else {
      throw EncodeError(.inexpressible("\(what) of \(body.count) bytes; at most 64 KB"), place)
    }
    guard count < 0xFFFF else { throw EncodeError(.inexpressible("so many attributes"), place) }
    count += 1
    messages.integer(UInt16(kind))
    messages.integer(UInt16(size))
    messages.integer(UInt32(0))
    messages.raw(body)
    messages.raw(repeatElement(0, count: size - body.count))
  }

  /// The whole header.
  func bytes() throws(EncodeError) -> [UInt8] {
    guard let size = UInt32(exactly: messages.count) else {
      throw EncodeError(.inexpressible("header of \(messages.count) bytes"), place)
    }
    var writer = ByteWriter()
    writer.integer(UInt16(1))
    writer.integer(UInt16(count))
    writer.integer(UInt32(1))
    writer.integer(size)
    writer.integer(UInt32(0))
    writer.raw(messages.bytes)
    return writer.bytes
  }

  /// - Parameter data: the elements, or the pointers into the heap that stand for them.
  mutating func addAttribute(
    _ name: String, _ value: HDF5Draft.Value, data: [UInt8]
  ) throws(EncodeError) {
    guard !name.isEmpty, !name.utf8.contains(0), name.utf8.count < 0xFFFF else {
      throw EncodeError(.inexpressible("attribute name \"\(name)\""), place)
    }
    let type = try value.type.encoded(place)
    let space = try Self.encoded(value.space, place)
    guard type.count <= 0xFFFF, space.count <= 0xFFFF else {
      throw EncodeError(.inexpressible("attribute type of \(type.count) bytes"), place)
    }
    // Version 1 knows ASCII names only, version 3 does not pad.
    let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
    var writer = ByteWriter()
    writer.integer(UInt16(isASCII ? 1 : 3))
    writer.integer(UInt16(name.utf8.count + 1))
    writer.integer(UInt16(type.count))
    writer.integer(UInt16(space.count))
    if !isASCII { writer.integer(UInt8(1)) }
    for part in [Array(name.utf8) + [0], type, space] {
      writer.raw(part)
      if isASCII { writer.raw(repeatElement(0, count: (8 - part.count % 8) % 8)) }
    }
    writer.raw(data)
    try add(HeaderMessage.Kind.attribute, writer.bytes, "attribute \"\(name)\"")
  }

  /// A dataspace message.
  static func encoded(_ space: HDF5Space, _ place: Place) throws(EncodeError) -> [UInt8] {
    var writer = ByteWriter()
    switch space {
    case .null: writer.integer(UInt32(0x0200_0002))
    case .scalar: writer.integer(UInt64(1))
    case .simple(let extents, let maximum):
      guard (1...32).contains(extents.count), extents.count == maximum.count,
        zip(extents, maximum).allSatisfy({ $0 >= 0 && $1 ?? .max >= $0 })
      else { throw EncodeError(.invalid("extents"), place) }
      let hasMaximum = maximum != extents
      writer.raw([1, UInt8(extents.count), hasMaximum ? 1 : 0, 0, 0, 0, 0, 0])
      for extent in extents { writer.integer(extent) }
      if hasMaximum { for extent in maximum { writer.integer(extent.map(UInt64.init) ?? .max) } }
    }
    return writer.bytes
  }
}
