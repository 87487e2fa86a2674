import WherryBytes
import WherryGraph
import WherryText

/// A model that came from a Keras file, as that file had it.
struct KerasRestoration {
  let facts: KerasFacts
  let description: ModelDescription
  let weights: WeightTable
  /// The layers as they were applied, models in models resolved.
  let applications: [LayerApplication]

  /// - Returns: nil when the model came from no Keras file, or its graph is no longer the one that the
  ///   file's configuration gives.
  init?(_ model: Model, limits: Limits = .standard) {
    guard let facts = KerasFacts(model), let listing = facts.listing,
      let listed = try? JSONValue(parsing: listing, limits: limits),
      let json = try? JSONValue(parsing: facts.configuration, limits: limits),
      let tracing = WeightTracing(listed), tracing.isTraceable
    else { return nil }
    let generation = KerasGeneration(version: facts.version)
    var reader = ConfigurationReader(generation)
    guard let description = try? reader.model(json, at: Place()), reader.errors.isEmpty else {
      return nil
    }
    func assembled(_ table: WeightTable) -> GraphAssembly.Result? {
      var table = table
      table.vocabularies = facts.vocabularies
      return try? GraphAssembly(description, generation, table, Place()).graph()
    }
    var marked: [[String: Tensor]] = []
    var holders: Set<String> = []
    for round in 0..<tracing.rounds {
      guard let made = tracing.marked(round: round).flatMap(assembled) else { return nil }
      marked.append(Self.byName(made.graph))
      holders = made.weightConstants
    }
    let own = Self.byName(model.graph)
    var gathering = WeightGathering(tracing)
    for (name, first) in marked.first ?? [:] {
      guard let tensor = own[name], tensor.element == first.element, tensor.shape == first.shape
      else { return nil }
      guard holders.contains(name) else { continue }
      let places = WeightTracing.places(marked.compactMap { $0[name] })
      guard gathering.take(tensor, places) else { return nil }
    }
    var state: [Initializer] = []
    for entry in facts.state {
      guard let (layer, key) = KerasFacts.unusedWeight(entry.name) else {
        state.append(entry)
        continue
      }
      gathering.take(entry.tensor, layer: layer, key: key)
    }
    guard var table = gathering.table(), let again = assembled(table),
      Self.isSame(again.graph, model.graph)
    else { return nil }
    table.vocabularies = facts.vocabularies
    var restored = facts
    restored.state = state
    (self.facts, self.description, weights) = (restored, description, table)
    applications = again.applications
  }

  var draft: KerasFileDraft {
    KerasFileDraft(facts: facts, description: description, weights: weights)
  }

  private static func byName(_ graph: Graph) -> [String: Tensor] {
    Dictionary(graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a })
  }

  private static func isSame(_ a: Graph, _ b: Graph) -> Bool {
    a.nodes == b.nodes && a.inputs == b.inputs && a.outputs == b.outputs
      && byName(a) == byName(b)
  }
}
