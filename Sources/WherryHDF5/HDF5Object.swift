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

/// A group: links by name.
public struct HDF5Group: Sendable {
  public let path: String
  private let header: ObjectHeader
  private let image: FileImage
  private let place: Place

  init(_ header: ObjectHeader, path: String, _ image: FileImage) {
    (self.header, self.path, self.image) = (header, path, image)
    place = Place().inside("group", path)
  }

  static func root(_ reading: Reading) throws(DecodeError) -> HDF5Group {
    let address = reading.image.rootAddress
    guard case .group(let root) = try HDF5Object.read(at: address, path: "/", reading) else {
      throw DecodeError(.invalid("root that is no group"), reading.image.place(address))
    }
    return root
  }

  public var address: Int { header.address }

  public func attributes() throws(DecodeError) -> [HDF5Attribute] {
    try place.locating { () throws(DecodeError) in try header.attributes(Reading(image), place) }
  }

  /// All links: in order of creation where the group keeps it, else by the bytes of their names.
  public func links() throws(DecodeError) -> [HDF5Link] {
    try links(Reading(image))
  }

  func links(_ reading: Reading) throws(DecodeError) -> [HDF5Link] {
    try place.locating { () throws(DecodeError) in try header.links(reading) }
  }

  /// What a link of this group leads to; soft links are followed within this file.
  ///
  /// - Throws: `.missing` for a soft link to nothing, `.unsupported` for external and user-defined
  ///   links, `.limit` for soft links that lead to each other for ever.
  public func open(_ link: HDF5Link) throws(DecodeError) -> HDF5Object {
    var resolver = PathResolver(image)
    return try resolver.open(link, in: self)
  }

  /// The object at a path, from the root if it starts with "/", else from this group.
  ///
  /// - Throws: `.missing` when there is none, else as `open(_:)`.
  public func object(at path: String) throws(DecodeError) -> HDF5Object {
    var resolver = PathResolver(image)
    return try resolver.object(at: HDF5Name(path), from: self)
  }
}

/// Follows paths, counting the steps.
struct PathResolver {
  private let reading: Reading
  private var softLinks: Int

  init(_ image: FileImage) {
    reading = Reading(image)
    softLinks = image.limits.depth
  }

  mutating func object(at path: HDF5Name, from start: HDF5Group) throws(DecodeError) -> HDF5Object {
    let parts = path.bytes.array.split(separator: UInt8(ascii: "/"))
      .map { HDF5Name(Bytes($0)) }.filter { $0.text != "." }
    var group = start
    if path.bytes.byte(0) == UInt8(ascii: "/") { group = try HDF5Group.root(reading) }
    var object = HDF5Object.group(group)
    for part in parts {
      guard case .group(let inside) = object,
        let link = try inside.links(reading).first(where: { $0.name == part })
      else { throw DecodeError(.missing(path.text), Place().inside("group", start.path)) }
      object = try open(link, in: inside)
    }
    return object
  }

  mutating func open(_ link: HDF5Link, in group: HDF5Group) throws(DecodeError) -> HDF5Object {
    let path = (group.path == "/" ? "/" : group.path + "/") + link.name.text
    switch link.target {
    case .hard(let address): return try HDF5Object.read(at: address, path: path, reading)
    case .soft(let target):
      guard softLinks > 0 else {
        throw DecodeError(.limit("soft links", reading.image.limits.depth), link.place(in: group))
      }
      softLinks -= 1
      return try object(at: target, from: group)
    case .external(let file, let inside):
      throw DecodeError(
        .unsupported("external link to \(file.text):\(inside.text)"), link.place(in: group))
    case .userDefined(let kind, _):
      throw DecodeError(.unsupported("user-defined link of kind \(kind)"), link.place(in: group))
    }
  }
}

extension HDF5Link {
  fileprivate func place(in group: HDF5Group) -> Place {
    Place().inside("group", group.path).inside("link", name.text)
  }
}
