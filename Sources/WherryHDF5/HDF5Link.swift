import WherryBytes

/// A named way from a group to an object.
public struct HDF5Link: Hashable, Sendable {
  public enum Target: Hashable, Sendable {
    /// An object of this file, by the address of its header.
    case hard(Int)
    /// A path within this file, from the root if it starts with "/", else from the link's group.
    case soft(HDF5Name)
    /// An object of another file. It is reported, never followed.
    case external(file: HDF5Name, path: HDF5Name)
    /// A link of a kind that only its application knows.
    case userDefined(Int, Bytes)
  }

  public let name: HDF5Name
  public let target: Target
  /// Position in order of creation, where the group keeps it.
  public var creationOrder: Int64?

  init(name: HDF5Name, target: Target, creationOrder: Int64? = nil) {
    (self.name, self.target, self.creationOrder) = (name, target, creationOrder)
  }

  /// Decodes a link message.
  ///
  /// - Source: HDF5 File Format Specification 3.0, section IV.A.2.g.
  static func read(_ fields: inout FieldReader) throws(DecodeError) -> HDF5Link {
    let place = fields.place
    _ = try fields.version(1...1, of: "link")
    let flags = try fields.u8()
    let kind = flags & 8 != 0 ? try fields.u8() : 0
    let order = flags & 4 != 0 ? Int64(bitPattern: try fields.raw64()) : nil
    if flags & 16 != 0 { try fields.skip(1) }
    let name = HDF5Name(try fields.take(try fields.count(width: 1 << (flags & 3))))
    let target: Target
    switch kind {
    case 0: target = .hard(try fields.requiredAddress("link"))
    case 1: target = .soft(HDF5Name(try fields.take(try fields.u16())))
    case 64: target = try external(try fields.take(try fields.u16()), place, fields.widths)
    case 65...255: target = .userDefined(kind, try fields.take(try fields.u16()))
    default: throw DecodeError(.unsupported("link kind \(kind)"), place)
    }
    return HDF5Link(name: name, target: target, creationOrder: order)
  }

  private static func external(
    _ bytes: Bytes, _ place: Place, _ widths: FieldWidths
  ) throws(DecodeError) -> Target {
    var fields = FieldReader(bytes, origin: 0, widths: widths)
    guard let version = bytes.byte(0), version >> 4 == 0 else {
      throw DecodeError(.unsupportedVersion("external link"), place)
    }
    try fields.skip(1)
    return .external(
      file: HDF5Name(try fields.terminated()), path: HDF5Name(try fields.terminated()))
  }
}
