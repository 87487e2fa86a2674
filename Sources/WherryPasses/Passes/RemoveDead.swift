import WherryBytes
import WherryGraph

/// Removes nodes and constants that no output depends on.
public enum RemoveDead: Pass {
  public static let name = "remove-dead"
  public static let summary = "drops nodes, constants and functions that no output depends on"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    var changes = model.graph.removeDead()
    var called: Set<String> = []
    func call(_ nodes: [Node]) {
      for node in nodes {
        let key = "\(node.operation.name)\u{0}\(node.overload)"
        for function in model.functions where key == "\(function.name)\u{0}\(function.overload)" {
          if called.insert(key).inserted { call(function.nodes) }
        }
        for attribute in node.operation.attributes {
          for graph in attribute.value.subgraphs { call(graph.nodes) }
        }
      }
    }
    call(model.graph.nodes)
    let before = model.functions.count
    model.functions.removeAll { !called.contains("\($0.name)\u{0}\($0.overload)") }
    changes += before - model.functions.count
    return changes
  }
}

extension Graph {
  /// - Returns: how many nodes and constants went.
  mutating func removeDead() -> Int {
    var needed = Set(outputs.map(\.name))
    var kept: [Node] = []
    for node in nodes.reversed() {
      guard node.outputs.contains(where: { $0.map(needed.contains) ?? false }) else { continue }
      needed.formUnion(node.usedNames)
      kept.append(node)
    }
    var changes = nodes.count - kept.count
    nodes = kept.reversed()
    let inputNames = Set(inputs.map(\.name))
    let before = initializers.count + sparseInitializers.count
    initializers.removeAll { !needed.contains($0.name) && !inputNames.contains($0.name) }
    sparseInitializers.removeAll { !needed.contains($0.name) && !inputNames.contains($0.name) }
    changes += before - initializers.count - sparseInitializers.count
    let defined = Set(nodes.flatMap { $0.outputs.compactMap { $0 } })
    values.removeAll { !defined.contains($0.name) }
    return changes
  }
}
