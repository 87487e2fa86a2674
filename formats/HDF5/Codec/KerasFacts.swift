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
  ///
  /// - Parameter operatorSet: the ONNX operator set that has all of the graph's operators.
  func model(_ graph: Graph, operatorSet: Int64, _ weights: WeightTable) -> Model {
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
    properties.append(Property("keras.weights", weights.listing.text))
    metadata.properties = properties
    return Model(
      graph: graph, metadata: metadata, operatorSets: [OperatorSetVersion("", operatorSet)],
      training: Self.training(state))
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
            .string(weight.tensor.element.name),
            .array(weight.tensor.shape.map { .integer(Int64($0)) }),
          ])
        }
      })
  }
}
