import WherryBytes

/// How many elements there are, and how they are arranged.
public enum HDF5Space: Hashable, Sendable {
  /// No elements at all; h5py calls it `Empty`.
  case null
  /// One element.
  case scalar
  /// Extents, slowest first, each with the largest it may grow to; nil stands for unlimited.
  case simple([Int], maximum: [Int?])

  /// A space that can't grow; no extents make a scalar.
  public init(_ shape: [Int]) {
    self = shape.isEmpty ? .scalar : .simple(shape, maximum: shape)
  }

  /// Extents, slowest first: none for a scalar, nil for the null space.
  public var shape: [Int]? {
    switch self {
    case .null: nil
    case .scalar: []
    case .simple(let extents, _): extents
    }
  }

  /// Number of elements; nil when it overflows.
  var count: Int? { shape.map { Checked.product($0) } ?? 0 }

  /// - Source: HDF5 File Format Specification 3.0, section IV.A.2.b.
  static func read(_ fields: inout FieldReader) throws(DecodeError) -> HDF5Space {
    let place = fields.place
    let version = try fields.version(1...2, of: "dataspace")
    let rank = try fields.u8()
    let flags = try fields.u8()
    guard rank <= 32 else { throw DecodeError(.invalid("rank \(rank)"), place) }
    var kind = rank == 0 ? 0 : 1
    if version == 2 {
      kind = try fields.u8()
    } else {
      try fields.skip(5)
    }
    guard (0...2).contains(kind), kind == 1 || rank == 0 else {
      throw DecodeError(.invalid("dataspace kind \(kind)"), place)
    }
    if kind == 2 { return .null }
    var extents: [Int] = []
    for _ in 0..<rank { extents.append(try fields.length()) }
    guard rank > 0 else { return .scalar }
    guard flags & 1 != 0 else { return .simple(extents, maximum: extents) }
    var maximum: [Int?] = []
    for extent in extents {
      let most = try fields.extent()
      guard most ?? .max >= extent else {
        throw DecodeError(.inconsistent("extent beyond its maximum"), place)
      }
      maximum.append(most)
    }
    return .simple(extents, maximum: maximum)
  }
}
