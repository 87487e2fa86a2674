import WherryBytes

/// What a link leads to.
public enum HDF5Object: Sendable {
  case group(HDF5Group)
  case dataset(HDF5Dataset)
  /// A type that has a name.
  case type(HDF5CommittedType)

  public var address: Int {
    switch self {
    case .group(let group): group.address
    case .dataset(let dataset): dataset.address
    case .type(let type): type.address
    }
  }

  public func attributes() throws(DecodeError) -> [HDF5Attribute] {
    switch self {
    case .group(let group): try group.attributes()
    case .dataset(let dataset): try dataset.attributes()
    case .type(let type): try type.attributes()
    }
  }

  /// Reads the header of an object and what it describes.
  static func read(
    at address: Int, path: String, _ reading: Reading
  ) throws(DecodeError) -> HDF5Object {
    let header = try ObjectHeader.read(at: address, reading)
    let part = header.first(HeaderMessage.Kind.layout) != nil ? "data set" : "group"
    return try Place().inside(part, path).locating { () throws(DecodeError) in
      if header.first(HeaderMessage.Kind.layout) != nil {
        return .dataset(try HDF5Dataset(header, path: path, reading))
      }
      if header.isGroup { return .group(HDF5Group(header, path: path, reading.image)) }
      if header.first(HeaderMessage.Kind.datatype) != nil {
        return .type(try HDF5CommittedType(header, path: path, reading))
      }
      throw DecodeError(.invalid("object of no kind"), reading.image.place(address))
    }
  }
}

/// A type that has a name and may have attributes.
public struct HDF5CommittedType: Sendable {
  public let path: String
  public let type: HDF5Type
  private let header: ObjectHeader
  private let image: FileImage

  init(_ header: ObjectHeader, path: String, _ reading: Reading) throws(DecodeError) {
    (self.header, self.path, image) = (header, path, reading.image)
    guard let message = header.first(HeaderMessage.Kind.datatype) else {
      throw DecodeError(.missing("type"), image.place(header.address))
    }
    var fields = try reading.fields(of: message)
    type = try HDF5Type.read(&fields, depth: image.limits.depth)
  }

  public var address: Int { header.address }

  public func attributes() throws(DecodeError) -> [HDF5Attribute] {
    let place = Place().inside("type", path)
    return try place.locating { () throws(DecodeError) in
      try header.attributes(Reading(image), place)
    }
  }
}
