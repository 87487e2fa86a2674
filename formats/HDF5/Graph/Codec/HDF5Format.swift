import WherryBytes
import WherryGraph
import WherryHDF5
import WherryKeras

/// HDF5 in two layouts: Keras's, and one of ours that holds every graph.
///
/// - Source: `formats/HDF5/README.md`.
public enum HDF5Format: ModelFormat {
  public static let name = "hdf5"
  public static let extensions = KerasFormat.extensions
  public static let summary = "Keras models of versions 1 to 3; every other graph, lossless"

  public static func recognizes(_ bytes: Bytes) -> Bool { KerasFormat.recognizes(bytes) }

  /// The element type whose tensors have the bytes of this type; nil when there is none.
  public static func element(of type: HDF5Type) -> ElementType? { GraphLayout.element(of: type) }

  /// Reads a model in whichever layout the file has.
  ///
  /// - Throws: `ReadFailure` with everything wrong with the file.
  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    if HDF5File.recognizes(source.bytes) {
      let root: HDF5Group
      let isGraph: Bool
      do throws(DecodeError) {
        root = try HDF5File(source.bytes, limits: source.limits).root()
        isGraph = try GraphLayoutReader.recognizes(root)
      } catch {
        throw ReadFailure(error)
      }
      if isGraph { return Reading(try GraphLayoutReader.read(root, source)) }
    }
    return try KerasFormat.read(source)
  }

  /// Writes a model: as Keras where Keras can say it, else in the graph layout.
  ///
  /// This is the one place where the layout is chosen.
  ///
  /// - Returns: what the file does not hold; for the graph layout, that Keras can't open it.
  /// - Throws: `EncodeError` for a model that neither layout holds; `.file` when the sink fails.
  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    // Archives are Keras's alone.
    let isArchive = options.path?.lowercased().hasSuffix(".keras") == true
    let start = sink.count
    do throws(EncodeError) {
      return try KerasFormat.write(model, to: sink, options: options)
    } catch {
      guard !isArchive, sink.count == start, case .inexpressible(let what) = error.reason else {
        throw error
      }
      try GraphLayoutWriter.write(model, to: sink)
      return [
        Loss(
          .capability,
          "written in the graph layout, which Keras can't open: it has no counterpart for \(what)",
          error.place)
      ]
    }
  }
}

/// HDF5's graph layout, asked for by name: nothing is lost, and nothing is chosen.
public enum HDF5GraphFormat: ModelFormat {
  public static let name = "hdf5-graph"
  public static let extensions = ["h5", "hdf5"]
  public static let summary = "HDF5 in the graph layout, whatever the model; lossless"

  public static func recognizes(_ bytes: Bytes) -> Bool {
    guard HDF5File.recognizes(bytes), let root = try? HDF5File(bytes).root() else { return false }
    return (try? GraphLayoutReader.recognizes(root)) == true
  }

  /// - Throws: `ReadFailure` with everything wrong with the file, or `.notThisFormat`.
  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    guard recognizes(source.bytes) else {
      throw ReadFailure(DecodeError(.notThisFormat("an HDF5 file in the graph layout"), .byte(0)))
    }
    return try HDF5Format.read(source)
  }

  /// - Returns: nothing is ever lost.
  /// - Throws: as `GraphLayoutWriter` does for a negative extent and an attribute that stands twice;
  ///   `.file` when the sink fails.
  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    try GraphLayoutWriter.write(model, to: sink)
    return []
  }
}
