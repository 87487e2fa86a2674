import WherryBytes
import WherryGraph
import WherryHDF5

/// The weights of a `.keras` archive: groups that follow the attributes of the objects.
///
/// - Source: Keras 3, `saving/saving_lib.py`.
struct ArchiveWeights {
  private let root: HDF5Group
  private let asset: (String) throws(DecodeError) -> Bytes?
  private var used: Set<String> = []
  private var folders: [Int: String] = [:]

  /// - Parameters:
  ///   - root: of the file of weights.
  ///   - asset: the content of a file among the archive's assets; nil when there is none.
  init(_ root: HDF5Group, asset: @escaping (String) throws(DecodeError) -> Bytes?) {
    (self.root, self.asset) = (root, asset)
  }

  /// The weights of every layer of the model.
  ///
  /// - Throws: `ReadFailure` with every weight that is absent.
  mutating func table(for model: ModelDescription) throws(ReadFailure) -> WeightTable {
    var errors: [DecodeError] = []
    var table = WeightTable()
    read(model, in: "", &table, &errors)
    guard errors.isEmpty else { throw ReadFailure(errors) }
    return table
  }

  private mutating func read(
    _ model: ModelDescription, in folder: String, _ table: inout WeightTable,
    _ errors: inout [DecodeError]
  ) {
    var names = ContainerNames()
    for layer in model.layers where !layer.isOperation {
      // A sequential model leaves its input layer out of its list.
      if model.kind == .sequential, layer.className == "InputLayer" { continue }
      var place = "\(folder)layers/\(names.next(layer.classInFile))"
      if let id = layer.sharedObject {
        // An object that several models hold stands where it was met first.
        place = folders[id] ?? place
        folders[id] = place
      }
      read(layer, in: place, &table, &errors)
    }
  }

  private mutating func read(
    _ layer: LayerDescription, in folder: String, _ table: inout WeightTable,
    _ errors: inout [DecodeError]
  ) {
    if let model = layer.model { return read(model, in: "\(folder)/", &table, &errors) }
    for inner in layer.inner {
      read(inner.layer, in: "\(folder)/\(inner.attribute)", &table, &errors)
    }
    do throws(DecodeError) {
      for slot in try layer.slots() {
        table.set(layer.path, slot.key, try weight(slot, folder, layer))
      }
      if ["StringLookup", "IntegerLookup"].contains(layer.className),
        layer.settings["vocabulary"] == nil, let text = try asset("\(folder)/vocabulary.txt")
      {
        table.vocabularies[layer.path] = try Self.lines(text, layer.place)
      }
    } catch {
      errors.append(error)
    }
  }

  private static func lines(_ bytes: Bytes, _ place: Place) throws(DecodeError) -> [String] {
    guard let text = bytes.text else {
      throw DecodeError(.notUTF8, place.inside("asset", "vocabulary.txt"))
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private mutating func weight(
    _ slot: WeightSlot, _ folder: String, _ layer: LayerDescription
  ) throws(DecodeError) -> WeightVariable {
    var first: DecodeError?
    for path in slot.paths {
      do {
        let weight = try root.dataset(at: "\(folder)/\(path)").weight("\(layer.path)/\(slot.key)")
        used.insert("\(folder)/\(path)")
        return weight
      } catch {
        if first == nil { first = error }
      }
    }
    throw first ?? DecodeError(.missing(slot.key), layer.place)
  }

  /// What stands beside the layers' weights.
  struct Rest {
    /// What the optimizer and the metrics have accumulated.
    var state: [Initializer] = []
    /// What the groups are called, by path.
    var names: [String: String] = [:]
    var losses: [Loss] = []
  }

  func rest(limits: Limits) -> Rest {
    var rest = Rest()
    var visited: Set<Int> = []
    func walk(_ group: HDF5Group, _ path: String, _ depth: Int) throws(DecodeError) {
      guard depth < limits.depth, visited.insert(group.address).inserted else { return }
      if let name = try group.text("name") { rest.names[path] = name }
      for link in try group.links() {
        let inner = path.isEmpty ? link.name.text : "\(path)/\(link.name.text)"
        switch try group.open(link) {
        case .group(let next): try walk(next, inner, depth + 1)
        case .dataset(let dataset) where !used.contains(inner):
          rest.state.append(Initializer(inner, try dataset.tensor()))
        default: break
        }
      }
    }
    do throws(DecodeError) {
      try walk(root, "", 0)
    } catch {
      rest.losses.append(
        Loss(.information, "state of the training: \(error.reason)", error.place))
    }
    return rest
  }
}
