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
}
