import WherryBytes
import WherryGraph
import WherryHDF5

/// The weights of an `.h5` file: a group a layer, with an attribute that names its data sets in order.
///
/// - Source: Keras 3, `legacy/saving/legacy_h5_format.py`; Keras 1 to 2.x write the same.
struct LegacyWeights {
  private let group: HDF5Group
  private let layerNames: [String]
  private let generation: KerasGeneration
  private let backend: String?

  /// - Parameter root: the file's root; the weights are in `model_weights`, or in the root itself when
  ///   the file holds nothing else.
  init(_ root: HDF5Group, _ generation: KerasGeneration) throws(DecodeError) {
    self.generation = generation
    group = (try? root.group(at: "model_weights")) ?? root
    layerNames = try group.texts("layer_names") ?? []
    backend = try group.text("backend")
  }

  /// The weights of every layer of the model.
  ///
  /// - Throws: `ReadFailure` with every layer whose weights are absent or of another number.
  func table(for model: ModelDescription) throws(ReadFailure) -> WeightTable {
    var errors: [DecodeError] = []
    var table = WeightTable()
    var stored: [(name: String, weights: [String])] = []
    var expected: [(layer: LayerDescription, slots: [PlacedSlot])] = []
    do {
      for name in layerNames {
        let names = try group.group(at: name).texts("weight_names") ?? []
        if !names.isEmpty { stored.append((name, names)) }
      }
    } catch {
      throw ReadFailure(error)
    }
    for layer in model.layers {
      do {
        let slots = try layer.orderedSlots()
        if !slots.isEmpty { expected.append((layer, slots)) }
      } catch {
        errors.append(error)
      }
    }
    // Keras goes by order; the names agree unless a layer was renamed after the weights were written.
    let names = Set(stored.map(\.name))
    let byName = expected.allSatisfy { names.contains($0.layer.name) }
    guard byName || stored.count == expected.count else {
      errors.append(
        DecodeError(
          .inconsistent("\(stored.count) layers with weights for \(expected.count) that have some"),
          Place().inside("group", group.path)))
      let path = group.path == "/" ? "" : group.path
      for entry in expected where !names.contains(entry.layer.name) {
        errors.append(DecodeError(.missing("\(path)/\(entry.layer.name)"), entry.layer.place))
      }
      throw ReadFailure(errors)
    }
    for (index, entry) in expected.enumerated() {
      let source =
        byName ? stored.last { $0.name == entry.layer.name } ?? stored[index] : stored[index]
      do {
        try read(source, entry.slots, entry.layer.place, into: &table)
      } catch {
        errors.append(error)
      }
    }
    guard errors.isEmpty else { throw ReadFailure(errors) }
    return table
  }

  private func read(
    _ source: (name: String, weights: [String]), _ slots: [PlacedSlot], _ place: Place,
    into table: inout WeightTable
  ) throws(DecodeError) {
    let folder = try group.group(at: source.name)
    var stored: [WeightVariable] = []
    for name in source.weights {
      stored.append(try folder.dataset(at: name).weight(name))
    }
    let isSplit = generation == .one && stored.count != slots.count
    guard isSplit || stored.count == slots.count else {
      throw DecodeError(.inconsistent("\(stored.count) weights for \(slots.count)"), place)
    }
    var at = 0
    var index = 0
    while index < slots.count {
      let layer = slots[index].layer
      let own = slots[index...].prefix { $0.layer.path == layer.path }
      let count = isSplit ? OldWeights.count(layer, own.count) : own.count
      guard at + count <= stored.count else {
        throw DecodeError(.inconsistent("\(stored.count) weights"), place)
      }
      var weights = Array(stored[at..<at + count])
      if generation < .three {
        weights = try OldWeights(layer, generation, backend).converted(weights)
      }
      guard weights.count == own.count else {
        throw DecodeError(.inconsistent("\(count) weights for \(own.count)"), layer.place)
      }
      for (slot, weight) in zip(own, weights) { table.set(layer.path, slot.slot.key, weight) }
      at += count
      index += own.count
    }
    guard at == stored.count else {
      throw DecodeError(.inconsistent("\(stored.count) weights for \(at)"), place)
    }
  }

  /// What the optimizer has accumulated, in the file's order, by path.
  static func optimizerState(_ root: HDF5Group) throws(DecodeError) -> [Initializer] {
    let folder = "optimizer_weights"
    guard try root.links().contains(where: { $0.name.text == folder }) else { return [] }
    let group = try root.group(at: folder)
    return try (try group.texts("weight_names") ?? []).map { (name) throws(DecodeError) in
      Initializer("\(folder)/\(name)", try group.dataset(at: name).tensor())
    }
  }
}
