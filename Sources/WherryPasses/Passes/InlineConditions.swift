import WherryBytes
import WherryGraph
import WherryOperators

/// Puts the branch that a constant condition chooses in place of its `If`.
public enum InlineConditions: Pass {
  public static let name = "inline-conditions"
  public static let summary = "replaces an If whose condition is constant by its branch"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    guard model.graph.nodes.contains(where: { $0.operation is If }) else { return 0 }
    let inputs = Set(model.graph.inputs.map(\.name))
    var constants: [String: Tensor] = [:]
    for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    var taken = model.graph.definedNames
    var kept: [Node] = []
    var changes = 0
    for node in model.graph.nodes {
      guard let choice = node.operation as? If, let name = node.inputs.first ?? nil,
        let condition = constants[name]?.booleans.first,
        let branch = choice.branch(condition), branch.sparseInitializers.isEmpty,
        branch.outputs.count == node.outputs.count
      else {
        kept.append(node)
        continue
      }
      changes += 1
      var names: [String: String] = [:]
      func fresh(_ name: String) -> String {
        var candidate = "\(node.name)/\(name)"
        var number = 1
        while taken.contains(candidate) {
          number += 1
          candidate = "\(node.name)/\(name)_\(number)"
        }
        taken.insert(candidate)
        return candidate
      }
      for initializer in branch.initializers {
        let name = fresh(initializer.name)
        names[initializer.name] = name
        model.graph.initializers.append(Initializer(name, initializer.tensor))
      }
      for inner in branch.nodes {
        var inner = inner
        inner.inputs = inner.inputs.map { name in name.map { names[$0] ?? $0 } }
        inner.operation = inner.operation.renamingCaptures(names)
        for (index, output) in inner.outputs.enumerated() {
          guard let output else { continue }
          let name = fresh(output)
          names[output] = name
          inner.outputs[index] = name
        }
        kept.append(inner)
      }
      for (output, result) in zip(branch.outputs, node.outputs) {
        guard let result else { continue }
        kept.append(
          Node(
            Identity(), name: node.name, inputs: [names[output.name] ?? output.name],
            outputs: [result]))
      }
    }
    model.graph.nodes = kept
    return changes
  }
}

extension If {
  /// The graph that a condition chooses.
  fileprivate func branch(_ condition: Bool) -> Graph? { condition ? thenBranch : elseBranch }
}
