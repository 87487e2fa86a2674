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
    // Constants that hold weights are looked at as they come up; none is kept.
    func assembled(
      _ table: WeightTable, _ visit: @escaping (String, Tensor) -> Void
    ) -> GraphAssembly.Result? {
      var table = table
      table.vocabularies = facts.vocabularies
      return try? GraphAssembly(description, generation, table, Place()).graph { name, tensor in
        visit(name, tensor)
        return false
      }
    }
    let own = Self.byName(model.graph)
    var gathering = WeightGathering(tracing)
    var isTraced = true
    var earlier: [String: [Tensor]] = [:]
    for round in 0..<tracing.rounds {
      let made = assembled(tracing.marked(round: round)) { name, marks in
        guard isTraced else { return }
        guard round + 1 == tracing.rounds else {
          earlier[name, default: []].append(marks)
          return
        }
        guard let tensor = own[name], tensor.element == marks.element, tensor.shape == marks.shape
        else {
          isTraced = false
          return
        }
        let marks = (earlier.removeValue(forKey: name) ?? []) + [marks]
        isTraced = gathering.take(tensor, marks: marks)
      }
      guard made != nil, isTraced else { return nil }
    }
    var state: [Initializer] = []
    for entry in facts.state {
      guard let (layer, key) = KerasFacts.unusedWeight(entry.name) else {
        state.append(entry)
        continue
      }
      gathering.take(entry.tensor, layer: layer, key: key)
    }
    guard var table = gathering.table() else { return nil }
    var seen: Set<String> = []
    var isSame = true
    let made = assembled(table) { name, tensor in
      seen.insert(name)
      isSame = isSame && own[name] == tensor
    }
    guard let again = made, isSame, Self.isSame(again.graph, model.graph, besides: seen, own)
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

  /// Whether two graphs are the same, except for the constants that were compared before.
  private static func isSame(
    _ a: Graph, _ b: Graph, besides seen: Set<String>, _ constants: [String: Tensor]
  ) -> Bool {
    a.nodes == b.nodes && a.inputs == b.inputs && a.outputs == b.outputs
      && byName(a) == constants.filter { !seen.contains($0.key) }
  }
}
