import WherryBytes
import WherryGraph
import WherryHDF5
import WherryText
import WherryZip

/// The structure of a file that holds weights alone, from a file beside it.
///
/// `NAME.weights.h5` goes with `NAME.json`, `NAME.config.json`, `NAME.keras` or `NAME.h5`, or with
/// `config.json` or `model.json` in its folder; the first that is there counts.
struct StructureBeside {
  let path: String
  let configuration: String
  let version: String?
  let backend: String?
  let archiveMetadata: String?

  /// Finds the structure.
  ///
  /// - Throws: `DecodeError.unsupported` when nothing stands beside the file; what is wrong with what does.
  init(_ source: ModelSource) throws {
    guard let path = source.path else {
      throw DecodeError(
        .unsupported("weights alone, without a file name to find their structure by"))
    }
    let candidates = Self.candidates(path)
    for candidate in candidates {
      guard let bytes = try? Bytes(mapping: candidate) else { continue }
      do {
        self = try Self(candidate, bytes, source.limits)
        return
      } catch let error as DecodeError {
        throw DecodeError(error.reason, Self.place(candidate, error.place))
      }
    }
    let names = candidates.map { Self.name($0) }.joined(separator: ", ")
    throw DecodeError(
      .unsupported("weights without a structure, which stands in none of \(names) beside the file"),
      Place().inside("group", "/").inside("attribute", "model_config"))
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  private static func place(_ path: String, _ inner: Place) -> Place {
    let outer = Place().inside("file", name(path))
    return Place(inner.position, road: outer.road + inner.road)
  }

  static func candidates(_ path: String) -> [String] {
    var base = path
    for ending in [".h5", ".hdf5", ".weights"] where base.lowercased().hasSuffix(ending) {
      base = String(base.dropLast(ending.count))
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let all =
      [".json", ".config.json", ".keras", ".h5", ".hdf5"].map { base + $0 }
      + ["config.json", "model.json"].map { folder + $0 }
    return all.filter { $0 != path }
  }

  private init(_ path: String, _ bytes: Bytes, _ limits: Limits) throws {
    self.path = path
    if ZipArchive.recognizes(bytes) {
      let archive = try ZipArchive(bytes, limits: limits)
      func text(_ name: String) throws -> String? {
        guard let entry = archive.entries.first(where: { $0.name == name }) else { return nil }
        return try archive.content(of: entry).text
      }
      guard let configuration = try text("config.json") else {
        throw DecodeError(.missing("config.json"))
      }
      self.configuration = configuration
      archiveMetadata = try text("metadata.json")
      let metadata = try archiveMetadata.map { try JSONValue(parsing: $0, limits: limits) }
      version = metadata?["keras_version"]?.string
      backend = nil
    } else if HDF5File.recognizes(bytes) {
      let root = try HDF5File(bytes, limits: limits).root()
      guard let configuration = try root.text("model_config") else {
        throw DecodeError(.missing("model_config"))
      }
      self.configuration = configuration
      version = try root.text("keras_version")
      backend = try root.text("backend")
      archiveMetadata = nil
    } else {
      guard let text = bytes.text else { throw DecodeError(.notUTF8) }
      let json = try JSONValue(parsing: text, limits: limits)
      configuration = text
      // Keras 3 names the module of the class and leaves its own version out.
      version = json["keras_version"]?.string ?? (json["module"] == nil ? nil : "3.0.0")
      backend = json["backend"]?.string
      archiveMetadata = nil
    }
  }
}
