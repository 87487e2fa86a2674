import WherryBytes
import WherryGraph
import WherryText

/// What a Keras file says besides the graph: it travels as the model's metadata and comes back.
struct KerasFacts {
  enum Container: String {
    case file = "h5"
    case archive = "keras"
  }

  var container: Container
  var version: String?
  var backend: String?
  /// The configuration as JSON text.
  var configuration = ""
  /// Loss, metrics and optimizer of an `.h5` file; a `.keras` file has them in its configuration.
  var trainingConfiguration: String?
  /// `metadata.json` of a `.keras` file.
  var archiveMetadata: String?
  /// Tokens of look-up layers that stand beside the configuration.
  var vocabularies: [String: [String]] = [:]
  /// What the groups of an archive's weights are called, by path.
  var groups: [String: String] = [:]
  /// Whether an `.h5` file has the group of weights that belong to no layer, as Keras writes since 2.6.
  var hasTopLevelWeights = true
  /// The names and extents of the weights as JSON text.
  var listing: String?
  /// What the optimizer and the metrics have accumulated, by path in the file.
  var state: [Initializer] = []

  init(container: Container) { self.container = container }

  /// The name of the graph that holds the state.
  static let stateName = "keras state"

  static func training(_ state: [Initializer]) -> [TrainingInfo] {
    guard !state.isEmpty else { return [] }
    return [
      TrainingInfo(
        initialization: nil, algorithm: Graph(name: stateName, initializers: state),
        initializationBinding: [], updateBinding: [])
    ]
  }

  /// The model of a file that says this.
  func model(
    _ made: GraphAssembly.Result, _ weights: WeightTable
  ) throws(DecodeError) -> Model {
    var metadata = Metadata()
    metadata.producerName = "keras"
    metadata.producerVersion = version ?? ""
    var properties = [Property("keras.container", container.rawValue)]
    if let backend { properties.append(Property("keras.backend", backend)) }
    properties.append(Property("keras.config", configuration))
    if let trainingConfiguration {
      properties.append(Property("keras.training_config", trainingConfiguration))
    }
    if let archiveMetadata { properties.append(Property("keras.metadata", archiveMetadata)) }
    if !hasTopLevelWeights {
      properties.append(Property("keras.top_level_model_weights", "absent"))
    }
    properties.append(Property("keras.weights", weights.listing.text))
    if !groups.isEmpty {
      let members = groups.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }
      properties.append(Property("keras.groups", JSONValue.object(members).text))
    }
    if !weights.vocabularies.isEmpty {
      let members = weights.vocabularies.sorted { $0.key < $1.key }.map {
        JSONMember($0.key, .array($0.value.map { .string($0) }))
      }
      properties.append(Property("keras.vocabularies", JSONValue.object(members).text))
    }
    metadata.properties = properties
    var unused: [Initializer] = []
    for (layer, key) in made.unused {
      guard let weight = weights[layer][key] else { continue }
      unused.append(Initializer(Self.unusedName(layer, key), try weight.tensor()))
    }
    return Model(
      graph: made.graph, metadata: metadata,
      operatorSets: [OperatorSetVersion("", made.operatorSet)],
      training: Self.training(state + unused))
  }

  /// The name of a weight that takes no part in the graph, among the state.
  static func unusedName(_ layer: String, _ key: String) -> String { "unused:\(key):\(layer)" }

  /// The layer and key of such a name.
  static func unusedWeight(_ name: String) -> (layer: String, key: String)? {
    let parts = name.split(separator: ":", maxSplits: 2).map(String.init)
    return parts.count == 3 && parts[0] == "unused" ? (parts[2], parts[1]) : nil
  }
}

extension KerasFacts {
  /// What a model says of the Keras file it came from; nil when it came from none.
  init?(_ model: Model) {
    var texts: [String: String] = [:]
    for property in model.metadata.properties { texts[property.key] = property.value }
    guard let configuration = texts["keras.config"],
      let container = texts["keras.container"].flatMap({ Container(rawValue: $0) })
    else { return nil }
    self.init(container: container)
    self.configuration = configuration
    version = model.metadata.producerVersion.isEmpty ? nil : model.metadata.producerVersion
    backend = texts["keras.backend"]
    trainingConfiguration = texts["keras.training_config"]
    archiveMetadata = texts["keras.metadata"]
    hasTopLevelWeights = texts["keras.top_level_model_weights"] != "absent"
    listing = texts["keras.weights"]
    for member in texts["keras.groups"].flatMap({ try? JSONValue(parsing: $0) })?.members ?? [] {
      groups[member.key] = member.value.string
    }
    let tokens = texts["keras.vocabularies"].flatMap { try? JSONValue(parsing: $0) }
    for member in tokens?.members ?? [] {
      vocabularies[member.key] = member.value.array?.compactMap(\.string)
    }
    for info in model.training where info.algorithm?.name == Self.stateName {
      state += info.algorithm?.initializers ?? []
    }
  }
}

extension WeightTable {
  /// Names, types and extents of all weights: what is needed to find them again in a graph.
  var listing: JSONValue {
    .array(
      order.compactMap { layer, key in
        self[layer][key].map { weight in
          .array([
            .string(layer), .string(key), .string(weight.name),
            .string(weight.element.name),
            .array(weight.shape.map { .integer(Int64($0)) }),
          ])
        }
      })
  }
}
