import WherryBytes
import WherryGraph
import WherryHDF5
import WherryText

/// Chooses how a model is written, and writes it.
///
/// A model that came from a Keras file and is unchanged is written as that file had it. Any other, and
/// one of Keras 1 or 2 that goes into the other container, is said in layers anew, in a form that Keras 2
/// and Keras 3 read alike.
struct KerasWriter {
  private let options: WriteOptions

  init(_ options: WriteOptions) { self.options = options }

  /// The container that the ending asks for.
  private var container: KerasFacts.Container {
    options.path?.lowercased().hasSuffix(".keras") == true ? .archive : .file
  }

  func write(_ model: Model, to sink: any ByteSink) throws(EncodeError) -> [Loss] {
    let restored = KerasRestoration(model)
    if let restored {
      let isThird = KerasGeneration(version: restored.facts.version) == .three
      if restored.facts.container == container {
        return try write(restored.draft, to: sink)
      }
      let draft = isThird ? restored.draft : restored.draft.lifted()
      if let moved = draft?.moved(to: container) {
        return try write(moved.draft, to: sink) + moved.losses
      }
    }
    do throws(EncodeError) {
      let (draft, losses) = try composed(model)
      return try write(draft, to: sink) + losses
    } catch {
      guard case .inexpressible = error.reason, let moved = restored?.draft.moved(to: container)
      else { throw error }
      return try write(moved.draft, to: sink) + moved.losses + [
        Loss(.capability, "written in the form of Keras 2, which Keras 3 may not read")
      ]
    }
  }

  private func write(
    _ draft: KerasFileDraft, to sink: any ByteSink
  ) throws(EncodeError) -> [Loss] {
    switch container {
    case .archive: return try draft.archive(to: sink)
    case .file:
      let (root, losses) = try draft.file()
      try HDF5Writer.write(root, to: sink)
      return losses
    }
  }

  /// The version that both loaders take for what is said anew.
  private static let version = "3.0.0"

  private func composed(_ model: Model) throws(EncodeError) -> (KerasFileDraft, [Loss]) {
    let composer = GraphComposer(model, allowsOperations: container == .archive)
    let page = try composer.page()
    var facts = KerasFacts(container: container)
    (facts.version, facts.backend) = (Self.version, "tensorflow")
    facts.configuration = page.configuration.text
    var reader = ConfigurationReader(.three)
    let description: ModelDescription
    do {
      description = try reader.model(page.configuration, at: Place())
    } catch {
      throw EncodeError(.invalid("\(error.reason)"), error.place)
    }
    if let error = reader.errors.first {
      throw EncodeError(.invalid("\(error.reason)"), error.place)
    }
    var losses = page.renamed.map { from, to in
      Loss(.information, "the name \"\(from)\" became \"\(to)\"")
    }
    losses += page.thirdOnly.map { Loss(.capability, "Keras 2 does not read \($0)") }
    losses += composer.losses + Self.untold(model)
    return (
      KerasFileDraft(facts: facts, description: description, weights: page.weights), losses
    )
  }

  /// What of a Keras file's own properties is lost where its graph is said anew; nil for what only
  /// says how to write that file.
  private static func toldAs(_ key: String) -> String? {
    switch key {
    case "keras.config": "names, nesting and sharing of the file's own layers"
    case "keras.training_config": "the configuration of the training"
    default: key.hasPrefix("keras.") ? nil : "property \"\(key)\""
    }
  }

  /// What the model says of itself that stands in no layer.
  private static func untold(_ model: Model) -> [Loss] {
    let (metadata, graph) = (model.metadata, model.graph)
    var parts: [String] = []
    let docs =
      [metadata.docString, graph.docString] + graph.nodes.map(\.docString)
      + graph.initializers.map(\.docString)
      + (graph.inputs + graph.outputs + graph.values).map(\.docString)
    if docs.contains(where: { !$0.isEmpty }) { parts.append("documentation") }
    if !metadata.producerName.isEmpty {
      let version = metadata.producerVersion
      parts.append("producer \"\(metadata.producerName)\(version.isEmpty ? "" : " \(version)")\"")
    }
    if !metadata.domain.isEmpty { parts.append("domain \"\(metadata.domain)\"") }
    if metadata.modelVersion != 0 { parts.append("model version \(metadata.modelVersion)") }
    parts += metadata.properties.compactMap { toldAs($0.key) }
    parts += graph.properties.map { "property \"\($0.key)\" of the graph" }
    if graph.nodes.contains(where: { !$0.properties.isEmpty }) {
      parts.append("properties of nodes")
    }
    let named = graph.nodes.filter { node in
      !node.name.isEmpty && !node.outputs.contains(node.name)
    }
    if !named.isEmpty {
      parts.append("the names of \(named.count) nodes: layers are named after values")
    }
    let symbols = Set(
      graph.inputs.flatMap { $0.type.shape?.dimensions ?? [] }.compactMap { dimension in
        if case .symbolic(let name) = dimension { name } else { nil }
      })
    parts += symbols.sorted().map { "the name \"\($0)\" of an unknown extent" }
    if !graph.quantization.isEmpty { parts.append("quantization annotations") }
    if !model.labels.isEmpty { parts.append("class labels") }
    if !model.schema.isEmpty { parts.append("the schema of the inputs") }
    if !model.training.isEmpty { parts.append("state of the training") }
    if !model.devices.isEmpty { parts.append("device configurations") }
    return parts.map { Loss(.information, $0) }
  }
}
