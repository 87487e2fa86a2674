import WherryBytes
import WherryGraph
import WherryHDF5
import WherryZip

/// A model of layers with weights, as the files of Keras hold it.
struct KerasFileDraft {
  let facts: KerasFacts
  let description: ModelDescription
  let weights: WeightTable

  private static let optimizer = "optimizer_weights"

  private func fault(_ error: any Error, _ place: Place) -> EncodeError {
    if let error = error as? EncodeError { return error }
    if let error = error as? DecodeError {
      return EncodeError(.invalid("\(error.reason)"), error.place)
    }
    return EncodeError(.invalid("\(error)"), place)
  }

  /// An `.h5` file: configuration in attributes, weights in a group a layer.
  ///
  /// - Returns: what was written, and what of the state it could not hold.
  func file() throws(EncodeError) -> (root: HDF5Draft.Group, losses: [Loss]) {
    var tree = GroupTree()
    tree.attributes = [HDF5Draft.Attribute("model_config", .text(facts.configuration))]
    var origin: [HDF5Draft.Attribute] = []
    if let version = facts.version {
      origin.append(HDF5Draft.Attribute("keras_version", .text(version)))
    }
    if let backend = facts.backend { origin.append(HDF5Draft.Attribute("backend", .text(backend))) }
    tree.attributes += origin
    if let training = facts.trainingConfiguration {
      tree.attributes.append(HDF5Draft.Attribute("training_config", .text(training)))
    }
    var group = GroupTree()
    let layers = description.layersWithGroups
    group.attributes = HDF5Draft.Attribute.names("layer_names", layers.map(\.name))
    // The first generation is told by the absence of these.
    if facts.version.map({ KerasGeneration(version: $0) != .one }) == true {
      group.attributes += origin
    }
    for layer in layers {
      try add(layer, to: &group)
    }
    if facts.hasTopLevelWeights {
      group.change("top_level_model_weights") { group in
        group.attributes = HDF5Draft.Attribute.names("weight_names", [])
      }
    }
    tree["model_weights".path] = group
    let losses = try addState(to: &tree)
    return (tree.draft, losses)
  }

  private func add(_ layer: LayerDescription, to group: inout GroupTree) throws(EncodeError) {
    // The group may hold those of layers already whose names go on behind a slash.
    let path = GroupTree.names(layer.name)[...]
    var inner = group[path]
    var names: [String] = []
    var used: Set<String> = []
    do {
      for slot in try layer.orderedSlots() {
        let key = slot.slot.key
        guard let weight = weights[slot.layer.path][key] else {
          throw DecodeError(.missing(key), slot.layer.place)
        }
        // Two weights of one name would be one data set.
        var name = weight.name
        if !used.insert(name).inserted { name = "\(slot.layer.path)/\(key)" }
        used.insert(name)
        names.append(name)
        try inner.add(name, weight)
      }
    } catch {
      throw fault(error, layer.place)
    }
    inner.attributes = HDF5Draft.Attribute.names("weight_names", names)
    group[path] = inner
  }

  private func addState(to tree: inout GroupTree) throws(EncodeError) -> [Loss] {
    var losses: [Loss] = []
    var state = GroupTree()
    var names: [String] = []
    for entry in facts.state {
      guard entry.name.hasPrefix("\(Self.optimizer)/") else {
        losses.append(Loss(.information, "state of the training \"\(entry.name)\""))
        continue
      }
      let name = String(entry.name.dropFirst(Self.optimizer.count + 1))
      names.append(name)
      try state.add(name, entry.tensor)
    }
    guard !names.isEmpty else { return losses }
    state.attributes = HDF5Draft.Attribute.names("weight_names", names)
    tree[Self.optimizer.path] = state
    return losses
  }

  /// A `.keras` archive: configuration as JSON, weights by the attributes of the objects.
  func archive(to sink: any ByteSink) throws(EncodeError) -> [Loss] {
    var tree = GroupTree()
    try add(description, in: "", to: &tree)
    tree.change("vars") { _ in }
    for (path, name) in facts.groups.sorted(by: { $0.key < $1.key }) {
      tree.change(path) { $0.attributes = [HDF5Draft.Attribute("name", .text(name))] }
    }
    var losses: [Loss] = []
    for entry in facts.state {
      if entry.name.hasPrefix("\(Self.optimizer)/") {
        losses.append(Loss(.information, "state of the training \"\(entry.name)\""))
      } else {
        try tree.add(entry.name, entry.tensor)
      }
    }
    // The check sum stands in front of the file, so the file is made twice rather than kept.
    let weights = ChecksumSink()
    try HDF5Writer.write(tree.draft, to: weights)
    let metadata = facts.archiveMetadata ?? facts.version.map { #"{"keras_version": "\#($0)"}"# }
    do {
      var zip = ZipWriter(sink)
      if let metadata { try zip.add("metadata.json", Bytes(Array(metadata.utf8))) }
      try zip.add("config.json", Bytes(Array(facts.configuration.utf8)))
      try zip.begin("model.weights.h5", size: weights.count, checksum: weights.checksum)
      try HDF5Writer.write(tree.draft, to: sink)
      for (path, tokens) in assets(description, in: "").sorted(by: { $0.0 < $1.0 }) {
        // Earlier versions take an end of line after the last token for an empty one behind it.
        let text = tokens.joined(separator: "\n")
        try zip.add("assets/\(path)/vocabulary.txt", Bytes(Array(text.utf8)))
      }
      try zip.finish()
    } catch let error as FileError {
      throw EncodeError(.file(error))
    } catch {
      throw fault(error, Place())
    }
    return losses
  }

  private func add(
    _ model: ModelDescription, in folder: String, to tree: inout GroupTree
  ) throws(EncodeError) {
    for (layer, place) in Self.places(model, in: folder) {
      try add(layer, in: place, to: &tree)
    }
  }

  /// The layers of a model that have a place in an archive, and their places.
  private static func places(
    _ model: ModelDescription, in folder: String
  ) -> [(LayerDescription, String)] {
    var names = ContainerNames()
    var result: [(LayerDescription, String)] = []
    for layer in model.layers where !layer.isOperation {
      if model.kind == .sequential, layer.className == "InputLayer" { continue }
      result.append((layer, "\(folder)layers/\(names.next(layer.classInFile))"))
    }
    return result
  }

  private func add(
    _ layer: LayerDescription, in folder: String, to tree: inout GroupTree
  ) throws(EncodeError) {
    tree.change("\(folder)/vars") { _ in }
    if let model = layer.model { return try add(model, in: "\(folder)/", to: &tree) }
    for inner in layer.inner {
      try add(inner.layer, in: "\(folder)/\(inner.attribute)", to: &tree)
    }
    do {
      for slot in try layer.slots() {
        // Where the file had it; both generations read the last place where it had it nowhere.
        let known = slot.paths.first { facts.groups[Self.parent("\(folder)/\($0)")] != nil }
        guard let weight = weights[layer.path][slot.key], let path = known ?? slot.paths.last else {
          throw DecodeError(.missing(slot.key), layer.place)
        }
        try tree.add("\(folder)/\(path)", weight)
      }
    } catch {
      throw fault(error, layer.place)
    }
  }

  /// The path of the group that holds something.
  private static func parent(_ path: String) -> String {
    GroupTree.names(path).dropLast().joined(separator: "/")
  }

  private func assets(_ model: ModelDescription, in folder: String) -> [(String, [String])] {
    Self.places(model, in: folder).flatMap { layer, place -> [(String, [String])] in
      if let model = layer.model { return assets(model, in: "\(place)/") }
      return weights.vocabularies[layer.path].map { [(place, $0)] } ?? []
    }
  }
}

extension String {
  /// The names of a path.
  fileprivate var path: ArraySlice<String> { GroupTree.names(self)[...] }
}
