import WherryBytes

extension HDF5Type {
  /// Decodes a datatype message.
  ///
  /// - Throws: `DecodeError`: `.unsupported` for a class that is not known, `.invalid` for fields that
  ///   contradict the format, `.limit` for types nested too deeply.
  static func read(_ fields: inout FieldReader, depth: Int) throws(DecodeError) -> HDF5Type {
    var reader = TypeReader(fields: fields, limit: depth)
    let type = try reader.type()
    fields = reader.fields
    return type
  }
}

private struct TypeReader {
  var fields: FieldReader
  let limit: Int
  private var depth = 0

  init(fields: FieldReader, limit: Int) {
    (self.fields, self.limit) = (fields, limit)
  }

  /// The eight bytes that every type starts with.
  private struct Head {
    let version: Int
    let kind: Int
    /// The class's own bits.
    let bits: Int
    let size: Int
    let place: Place
  }

  mutating func type() throws(DecodeError) -> HDF5Type {
    guard depth < limit else { throw DecodeError(.limit("nested types", limit), fields.place) }
    depth += 1
    defer { depth -= 1 }
    let place = fields.place
    let first = try fields.u8()
    let bits = try fields.count(width: 3)
    let head = Head(
      version: first >> 4, kind: first & 15, bits: bits, size: try fields.u32(), place: place)
    guard (1...5).contains(head.version) else {
      throw DecodeError(.unsupportedVersion("datatype \(head.version)"), place)
    }
    guard head.size > 0 else { throw DecodeError(.invalid("type of no bytes"), place) }
    return try type(head)
  }

  private mutating func type(_ head: Head) throws(DecodeError) -> HDF5Type {
    switch head.kind {
    case 0: .integer(try number(head), isSigned: head.bits & 8 != 0)
    case 1: try float(head)
    case 2: try time(head)
    case 3:
      .string(
        size: head.size, try padding(head.bits & 15, head), try characters(head.bits >> 4, head))
    case 4: .bitfield(try number(head))
    case 5: .opaque(size: head.size, tag: try tag(head.bits & 0xFF))
    case 6: .compound(size: head.size, try members(head))
    case 7: try reference(head)
    case 8: try enumeration(head)
    case 9: try variable(head)
    case 10: try array(head)
    case 11: try complex(head)
    default: throw DecodeError(.unsupported("datatype class \(head.kind)"), head.place)
    }
  }

  private mutating func number(_ head: Head) throws(DecodeError) -> HDF5Bits {
    let offset = try fields.u16()
    let precision = try fields.u16()
    guard precision > 0, offset + precision <= 8 * head.size else {
      throw DecodeError(.invalid("bits \(offset) + \(precision) of a number"), head.place)
    }
    return HDF5Bits(
      size: head.size, order: head.bits & 1 != 0 ? .big : .little, offset: offset,
      precision: precision)
  }

  private mutating func float(_ head: Head) throws(DecodeError) -> HDF5Type {
    var bits = try number(head)
    if head.bits & 0x40 != 0, head.version >= 3 {
      guard head.bits & 1 != 0 else {
        throw DecodeError(.invalid("byte order of a floating-point type"), head.place)
      }
      bits.order = .vax
    }
    let normalizations: [HDF5FloatLayout.Normalization] = [.none, .stored, .implied]
    let normalization = head.bits >> 4 & 3
    guard normalization < normalizations.count else {
      throw DecodeError(.invalid("normalization of a floating-point type"), head.place)
    }
    let layout = HDF5FloatLayout(
      sign: head.bits >> 8 & 0xFF, exponent: try fields.u8(), exponentBits: try fields.u8(),
      mantissa: try fields.u8(), mantissaBits: try fields.u8(), bias: try fields.u32(),
      normalization: normalizations[normalization])
    let end = bits.offset + bits.precision
    guard layout.sign < end, layout.exponentBits > 0, layout.mantissaBits > 0,
      layout.exponent + layout.exponentBits <= end, layout.mantissa + layout.mantissaBits <= end
    else { throw DecodeError(.invalid("fields of a floating-point type"), head.place) }
    return .float(bits, layout)
  }

  private mutating func time(_ head: Head) throws(DecodeError) -> HDF5Type {
    let precision = try fields.u16()
    return .time(
      HDF5Bits(
        size: head.size, order: head.bits & 1 != 0 ? .big : .little, precision: precision))
  }

  private func padding(_ value: Int, _ head: Head) throws(DecodeError) -> HDF5Padding {
    guard let padding = HDF5Padding(rawValue: value) else {
      throw DecodeError(.unsupported("string padding \(value)"), head.place)
    }
    return padding
  }

  private func characters(_ bits: Int, _ head: Head) throws(DecodeError) -> HDF5CharacterSet {
    guard let set = HDF5CharacterSet(rawValue: bits & 15) else {
      throw DecodeError(.unsupported("character set \(bits & 15)"), head.place)
    }
    return set
  }

  private mutating func tag(_ size: Int) throws(DecodeError) -> Bytes {
    let padded = try fields.take(size)
    let end = padded.withUnsafeBytes { $0.firstIndex(of: 0) } ?? size
    return padded.slice(0..<end) ?? Bytes()
  }

  /// A name that ends with a zero byte; before version 3 it fills a multiple of eight bytes.
  private mutating func name(_ head: Head) throws(DecodeError) -> String {
    let bytes = try fields.terminated()
    if head.version < 3 { try fields.skip(7 - bytes.count % 8) }
    return HDF5Name(bytes).text
  }

  private mutating func members(_ head: Head) throws(DecodeError) -> [HDF5Member] {
    let offsetWidth =
      head.version >= 3 ? (head.size.bitWidth - head.size.leadingZeroBitCount + 7) / 8 : 4
    var members: [HDF5Member] = []
    for _ in 0..<(head.bits & 0xFFFF) {
      let place = fields.place
      let name = try name(head)
      let offset = try fields.count(width: offsetWidth)
      let extents = head.version == 1 ? try oldExtents() : []
      var type = try type()
      if !extents.isEmpty { type = .array(of: type, extents) }
      guard let end = Checked.add(offset, type.size), end <= head.size else {
        throw DecodeError(.invalid("member \"\(name)\" outside its compound"), place)
      }
      members.append(HDF5Member(name, offset: offset, type))
    }
    guard !members.isEmpty else { throw DecodeError(.invalid("compound of nothing"), head.place) }
    return members
  }

  /// The extents that version 1 kept in the member rather than in an array type.
  private mutating func oldExtents() throws(DecodeError) -> [Int] {
    let place = fields.place
    let rank = try fields.u8()
    guard rank <= 4 else { throw DecodeError(.invalid("rank \(rank) of a member"), place) }
    try fields.skip(3 + 4 + 4)
    var extents: [Int] = []
    for _ in 0..<4 { extents.append(try fields.u32()) }
    return try checked(Array(extents.prefix(rank)), place)
  }

  private func checked(_ extents: [Int], _ place: Place) throws(DecodeError) -> [Int] {
    guard extents.allSatisfy({ $0 > 0 }), let count = Checked.product(extents), count <= 1 << 32
    else { throw DecodeError(.invalid("extents of an array type"), place) }
    return extents
  }

  private mutating func reference(_ head: Head) throws(DecodeError) -> HDF5Type {
    let kind: HDF5Reference
    switch head.bits & 15 {
    case 0: kind = .object
    case 1: kind = .region
    case 2...4: kind = .revised(head.bits & 15)
    default: throw DecodeError(.invalid("reference kind \(head.bits & 15)"), head.place)
    }
    let least = kind == .object ? fields.widths.address : fields.widths.address + 4
    guard head.size >= least || kind != .object && kind != .region else {
      throw DecodeError(.invalid("reference of \(head.size) bytes"), head.place)
    }
    return .reference(kind, size: head.size)
  }

  private mutating func enumeration(_ head: Head) throws(DecodeError) -> HDF5Type {
    let base = try type()
    guard case .integer = base, base.size == head.size else {
      throw DecodeError(.invalid("enumeration of something else than integers"), head.place)
    }
    var names: [String] = []
    for _ in 0..<(head.bits & 0xFFFF) { names.append(try name(head)) }
    var cases: [HDF5EnumerationCase] = []
    for name in names { cases.append(HDF5EnumerationCase(name, try fields.take(base.size))) }
    return .enumeration(base, cases)
  }

  private mutating func variable(_ head: Head) throws(DecodeError) -> HDF5Type {
    let base = try type()
    guard head.size == 4 + fields.widths.address + 4 else {
      throw DecodeError(.invalid("heap pointer of \(head.size) bytes"), head.place)
    }
    switch head.bits & 15 {
    case 0: return .sequence(of: base, size: head.size)
    case 1:
      return .variableString(
        size: head.size, try padding(head.bits >> 4 & 15, head),
        try characters(head.bits >> 8, head))
    default: throw DecodeError(.invalid("variable-length kind \(head.bits & 15)"), head.place)
    }
  }

  private mutating func array(_ head: Head) throws(DecodeError) -> HDF5Type {
    let rank = try fields.u8()
    if head.version < 3 { try fields.skip(3) }
    var extents: [Int] = []
    for _ in 0..<rank { extents.append(try fields.u32()) }
    if head.version < 3 { try fields.skip(4 * rank) }
    let base = try type()
    extents = try checked(extents, head.place)
    guard let size = Checked.product(extents + [base.size]), size == head.size else {
      throw DecodeError(.inconsistent("size of an array type"), head.place)
    }
    return .array(of: base, extents)
  }

  private mutating func complex(_ head: Head) throws(DecodeError) -> HDF5Type {
    let base = try type()
    guard head.bits & 1 != 0, head.bits >> 1 & 3 == 0, case .float = base else {
      throw DecodeError(.unsupported("complex type that is not two real parts"), head.place)
    }
    guard base.size * 2 == head.size else {
      throw DecodeError(.inconsistent("size of a complex type"), head.place)
    }
    return .complex(of: base)
  }
}
