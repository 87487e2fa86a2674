import WherryBytes
import WherryGraph
import WherryHDF5Graph
import WherryJSON
import WherryNative
import WherryONNX
import WherryOperators

/// The formats this package knows: the one list that conversion, help, conformance and docs go by.
public enum Formats {
  public static let all: [any ModelFormat.Type] = [
    NativeFormat.self,
    ONNXFormat.self,
    JSONFormat.self,
    HDF5Format.self,
  ]

  /// Formats that share the files of another, and are meant only when named.
  public static let variants: [any ModelFormat.Type] = [HDF5GraphFormat.self]

  /// The format of a `--from` or `--to` name.
  public static func named(_ name: String) -> (any ModelFormat.Type)? {
    (all + variants).first { $0.name == name }
  }

  /// The format a path's ending stands for.
  public static func ofPath(_ path: String) -> (any ModelFormat.Type)? {
    guard let ending = path.split(separator: "/").last?.split(separator: ".").last else {
      return nil
    }
    let lower = ending.lowercased()
    return all.first { $0.extensions.contains(lower) }
  }

  /// The format of a file: by content first, by the path's ending second.
  public static func recognize(_ bytes: Bytes, path: String?) -> (any ModelFormat.Type)? {
    all.first { $0.recognizes(bytes) } ?? path.flatMap(ofPath)
  }
}
