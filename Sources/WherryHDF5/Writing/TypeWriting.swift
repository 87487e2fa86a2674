import WherryBytes

extension HDF5Type {
  /// The datatype message of this type, in the oldest version that can say it.
  ///
  /// - Throws: `.inexpressible` for types that are not written, `.invalid` for sizes that contradict
  ///   each other.
  func encoded(_ place: Place) throws(EncodeError) -> [UInt8] {
    var writer = ByteWriter()
    try TypeWriter(version: hasArray ? 2 : 1, place: place).write(self, to: &writer)
    return writer.bytes
  }

  /// Array types exist from version 2 on, and what holds one needs that version too.
  private var hasArray: Bool {
    switch self {
    case .array: true
    case .compound(_, let members): members.contains { $0.type.hasArray }
    case .sequence(let base, _): base.hasArray
    default: false
    }
  }
}

private struct TypeWriter {
  let version: Int
  let place: Place

  private func head(
    _ kind: Int, _ bits: Int, _ size: Int, to writer: inout ByteWriter
  ) throws(EncodeError) {
    guard let stored = UInt32(exactly: size), size > 0 else {
      throw EncodeError(.inexpressible("type of \(size) bytes"), place)
    }
    writer.integer(UInt8(version << 4 | kind))
    writer.integer(UInt8(truncatingIfNeeded: bits))
    writer.integer(UInt16(truncatingIfNeeded: bits >> 8))
    writer.integer(stored)
  }

  private func order(_ bits: HDF5Bits) throws(EncodeError) -> Int {
    switch bits.order {
    case .little: return 0
    case .big: return 1
    case .vax: throw EncodeError(.inexpressible("VAX byte order"), place)
    }
  }

  private func fields(_ bits: HDF5Bits, to writer: inout ByteWriter) throws(EncodeError) {
    guard bits.offset >= 0, bits.precision > 0, bits.size <= 1 << 12,
      bits.offset <= 8 * bits.size, bits.precision <= 8 * bits.size - bits.offset
    else { throw EncodeError(.invalid("bits of a number"), place) }
    writer.integer(UInt16(bits.offset))
    writer.integer(UInt16(bits.precision))
  }

  func write(_ type: HDF5Type, to writer: inout ByteWriter) throws(EncodeError) {
    switch type {
    case .integer(let bits, let isSigned):
      try head(0, try order(bits) | (isSigned ? 8 : 0), bits.size, to: &writer)
      try fields(bits, to: &writer)
    case .float(let bits, let layout): try float(bits, layout, to: &writer)
    case .bitfield(let bits):
      try head(4, try order(bits), bits.size, to: &writer)
      try fields(bits, to: &writer)
    case .string(let size, let padding, let set):
      try head(3, padding.rawValue | set.rawValue << 4, size, to: &writer)
    case .opaque(let size, let tag):
      let room = (tag.count + 7) / 8 * 8
      guard room < 256 else { throw EncodeError(.inexpressible("opaque tag"), place) }
      try head(5, room, size, to: &writer)
      writer.raw(tag)
      writer.raw(repeatElement(0, count: room - tag.count))
    case .compound(let size, let members): try compound(size, members, to: &writer)
    case .enumeration(let base, let cases): try enumeration(base, cases, to: &writer)
    case .variableString(let size, let padding, let set):
      try pointer(1 | padding.rawValue << 4 | set.rawValue << 8, size, to: &writer)
      try write(.uint8, to: &writer)
    case .sequence(let base, let size):
      guard !base.pointsElsewhere else {
        throw EncodeError(.inexpressible("variable lengths within variable lengths"), place)
      }
      try pointer(0, size, to: &writer)
      try write(base, to: &writer)
    case .array(let base, let extents): try array(base, extents, type.size, to: &writer)
    case .time: throw EncodeError(.inexpressible("time type"), place)
    case .reference: throw EncodeError(.inexpressible("references"), place)
    case .complex: throw EncodeError(.inexpressible("complex type"), place)
    }
  }

  private func float(
    _ bits: HDF5Bits, _ layout: HDF5FloatLayout, to writer: inout ByteWriter
  ) throws(EncodeError) {
    let positions = [
      layout.sign, layout.exponent, layout.exponentBits, layout.mantissa, layout.mantissaBits,
    ]
    guard positions.allSatisfy({ UInt8(exactly: $0) != nil }),
      let bias = UInt32(exactly: layout.bias)
    else { throw EncodeError(.invalid("fields of a floating-point type"), place) }
    let form =
      switch layout.normalization {
      case .none: 0
      case .stored: 1
      case .implied: 2
      }
    try head(1, try order(bits) | form << 4 | layout.sign << 8, bits.size, to: &writer)
    try fields(bits, to: &writer)
    for position in positions.dropFirst() { writer.integer(UInt8(truncatingIfNeeded: position)) }
    writer.integer(bias)
  }

  private func pointer(
    _ bits: Int, _ size: Int, to writer: inout ByteWriter
  ) throws(EncodeError) {
    guard size == HeapWriting.pointerSize else {
      throw EncodeError(.invalid("heap pointer of \(size) bytes"), place)
    }
    try head(9, bits, size, to: &writer)
  }

  /// A name with its zero byte, filling a multiple of eight bytes.
  private func name(_ name: String, to writer: inout ByteWriter) throws(EncodeError) {
    guard !name.utf8.contains(0) else {
      throw EncodeError(.inexpressible("zero byte in the name \"\(name)\""), place)
    }
    writer.raw(name.utf8)
    writer.raw(repeatElement(0, count: 8 - name.utf8.count % 8))
  }

  private func compound(
    _ size: Int, _ members: [HDF5Member], to writer: inout ByteWriter
  ) throws(EncodeError) {
    guard (1...0xFFFF).contains(members.count) else {
      throw EncodeError(.inexpressible("compound of \(members.count) members"), place)
    }
    try head(6, members.count, size, to: &writer)
    for member in members {
      guard member.offset >= 0, let end = Checked.add(member.offset, member.type.size), end <= size
      else { throw EncodeError(.invalid("member \"\(member.name)\" outside its compound"), place) }
      guard !member.type.pointsElsewhere else {
        throw EncodeError(.inexpressible("variable lengths within a compound"), place)
      }
      try name(member.name, to: &writer)
      writer.integer(UInt32(truncatingIfNeeded: member.offset))
      // Version 1 has room for extents here, which stays empty.
      if version == 1 { writer.raw(repeatElement(0, count: 28)) }
      try write(member.type, to: &writer)
    }
  }

  private func enumeration(
    _ base: HDF5Type, _ cases: [HDF5EnumerationCase], to writer: inout ByteWriter
  ) throws(EncodeError) {
    guard case .integer = base, cases.count <= 0xFFFF,
      cases.allSatisfy({ $0.value.count == base.size })
    else { throw EncodeError(.invalid("enumeration"), place) }
    try head(8, cases.count, base.size, to: &writer)
    try write(base, to: &writer)
    for one in cases { try name(one.name, to: &writer) }
    for one in cases { writer.raw(one.value) }
  }

  private func array(
    _ base: HDF5Type, _ extents: [Int], _ size: Int, to writer: inout ByteWriter
  ) throws(EncodeError) {
    guard (1...32).contains(extents.count), !base.pointsElsewhere,
      extents.allSatisfy({ $0 > 0 && $0 <= UInt32.max })
    else { throw EncodeError(.inexpressible("array type"), place) }
    try head(10, 0, size, to: &writer)
    writer.integer(UInt32(extents.count))
    for extent in extents { writer.integer(UInt32(truncatingIfNeeded: extent)) }
    for dimension in extents.indices { writer.integer(UInt32(dimension)) }
    try write(base, to: &writer)
  }
}
