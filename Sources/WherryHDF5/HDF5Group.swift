import WherryBytes

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

  func path(of link: HDF5Link) -> String {
    (path == "/" ? path : path + "/") + link.name.text
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
