import WherryBytes
import WherryGraph
import WherryHDF5
import WherryZip

/// HDF5: models of Keras 1 to 3.
///
/// - Source: `formats/HDF5/README.md`.
public enum KerasFormat: ModelFormat {
  public static let name = "hdf5"
  public static let extensions = ["h5", "hdf5", "keras"]
  public static let summary = "Keras models of versions 1 to 3"

  /// An archive begins like every zip file, so its first entry's name counts too.
  public static func recognizes(_ bytes: Bytes) -> Bool {
    if HDF5File.recognizes(bytes) { return true }
    guard ZipArchive.recognizes(bytes), let start = bytes.slice(0..<min(bytes.count, 128)) else {
      return false
    }
    let name = start.array.dropFirst(30)
    return ["metadata.json", "config.json", "model.weights."].contains {
      name.starts(with: $0.utf8)
    }
  }

  /// Reads a model.
  ///
  /// - Throws: `ReadFailure` with every layer that has no counterpart, by name and place; malformed
  ///   HDF5, JSON or settings; weights that are absent or of another shape.
  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    try KerasReader(source).read()
  }

  /// Writes a model: as Keras had it when it came from there and is unchanged.
  ///
  /// - Returns: what the file does not hold.
  /// - Throws: `EncodeError.inexpressible` when Keras has no layers for the model; `.file` when the sink
  ///   fails.
  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    try KerasWriter(options).write(model, to: sink)
  }
}
