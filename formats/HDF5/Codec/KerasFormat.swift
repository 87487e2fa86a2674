import WherryBytes
import WherryGraph
import WherryHDF5

/// HDF5: models of Keras 1 to 3.
///
/// - Source: `formats/HDF5/README.md`.
public enum KerasFormat: ModelFormat {
  public static let name = "hdf5"
  public static let extensions = ["h5", "hdf5", "keras"]
  public static let summary = "Keras models of versions 1 to 3"

  public static func recognizes(_ bytes: Bytes) -> Bool { HDF5File.recognizes(bytes) }

  /// Reads a model.
  ///
  /// - Throws: `ReadFailure` with every layer that has no counterpart, by name and place; malformed
  ///   HDF5, JSON or settings; weights that are absent or of another shape.
  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    try KerasReader(source).read()
  }

  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    throw EncodeError(.inexpressible("Keras"))
  }
}
