import WherryBytes

/// One element, decoded.
public indirect enum HDF5Value: Hashable, Sendable {
  /// A signed integer or enumeration value.
  case signed(Int64)
  /// An unsigned integer, enumeration value or bit field.
  case unsigned(UInt64)
  /// A floating-point number; every width becomes a double.
  case float(Double)
  /// Text without its padding.
  case string(Bytes)
  /// Opaque bytes, and integers of more than 64 bits, little-endian.
  case bytes(Bytes)
  /// The members in the order of their type, or the two parts of a complex number.
  case compound([HDF5Value])
  /// The elements of an array type, in row-major order.
  case array([HDF5Value])
  /// The elements of a value of variable length.
  case sequence([HDF5Value])
  /// The address of an object's header; nil for a reference to nothing.
  case object(Int?)
  /// Elements of the data set at an address; nil for a reference to nothing.
  case region(Int, HDF5Selection)
  case noRegion
}

/// Turns bytes in native form into values, following pointers into the heap.
struct ValueDecoder {
  private let image: FileImage
  private let place: Place
  private let heap: GlobalHeap
  private var left: Int

  init(_ image: FileImage, _ place: Place) {
    (self.image, self.place) = (image, place)
    heap = GlobalHeap(Reading(image))
    left = image.limits.elements
  }

  mutating func values(
    _ bytes: Bytes, _ type: HDF5Type, count: Int
  ) throws(DecodeError) -> [HDF5Value] {
    guard count <= left else { throw DecodeError(.limit("values", image.limits.elements), place) }
    left -= count
    let size = type.size
    var values: [HDF5Value] = []
    values.reserveCapacity(count)
    for index in 0..<count {
      guard let element = bytes.slice(index * size..<(index + 1) * size) else {
        throw DecodeError(.truncated(needed: size, available: bytes.count), place)
      }
      values.append(try value(element, type))
    }
    return values
  }

  private mutating func value(_ bytes: Bytes, _ type: HDF5Type) throws(DecodeError) -> HDF5Value {
    switch type {
    case .integer(let bits, let isSigned): return integer(bytes, bits, isSigned)
    case .bitfield(let bits): return integer(bytes, bits, false)
    case .enumeration(let base, _): return try value(bytes, base)
    case .float: return .float(NativeForm.double(bytes, type))
    case .string(_, let padding, _): return .string(Self.trimmed(bytes, padding))
    case .opaque: return .bytes(bytes)
    case .compound(_, let members):
      var parts: [HDF5Value] = []
      for member in members {
        let end = member.offset + member.type.size
        parts.append(try value(bytes.slice(member.offset..<end) ?? Bytes(), member.type))
      }
      return .compound(parts)
    case .complex(let base): return .compound(try values(bytes, base, count: 2))
    case .array(let base, let extents):
      return .array(try values(bytes, base, count: Checked.product(extents) ?? 0))
    case .variableString, .sequence, .reference: return try pointer(bytes, type)
    case .time: throw DecodeError(.unsupported("time type"), place)
    }
  }

  private func integer(_ bytes: Bytes, _ bits: HDF5Bits, _ isSigned: Bool) -> HDF5Value {
    guard bits.size <= 8 else { return .bytes(bytes) }
    let raw = NativeForm.littleEndian(bytes)
    guard isSigned else { return .unsigned(raw) }
    let shift = 64 - 8 * bits.size
    return .signed(Int64(bitPattern: raw << UInt64(shift)) >> Int64(shift))
  }

  private mutating func pointer(
    _ bytes: Bytes, _ type: HDF5Type
  ) throws(DecodeError) -> HDF5Value {
    var fields = FieldReader(bytes, origin: 0, widths: image.widths)
    switch type {
    case .variableString:
      let found = try heap.value(&fields)
      let text = found.flatMap { $0.bytes.slice(0..<min($0.count, $0.bytes.count)) } ?? Bytes()
      return .string(Self.trimmed(text, .zeroTerminated))
    case .sequence(let base, _):
      guard let (count, stored) = try heap.value(&fields), count > 0 else { return .sequence([]) }
      guard let size = Checked.multiply(count, base.size), let run = stored.slice(0..<size) else {
        throw DecodeError(.truncated(needed: count, available: stored.count), place)
      }
      let native = base.native
      let converted =
        native == base ? run : NativeForm.convert(run, base, native, count: count)
      return .sequence(try values(converted, native, count: count))
    case .reference(.object, _):
      let address = try fields.address()
      return .object(address == 0 ? nil : address)
    default: return try region(&fields)
    }
  }

  private func region(_ fields: inout FieldReader) throws(DecodeError) -> HDF5Value {
    guard let stored = try heap.object(&fields) else { return .noRegion }
    var selection = FieldReader(
      stored, origin: image.base + stored.offset, widths: image.widths)
    let address = try selection.requiredAddress("referenced data set")
    return .region(address, try HDF5Selection.read(&selection))
  }

  private static func trimmed(_ bytes: Bytes, _ padding: HDF5Padding) -> Bytes {
    let end = bytes.withUnsafeBytes { raw in
      switch padding {
      case .zeroTerminated: raw.firstIndex(of: 0) ?? raw.count
      case .zeroPadded: (raw.lastIndex { $0 != 0 } ?? -1) + 1
      case .spacePadded: (raw.lastIndex { $0 != 0x20 && $0 != 0 } ?? -1) + 1
      }
    }
    return bytes.slice(0..<end) ?? bytes
  }
}
