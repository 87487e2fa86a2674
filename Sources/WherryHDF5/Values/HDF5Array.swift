import WherryBytes

/// The elements of a data set or attribute, in memory.
public struct HDF5Array: Sendable {
  /// The type of an element in `bytes`: the file's type in this machine's form (`HDF5Type.native`).
  public let type: HDF5Type
  public let space: HDF5Space
  /// The elements in row-major order, `type.size` bytes each, little-endian. Shared with the file
  /// where that holds them in this form. Values of variable length are pointers into the file's heap;
  /// `strings()` and `values()` follow them.
  public let bytes: Bytes
  let image: FileImage
  private let place: Place

  /// - Parameter stored: the elements as the file holds them.
  /// - Throws: `.unsupported` for a type whose values are not read.
  init(
    stored: Bytes, type: HDF5Type, space: HDF5Space, image: FileImage, place: Place
  ) throws(DecodeError) {
    let native = try type.readable(place)
    guard let count = space.count, let size = Checked.multiply(count, native.size),
      native == type || size <= image.limits.expandedBytes
    else { throw DecodeError(.limit("expanded bytes", image.limits.expandedBytes), place) }
    bytes = native == type ? stored : NativeForm.convert(stored, type, native, count: count)
    (self.type, self.space, self.image, self.place) = (native, space, image, place)
  }

  /// Extents, slowest first: none for a scalar, nil for the null space.
  public var shape: [Int]? { space.shape }
  public var count: Int { space.count ?? 0 }

  /// Every element as text, of fixed or variable length.
  ///
  /// - Throws: `.invalid` for a type that is not text, `.notUTF8`, and what reading a heap throws.
  public func strings() throws(DecodeError) -> [String] {
    guard type.isText else { throw DecodeError(.invalid("elements that are not text"), place) }
    var texts: [String] = []
    for value in try values() {
      guard case .string(let bytes) = value, let text = bytes.text else {
        throw DecodeError(.notUTF8, place)
      }
      texts.append(text)
    }
    return texts
  }

  /// Every element as a value of its own; for numbers, `bytes` is the fast way.
  ///
  /// - Throws: `DecodeError` when a heap is malformed or the values are more than
  ///   `Limits.elements`.
  public func values() throws(DecodeError) -> [HDF5Value] {
    var decoder = ValueDecoder(image, place)
    return try decoder.values(bytes, type, count: count)
  }
}

extension HDF5Type {
  var isText: Bool {
    switch self {
    case .string, .variableString: true
    default: false
    }
  }

  /// The form that values of this type have in memory.
  ///
  /// - Throws: `.unsupported` when values of this type are not read, by name.
  func readable(_ place: Place) throws(DecodeError) -> HDF5Type {
    switch self {
    case .time: throw DecodeError(.unsupported("time type"), place)
    case .reference(.revised(let kind), _):
      throw DecodeError(.unsupported("reference kind \(kind)"), place)
    case .integer(let bits, _), .bitfield(let bits):
      guard bits.size <= 8 || bits.offset == 0 && bits.precision == 8 * bits.size else {
        throw DecodeError(.unsupported("integer of \(bits.precision) bits"), place)
      }
    case .float(let bits, let layout):
      guard bits.size <= 32, layout.exponentBits <= 30, layout.mantissaBits <= 240 else {
        throw DecodeError(.unsupported("floating-point type of \(bits.size) bytes"), place)
      }
    case .compound(_, let members):
      for member in members { _ = try member.type.readable(place.inside("member", member.name)) }
    case .array(let base, _), .enumeration(let base, _), .sequence(let base, _),
      .complex(let base):
      _ = try base.readable(place)
    default: break
    }
    return native
  }
}
