import WherryBytes
import WherryGraph

/// What a Keras layer is in the graph: the weights it has and the nodes it becomes.
struct LayerBinding: Sendable {
  typealias Slots = @Sendable (LayerSettings) throws(DecodeError) -> [WeightSlot]
  typealias Build = @Sendable (LayerSite) throws(DecodeError) -> [KerasTensor]

  /// Class names that mean this layer.
  let names: [String]
  let slots: Slots
  let build: Build

  init(
    _ names: String...,
    slots: @escaping Slots = { (_) throws(DecodeError) in [] }, build: @escaping Build
  ) {
    (self.names, self.slots, self.build) = (names, slots, build)
  }

  static let all: [LayerBinding] =
    coreLayers + reshapingLayers + convolutionLayers + poolingLayers + normalizationLayers
    + scalingLayers + mergeLayers + activationLayers + resizingLayers + embeddingLayers
    + encodingLayers + recurrentLayers + convolutionalRecurrentLayers
    + wrapperLayers + attentionLayers + applicationLayers

  private static let byName: [String: LayerBinding] = Dictionary(
    all.flatMap { binding in binding.names.map { ($0, binding) } }, uniquingKeysWith: { a, _ in a })

  static func named(_ className: String) -> LayerBinding? { byName[className] }
}
