import WherryBytes
import WherryGraph
import WherryOperators

/// Removes nodes that give what they take: `Identity`, `Dropout` at inference, and changes of type,
/// shape or order that change nothing.
public enum RemoveIdentity: Pass {
  public static let name = "remove-identity"
  public static let summary = "drops nodes that give what they take"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    let inference = TypeInference(model)
    let results = Set(model.graph.outputs.map(\.name))
    // What a removed node's result is called now.
    var names: [String: String] = [:]
    var kept: [Node] = []
    for node in model.graph.nodes {
      var node = node
      if !names.isEmpty {
        node.inputs = node.inputs.map { name in name.map { names[$0] ?? $0 } }
        node.operation = node.operation.renamingCaptures(names)
      }
      if let source = node.inputs.first ?? nil, let result = node.outputs.first ?? nil,
        node.outputs.dropFirst().allSatisfy({ $0 == nil }), !results.contains(result),
        changesNothing(node, inference, source, result)
      {
        names[result] = source
      } else {
        kept.append(node)
      }
    }
    let changes = model.graph.nodes.count - kept.count
    model.graph.nodes = kept
    return changes
  }

  private static func changesNothing(
    _ node: Node, _ inference: TypeInference, _ source: String, _ result: String
  ) -> Bool {
    if node.operation is Identity { return true }
    if node.operation is Dropout {
      guard node.inputs.count > 2, let name = node.inputs[2] else { return true }
      return inference.contents[name]?.booleans.first == false
    }
    if let concat = node.operation as? Concat { return node.inputs.count == 1 && concat.axis == 0 }
    let (before, after) = (inference.types[source], inference.types[result])
    guard let before, let after, before.element == after.element, before.element != nil,
      let extents = before.shape?.extents, extents == after.shape?.extents
    else { return false }
    if let transpose = node.operation as? Transpose {
      return transpose.perm == Array(extents.indices) || extents.count(where: { $0 != 1 }) < 2
    }
    return node.operation is Cast || node.operation is CastLike || node.operation is Reshape
      || node.operation is Flatten || node.operation is Squeeze || node.operation is Unsqueeze
      || node.operation is Expand
  }
}
