import WherryBytes
import WherryGraph

/// What surrounds a node that is lifted.
final class DialectLiftingSite {
  /// Types as far as they are known.
  var types: [String: ValueType]
  /// Whether a type was asked for that is not known.
  private(set) var lacksTypes = false
  /// Every value name of the model.
  var names: Set<String>
  /// Constants and nodes that the node at hand needs.
  var constants: [Initializer] = []
  var before: [DialectNode] = []
  var after: [DialectNode] = []
  /// What the newest form does not say.
  var losses: [String] = []
  /// Contents of values that are constant.
  var contents: [String: Tensor] = [:]

  /// Names that some node, subgraph or output of the model takes.
  let used: Set<String>

  init(types: [String: ValueType], names: Set<String>, used: Set<String>) {
    (self.types, self.names, self.used) = (types, names, used)
  }

  /// Whether an output is asked for by anyone.
  func isUsed(_ output: Int, of node: DialectNode) -> Bool {
    guard output < node.outputs.count, let name = node.outputs[output] else { return false }
    return used.contains(name)
  }

  func type(_ name: String?) -> ValueType? {
    guard let name else { return nil }
    if let type = types[name], type.plain != .unspecified { return type.plain }
    lacksTypes = true
    return nil
  }

  func shape(_ name: String?) -> Shape? {
    let known = type(name)
    if known != nil, known?.shape == nil { lacksTypes = true }
    return known?.shape
  }

  /// A new value name that tells what it is for.
  func name(_ role: String, of node: DialectNode) -> String {
    let base = (node.outputs.lazy.compactMap { $0 }.first ?? node.name.name) + "/" + role
    var name = base
    var count = 1
    while !names.insert(name).inserted {
      count += 1
      name = "\(base)\(count)"
    }
    return name
  }

  /// Adds a constant and gives its name.
  func constant(_ tensor: Tensor, _ role: String, of node: DialectNode) -> String {
    let name = name(role, of: node)
    constants.append(Initializer(name, tensor))
    return name
  }

  func integers(_ values: [Int64], _ role: String, of node: DialectNode) -> String {
    constant(Tensor(vector: values.map { Int($0) }), role, of: node)
  }
}
