import WherryBytes

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
    guard parts.count <= reading.image.limits.depth else {
      throw DecodeError(
        .limit("parts of a path", reading.image.limits.depth), Place().inside("group", start.path))
    }
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
    switch link.target {
    case .hard(let address):
      return try HDF5Object.read(at: address, path: group.path(of: link), reading)
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
