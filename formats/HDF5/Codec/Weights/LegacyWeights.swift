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

  /// - Parameter root: the file's root; the weights are in `model_weights`, or in the root itself when
  ///   the file holds nothing else.
  init(_ root: HDF5Group, _ generation: KerasGeneration) throws(DecodeError) {
    self.generation = generation
    group = (try? root.group(at: "model_weights")) ?? root
    layerNames = try group.texts("layer_names") ?? []
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
    guard source.weights.count == slots.count else {
      throw DecodeError(
        .inconsistent("\(source.weights.count) weights for \(slots.count)"), place)
    }
    for (name, slot) in zip(source.weights, slots) {
      let tensor = try folder.tensor(at: name)
      table.set(slot.layer, slot.slot.key, WeightVariable(name: name, tensor: tensor))
    }
  }
}
