import WherryBytes
import WherryGraph

/// A weight that a layer of some class and settings has.
struct WeightSlot: Sendable {
  /// What the layer calls it: `kernel`.
  var key: String
  /// Where Keras 3 stores it within the layer, the newest place first: `cell/vars/0`.
  var paths: [String]
  var isTrainable: Bool

  init(_ key: String, _ paths: String..., isTrainable: Bool = true) {
    (self.key, self.paths, self.isTrainable) = (key, paths, isTrainable)
  }

  /// Weights that stand in `folder/vars` in this order.
  static func list(
    _ keys: [String?], in folder: String = "", fixed: Set<String> = []
  ) -> [WeightSlot] {
    let vars = folder.isEmpty ? "vars" : "\(folder)/vars"
    return keys.compactMap { $0 }.enumerated().map { index, key in
      WeightSlot(key, "\(vars)/\(index)", isTrainable: !fixed.contains(key))
    }
  }
}

/// A weight: its name in the file, its form, and its elements, which are made whenever they are asked
/// for, so that no more than one weight need be in memory at a time.
struct WeightVariable: Sendable {
  let name: String
  let element: ElementType
  let shape: [Int]
  private let make: @Sendable () throws(DecodeError) -> Tensor

  /// - Parameter make: gives a tensor of that element type and shape, the same one each time.
  init(
    name: String, _ element: ElementType, _ shape: [Int],
    make: @escaping @Sendable () throws(DecodeError) -> Tensor
  ) {
    (self.name, self.element, self.shape, self.make) = (name, element, shape, make)
  }

  init(name: String, tensor: Tensor) {
    self.init(name: name, tensor.element, tensor.shape) { tensor }
  }

  /// - Throws: `DecodeError` when the file's elements are malformed.
  func tensor() throws(DecodeError) -> Tensor { try make() }
}

/// The weights of a model's layers, by the layer's path and the slot's key.
struct WeightTable: Sendable {
  private(set) var layers: [String: [String: WeightVariable]] = [:]
  /// Every weight in the order of the file.
  private(set) var order: [(layer: String, key: String)] = []
  /// The tokens that a layer looks up, where a file holds them beside the configuration.
  var vocabularies: [String: [String]] = [:]

  subscript(layer: String) -> [String: WeightVariable] { layers[layer] ?? [:] }

  mutating func set(_ layer: String, _ key: String, _ weight: WeightVariable) {
    if layers[layer]?[key] == nil { order.append((layer, key)) }
    layers[layer, default: [:]][key] = weight
  }
}

/// One weight of a layer, with the layer it belongs to.
struct PlacedSlot: Sendable {
  var layer: LayerDescription
  var slot: WeightSlot
}

extension LayerDescription {
  /// The layer's own weights, without those of the layers inside it.
  func slots() throws(DecodeError) -> [WeightSlot] {
    guard model == nil, inner.isEmpty, !isOperation else { return [] }
    return try LayerBinding.named(className)?.slots(settings) ?? []
  }

  /// The layers inside, of a model or a wrapper.
  var children: [LayerDescription] { model?.layers ?? inner.map(\.layer) }

  /// All weights in the order of Keras 2's files: those that train, then the others.
  func orderedSlots() throws(DecodeError) -> [PlacedSlot] {
    var (trained, fixed): ([PlacedSlot], [PlacedSlot]) = ([], [])
    try gather(isTrainable: true, &trained, &fixed)
    return trained + fixed
  }

  private func gather(
    isTrainable: Bool, _ trained: inout [PlacedSlot], _ fixed: inout [PlacedSlot]
  ) throws(DecodeError) {
    let isTrainable = isTrainable && self.isTrainable
    let own = try slots().map { PlacedSlot(layer: self, slot: $0) }
    trained += own.filter { isTrainable && $0.slot.isTrainable }
    if !isTrainable { fixed += own.filter { $0.slot.isTrainable } }
    fixed += own.filter { !$0.slot.isTrainable }
    for child in children {
      try child.gather(isTrainable: isTrainable, &trained, &fixed)
    }
  }
}
