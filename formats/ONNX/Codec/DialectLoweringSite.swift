import WherryBytes
import WherryGraph

/// What surrounds a node that is lowered: the graph it stands in.
final class DialectLoweringSite {
  /// The nodes of the graph, in the newest operator set.
  let nodes: [Node]
  /// Values that the node no longer needs; they go when nothing else uses them.
  private(set) var released: Set<String> = []
  /// Nodes that the node takes the place of.
  private(set) var replaced: Set<Int> = []
  /// Constants that the older form needs.
  private(set) var constants: [Initializer] = []
  private var producers: [String: Int] = [:]
  private var consumers: [String: [Int]] = [:]
  private let outer: DialectLoweringSite?
  private var contents: [String: Tensor] = [:]
  private let findType: (String) -> ValueType?
  /// Whether the operator set is the one the model was read in, so that what it said there can stay.
  let isUnmoved: Bool

  init(
    _ graph: Graph, outer: DialectLoweringSite?, isUnmoved: Bool,
    type: @escaping (String) -> ValueType?
  ) {
    (nodes, self.outer, self.isUnmoved, findType) = (graph.nodes, outer, isUnmoved, type)
    for initializer in graph.initializers { contents[initializer.name] = initializer.tensor }
    for input in graph.inputs { contents[input.name] = nil }
    for (index, node) in nodes.enumerated() {
      for case let name? in node.outputs { producers[name] = index }
      for name in node.usedNames { consumers[name, default: []].append(index) }
      guard node.operation.name == OperatorName("Constant"), case let name?? = node.outputs.first,
        case .tensor(let tensor)? = node.operation.attributes.first(where: { $0.name == "value" })?
          .value
      else { continue }
      contents[name] = tensor
    }
    for output in graph.outputs { consumers[output.name, default: []].append(-1) }
  }

  func shape(_ name: String?) -> Shape? { name.flatMap { findType($0) }?.shape }
  func element(_ name: String?) -> ElementType? { name.flatMap { findType($0) }?.element }

  /// The content of a constant value.
  func content(_ name: String) -> Tensor? { contents[name] ?? outer?.content(name) }

  /// Takes a constant input away and gives its content; nil when it is left out.
  ///
  /// - Throws: `DialectRefusal` when the input is not constant.
  func take(
    _ input: Int, of node: inout DialectNode, _ what: String
  ) throws(DialectRefusal) -> Tensor? {
    guard let name = node.input(input) else { return nil }
    guard let tensor = content(name) else { throw DialectRefusal("\(what) as a computed input") }
    node.setInput(input, nil)
    released.insert(name)
    return tensor
  }

  /// The node of an operator that computes a value.
  func producer(_ name: String?, _ operation: String) -> Node? {
    guard let name, let index = producers[name],
      nodes[index].operation.name == OperatorName(operation)
    else { return nil }
    return nodes[index]
  }

  /// The node of an operator that alone uses a value.
  func consumer(_ name: String?, _ operation: String) -> (index: Int, node: Node)? {
    guard let name, let users = consumers[name], users.count == 1, users[0] >= 0,
      nodes[users[0]].operation.name == OperatorName(operation)
    else { return nil }
    return (users[0], nodes[users[0]])
  }

  /// Whether a node or an output takes a value.
  func isUsed(_ name: String?) -> Bool { name.map { consumers[$0] != nil } ?? false }

  func release(_ name: String?) {
    if let name { released.insert(name) }
  }

  /// Adds a constant for a node and gives its name.
  func constant(_ tensor: Tensor, _ role: String, of node: DialectNode) -> String {
    let base = (node.outputs.lazy.compactMap { $0 }.first ?? node.name.name) + "/" + role
    var name = base
    while consumers[name] != nil || producers[name] != nil || contents[name] != nil { name += "'" }
    contents[name] = tensor
    constants.append(Initializer(name, tensor))
    return name
  }

  func replace(_ index: Int) { replaced.insert(index) }
}
