import WherryBytes
import WherryGraph
import WherryHDF5
import WherryText
import WherryZip

/// Reads a Keras model from an HDF5 file or from a `.keras` archive.
struct KerasReader {
  private let source: ModelSource

  init(_ source: ModelSource) { self.source = source }

  func read() throws(ReadFailure) -> Reading {
    do {
      if ZipArchive.recognizes(source.bytes) { return try readArchive() }
      guard HDF5File.recognizes(source.bytes) else {
        throw DecodeError(.notThisFormat("an HDF5 file or a .keras archive"), .byte(0))
      }
      return try readFile()
    } catch let error as ReadFailure {
      throw error
    } catch let error as DecodeError {
      throw ReadFailure(error)
    } catch {
      throw ReadFailure(DecodeError(.invalid("\(error)")))
    }
  }

  /// An `.h5` file: configuration in attributes, weights in groups by layer.
  private func readFile() throws -> Reading {
    let file = try HDF5File(source.bytes, limits: source.limits)
    let root = try file.root()
    guard let text = try root.text("model_config") else { return try readWeights(root) }
    let weightGroup = (try? root.group(at: "model_weights")) ?? root
    var facts = KerasFacts(container: .file)
    facts.version = try root.text("keras_version") ?? weightGroup.text("keras_version")
    facts.backend = try root.text("backend") ?? weightGroup.text("backend")
    facts.trainingConfiguration = try root.text("training_config")
    facts.configuration = text
    facts.hasTopLevelWeights = try weightGroup.links().contains {
      $0.name.text == "top_level_model_weights"
    }
    facts.state = try LegacyWeights.optimizerState(root)
    return try readLegacy(facts, root, Place().inside("model_config"))
  }

  private func readLegacy(_ facts: KerasFacts, _ root: HDF5Group, _ place: Place) throws -> Reading
  {
    try read(facts, place) { (description, generation, _) throws(ReadFailure) in
      do {
        return (try LegacyWeights(root, generation).table(for: description), [])
      } catch let error as DecodeError {
        throw ReadFailure(error)
      } catch let error as ReadFailure {
        throw error
      } catch {
        throw ReadFailure(DecodeError(.invalid("\(error)")))
      }
    }
  }

  /// A file of weights alone, whose structure stands beside it.
  private func readWeights(_ root: HDF5Group) throws -> Reading {
    let names = Set(try root.links().map(\.name.text))
    let isArchived = names.contains("layers") || names.contains("_layer_checkpoint_dependencies")
    guard try isArchived || root.texts("layer_names") != nil else {
      throw DecodeError(
        .unsupported("an HDF5 file that holds no model of Keras"), Place().inside("group", "/"))
    }
    let beside = try StructureBeside(source)
    var facts = KerasFacts(container: isArchived ? .archive : .file)
    facts.configuration = beside.configuration
    facts.version = try beside.version ?? root.text("keras_version")
    facts.backend = beside.backend
    facts.archiveMetadata = beside.archiveMetadata
    let place = Place().inside("file", beside.path)
    guard isArchived else { return try readLegacy(facts, root, place) }
    // Only files since version 2.13 have this layout.
    if facts.version == nil { facts.version = "3.0.0" }
    return try readArchived(facts, root, place) { _ in nil }
  }

  /// Weights by the attributes of the objects.
  private func readArchived(
    _ facts: KerasFacts, _ root: HDF5Group, _ place: Place,
    asset: @escaping (String) throws(DecodeError) -> Bytes?
  ) throws -> Reading {
    var stored = ArchiveWeights(root, asset: asset)
    return try read(facts, place) { (description, _, facts) throws(ReadFailure) in
      let table = try stored.table(for: description)
      let rest = stored.rest(limits: source.limits)
      (facts.state, facts.groups) = (rest.state, rest.names)
      return (table, rest.losses)
    }
  }

  /// A `.keras` archive: configuration and weights as entries of a zip file.
  private func readArchive() throws -> Reading {
    let archive = try ZipArchive(source.bytes, limits: source.limits)
    func content(_ name: String) throws(DecodeError) -> Bytes? {
      guard let entry = archive.entries.first(where: { $0.name == name }) else { return nil }
      return try archive.content(of: entry)
    }
    func text(_ name: String) throws -> String? {
      guard let bytes = try content(name) else { return nil }
      guard let text = bytes.text else {
        throw DecodeError(.notUTF8, Place().inside("entry", name))
      }
      return text
    }
    guard let configuration = try text("config.json") else {
      throw DecodeError(
        .unsupported("an archive without config.json, which is no model of Keras"), .byte(0))
    }
    guard let weights = try content("model.weights.h5") else {
      let other = archive.entries.first { $0.name.hasPrefix("model.weights") }?.name
      throw DecodeError(
        .unsupported(other.map { "weights in \($0)" } ?? "an archive without model.weights.h5"),
        .byte(0))
    }
    var facts = KerasFacts(container: .archive)
    facts.configuration = configuration
    facts.archiveMetadata = try text("metadata.json")
    if let metadata = facts.archiveMetadata {
      facts.version = try parsed(metadata, Place().inside("metadata.json"))["keras_version"]?.string
    }
    let file = try HDF5File(weights, limits: source.limits)
    return try readArchived(facts, try file.root(), Place().inside("config.json")) {
      (name) throws(DecodeError) in
      try content("assets/\(name)")
    }
  }

  private func parsed(_ text: String, _ place: Place) throws(DecodeError) -> JSONValue {
    do {
      return try JSONValue(parsing: text, limits: source.limits)
    } catch {
      throw DecodeError(error.reason, Place(error.place.position, road: place.road))
    }
  }

  private func read(
    _ facts: KerasFacts, _ place: Place,
    weights: (ModelDescription, KerasGeneration, inout KerasFacts) throws(ReadFailure) -> (
      WeightTable, [Loss]
    )
  ) throws -> Reading {
    var facts = facts
    let generation = KerasGeneration(version: facts.version)
    var reader = ConfigurationReader(generation)
    let description = try reader.model(try parsed(facts.configuration, place), at: place)
    guard reader.errors.isEmpty else { throw ReadFailure(reader.errors) }
    let (table, losses) = try weights(description, generation, &facts)
    let made = try GraphAssembly(description, generation, table, place).graph()
    do {
      return Reading(try facts.model(made, table), losses: losses + made.losses)
    } catch {
      throw ReadFailure(error)
    }
  }
}
