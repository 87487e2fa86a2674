import WherryBytes
import WherryGraph
import WherryZip

/// NumPy's archive of named arrays: a zip of npy files.
public enum Npz {
  /// The arrays by name, in the archive's order.
  ///
  /// - Throws: `DecodeError` for a malformed archive or array.
  public static func read(_ bytes: Bytes) throws(DecodeError) -> [(name: String, tensor: Tensor)] {
    let archive = try ZipArchive(bytes)
    var result: [(name: String, tensor: Tensor)] = []
    for entry in archive.entries where entry.name.hasSuffix(".npy") {
      let content = try archive.content(of: entry)
      do {
        result.append((String(entry.name.dropLast(4)), try Npy.read(content)))
      } catch {
        throw DecodeError(error.reason, error.place.inside("entry", entry.name))
      }
    }
    return result
  }
}
