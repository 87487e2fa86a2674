import WherryBytes
import WherryGraph
import WherryHDF5

/// The weights of a `.keras` archive: groups that follow the attributes of the objects.
///
/// - Source: Keras 3, `saving/saving_lib.py`.
struct ArchiveWeights {
  private let root: HDF5Group

  init(_ root: HDF5Group) { self.root = root }

  /// The weights of every layer of the model.
  ///
  /// - Throws: `ReadFailure` with every weight that is absent.
  func table(for model: ModelDescription) throws(ReadFailure) -> WeightTable {
    var errors: [DecodeError] = []
    var table = WeightTable()
    read(model, in: "", &table, &errors)
    guard errors.isEmpty else { throw ReadFailure(errors) }
    return table
  }

  private func read(
    _ model: ModelDescription, in folder: String, _ table: inout WeightTable,
    _ errors: inout [DecodeError]
  ) {
    var names = ContainerNames()
    for layer in model.layers where !layer.isOperation {
      // A sequential model leaves its input layer out of its list.
      if model.kind == .sequential, layer.className == "InputLayer" { continue }
      read(layer, in: "\(folder)layers/\(names.next(layer.className))", &table, &errors)
    }
  }

  private func read(
    _ layer: LayerDescription, in folder: String, _ table: inout WeightTable,
    _ errors: inout [DecodeError]
  ) {
    if let model = layer.model { return read(model, in: "\(folder)/", &table, &errors) }
    for inner in layer.inner {
      read(inner.layer, in: "\(folder)/\(inner.attribute)", &table, &errors)
    }
    do {
      for slot in try layer.slots() {
        let tensor = try tensor(slot, folder, layer.place)
        table.set(
          layer.path, slot.key, WeightVariable(name: "\(layer.path)/\(slot.key)", tensor: tensor))
      }
    } catch {
      errors.append(error)
    }
  }

  private func tensor(
    _ slot: WeightSlot, _ folder: String, _ place: Place
  ) throws(DecodeError) -> Tensor {
    var first: DecodeError?
    for path in slot.paths {
      do {
        return try root.tensor(at: "\(folder)/\(path)")
      } catch {
        if first == nil { first = error }
      }
    }
    throw first ?? DecodeError(.missing(slot.key), place)
  }
}

/// The names that Keras gives the objects of a list: the class in snake case, counted.
struct ContainerNames {
  private var used: [String: Int] = [:]

  mutating func next(_ className: String) -> String {
    // `Model` and `Functional` are one class in memory.
    let name = Self.snakeCase(className == "Model" ? "Functional" : className)
    guard let count = used[name] else {
      used[name] = 0
      return name
    }
    used[name] = count + 1
    return "\(name)_\(count + 1)"
  }

  /// `Conv2DTranspose` is `conv2d_transpose`, `PReLU` is `p_re_lu`.
  ///
  /// - Source: Keras 3, `utils/naming.py`, `to_snake_case`: an underscore before each capital that
  ///   begins a lower-case run, then between a lower-case letter and a capital.
  static func snakeCase(_ name: String) -> String {
    let letters = Array(name.unicodeScalars.filter { $0.properties.isAlphabetic || $0.value < 128 })
    func isLower(_ scalar: Unicode.Scalar) -> Bool { scalar >= "a" && scalar <= "z" }
    func isUpper(_ scalar: Unicode.Scalar) -> Bool { scalar >= "A" && scalar <= "Z" }
    var first: [Unicode.Scalar] = []
    var at = 0
    while at < letters.count {
      first.append(letters[at])
      at += 1
      guard at + 1 < letters.count, isUpper(letters[at]), isLower(letters[at + 1]) else { continue }
      first.append("_")
      repeat {
        first.append(letters[at])
        at += 1
      } while at < letters.count && isLower(letters[at])
    }
    var text = ""
    for (index, scalar) in first.enumerated() {
      if index > 0, isLower(first[index - 1]), isUpper(scalar) { text += "_" }
      text.unicodeScalars.append(scalar)
    }
    return text.lowercased()
  }
}
