import WherryBytes

/// A name as the file holds it: bytes that should be UTF-8 but need not be.
public struct HDF5Name: Hashable, Sendable, CustomStringConvertible {
  public let bytes: Bytes

  public init(_ bytes: Bytes) { self.bytes = bytes }
  public init(_ text: String) { bytes = Bytes(Array(text.utf8)) }

  /// The name as text; bytes that are not UTF-8 become U+FFFD.
  public var text: String { bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
  public var description: String { text }
}

extension HDF5Name: Comparable {
  /// By bytes, as HDF5 sorts names.
  public static func < (a: HDF5Name, b: HDF5Name) -> Bool {
    a.bytes.withUnsafeBytes { x in b.bytes.withUnsafeBytes { y in x.lexicographicallyPrecedes(y) } }
  }
}
