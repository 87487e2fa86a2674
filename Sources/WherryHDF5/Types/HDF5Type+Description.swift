import WherryBytes

extension HDF5Type: CustomStringConvertible {
  /// A short name for people: `float32`, `uint16 big-endian`, `text[12]`, `{x: float32, y: float32}`.
  public var description: String {
    switch self {
    case .integer(let bits, let isSigned):
      (isSigned ? "int\(8 * bits.size)" : "uint\(8 * bits.size)") + bits.oddities
    case .float(let bits, let layout): Self.floatName(bits, layout) + bits.oddities
    case .time(let bits): "time\(8 * bits.size)"
    case .string(let size, _, _): "text[\(size)]"
    case .variableString: "text"
    case .bitfield(let bits): "bits\(8 * bits.size)" + bits.oddities
    case .opaque(let size, let tag):
      "opaque[\(size)]" + (tag.isEmpty ? "" : " \"\(HDF5Name(tag).text)\"")
    case .compound(_, let members):
      "{\(members.map { "\($0.name): \($0.type)" }.joined(separator: ", "))}"
    case .reference(.object, _): "reference to an object"
    case .reference(.region, _): "reference to a region"
    case .reference(.revised(let kind), _): "reference of kind \(kind)"
    case .enumeration where self == .bool: "bool"
    case .enumeration(let base, let cases):
      "\(base) of \(cases.map(\.name).joined(separator: " | "))"
    case .sequence(let base, _): "sequence of \(base)"
    case .array(let base, let extents):
      "(\(base))[\(extents.map(String.init).joined(separator: ", "))]"
    case .complex(let base): "complex of \(base)"
    }
  }

  private static func floatName(_ bits: HDF5Bits, _ layout: HDF5FloatLayout) -> String {
    let name = "float\(8 * bits.size)"
    let known = [(2, 5, 10), (4, 8, 23), (8, 11, 52)]
    if known.contains(where: {
      $0 == (bits.size, layout.exponentBits, layout.mantissaBits)
    }) {
      return name
    }
    if (bits.size, layout.exponentBits, layout.mantissaBits) == (2, 8, 7) { return "bfloat16" }
    return "\(name) (\(layout.exponentBits) + \(layout.mantissaBits) bits)"
  }
}

extension HDF5Bits {
  /// What is unusual: another byte order than little-endian, bits that don't fill the bytes.
  fileprivate var oddities: String {
    var text = ""
    if size > 1 {
      switch order {
      case .little: break
      case .big: text += " big-endian"
      case .vax: text += " VAX"
      }
    }
    if offset != 0 || precision != 8 * size { text += " (\(precision) bits at \(offset))" }
    return text
  }
}

extension HDF5Space: CustomStringConvertible {
  /// Extents, each with the most it may grow to where that differs: `[3, 4 of at most 10, 5 of any]`.
  public var description: String {
    switch self {
    case .null: return "no elements"
    case .scalar: return "scalar"
    case .simple(let extents, let maximum):
      let parts = zip(extents, maximum).map { extent, most in
        guard let most else { return "\(extent) of any" }
        return most == extent ? "\(extent)" : "\(extent) of at most \(most)"
      }
      return "[\(parts.joined(separator: ", "))]"
    }
  }
}

extension HDF5Filter: CustomStringConvertible {
  /// The name, with the level where there is one: `deflate 6`.
  public var description: String {
    switch id {
    case Self.deflate: "deflate" + (parameters.first.map { " \($0)" } ?? "")
    case Self.shuffle: "shuffle"
    case Self.fletcher32: "fletcher32"
    case Self.szip: "szip"
    case Self.nbit: "n-bit"
    case Self.scaleOffset: "scale-offset"
    case Self.lzf: "LZF"
    default: "filter \(id)" + (name.map { " \"\($0)\"" } ?? "")
    }
  }
}

extension HDF5Value: CustomStringConvertible {
  /// The value for people; of texts the first 60 characters, of lists the first eight elements.
  public var description: String {
    switch self {
    case .signed(let number): "\(number)"
    case .unsigned(let number): "\(number)"
    case .float(let number): "\(number)"
    case .string(let bytes): Self.quoted(HDF5Name(bytes).text)
    case .bytes(let bytes): "\(bytes.count) bytes"
    case .compound(let parts): "{\(Self.listed(parts))}"
    case .array(let parts), .sequence(let parts): "[\(Self.listed(parts))]"
    case .object(let address): address.map { "object at byte \($0)" } ?? "nothing"
    case .region(let address, _): "region of the data set at byte \(address)"
    case .noRegion: "nothing"
    }
  }

  /// The first eight of some values.
  public static func listed(_ values: [HDF5Value]) -> String {
    values.prefix(8).map(\.description).joined(separator: ", ") + (values.count > 8 ? ", …" : "")
  }

  private static func quoted(_ text: String) -> String {
    "\"\(text.prefix(60))\"" + (text.count > 60 ? "…" : "")
  }
}
