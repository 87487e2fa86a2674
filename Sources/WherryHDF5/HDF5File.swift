import WherryBytes

/// An HDF5 file, read without libhdf5.
///
/// Opening reads the superblock and its extension; all else is read when asked for, straight from `bytes`, which may be a
/// mapped file.
///
/// - Source: HDF5 File Format Specification, version 3.0.
public struct HDF5File: Sendable {
  private let image: FileImage

  /// - Throws: `.notThisFormat` without the signature, `.unsupported` for files that are spread over
  ///   several, and other reasons for a malformed superblock or its extension.
  public init(_ bytes: Bytes, limits: Limits = .standard) throws(DecodeError) {
    try self.init(bytes, limits: limits, verifiesChecksums: true)
  }

  init(_ bytes: Bytes, limits: Limits, verifiesChecksums: Bool) throws(DecodeError) {
    var image = try Superblock.read(
      bytes, limits: limits, verifiesChecksums: verifiesChecksums)
    if let more = image.extensionAddress {
      let reading = Reading(image)
      let settings = try ObjectHeader.read(at: more, reading)
      if let message = settings.first(HeaderMessage.Kind.cacheImage) {
        image.cache = try CacheImage(try reading.fields(of: message), reading)
      }
    }
    self.image = image
  }

  /// The group that everything is in.
  public func root() throws(DecodeError) -> HDF5Group {
    try HDF5Group.root(Reading(image))
  }

  /// Whether the signature is where it may be: at 0, 512, 1024, 2048 and so on.
  public static func recognizes(_ bytes: Bytes) -> Bool { Superblock.find(in: bytes) != nil }

  /// The object whose header is at an address, as object references give it.
  public func object(at address: Int) throws(DecodeError) -> HDF5Object {
    try HDF5Object.read(at: address, path: "@\(address)", Reading(image))
  }

  /// The object at a path from the root.
  public func object(at path: String) throws(DecodeError) -> HDF5Object {
    try root().object(at: path)
  }

  /// Gives `body` every object that hard links lead to, once, with the first path that leads there;
  /// groups before what is in them, links in their order.
  ///
  /// - Throws: `.limit` for groups nested deeper than `Limits.depth`, what reading an object throws, and
  ///   what `body` throws.
  public func forEachObject(
    _ body: (HDF5Object) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let reading = Reading(image)
    let root = try HDF5Group.root(reading)
    var seen: Set<Int> = [root.address]
    var pending = [(object: HDF5Object.group(root), depth: 0)]
    while let (object, depth) = pending.popLast() {
      try body(object)
      guard case .group(let group) = object else { continue }
      guard depth < image.limits.depth else {
        throw DecodeError(
          .limit("nested groups", image.limits.depth), Place().inside("group", group.path))
      }
      var inner: [(object: HDF5Object, depth: Int)] = []
      for link in try group.links(reading) {
        guard case .hard(let address) = link.target, seen.insert(address).inserted else { continue }
        let path = group.path(of: link)
        inner.append((try HDF5Object.read(at: address, path: path, reading), depth + 1))
      }
      pending += inner.reversed()
    }
  }
}
