import WherryBytes

/// The values of one graph in flight; those of the graphs around it are visible through `outer`.
///
/// Used by one thread only.
final class EvaluationFrame: @unchecked Sendable {
  var values: [String: Value] = [:]
  /// Optional inputs of the graph or function that were left out.
  var absent: Set<String> = []
  let budget: EvaluationBudget
  private let outer: EvaluationFrame?

  init(outer: EvaluationFrame) { (self.outer, budget) = (outer, outer.budget) }

  /// The frame of the outermost graph or of a function, which see nothing around them.
  init(budget: EvaluationBudget) { (outer, self.budget) = (nil, budget) }

  func find(_ name: String) -> Value? {
    var frame: EvaluationFrame? = self
    while let current = frame {
      if let value = current.values[name] { return value }
      frame = current.outer
    }
    return nil
  }

  func isAbsent(_ name: String) -> Bool {
    var frame: EvaluationFrame? = self
    while let current = frame {
      if current.absent.contains(name) { return true }
      frame = current.outer
    }
    return false
  }
}

/// The steps left to one run. Used by one thread only.
final class EvaluationBudget: @unchecked Sendable {
  private let steps: Int
  private var left: Int

  init(steps: Int) { (self.steps, left) = (steps, steps) }

  /// - Throws: `RunError.limit` when no step is left.
  func spend(at place: Place) throws(RunError) {
    guard left > 0 else { throw RunError(.limit("\(steps) steps"), place) }
    left -= 1
  }
}

/// After which node each value of a list of nodes is no longer needed.
struct LastUses {
  private var byNode: [Int: [String]] = [:]

  init(_ nodes: [Node], keeping kept: Set<String>) {
    var last: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for name in node.usedNames { last[name] = index }
      for case let name? in node.outputs { last[name] = index }
    }
    for (name, index) in last where !kept.contains(name) { byNode[index, default: []].append(name) }
  }

  func ending(at index: Int) -> [String] { byNode[index] ?? [] }
}

extension Node {
  /// Every value the node reads, those that its subgraphs take from outside included.
  public var usedNames: Set<String> {
    var names = Set(inputs.compactMap { $0 })
    for attribute in operation.attributes {
      for graph in attribute.value.subgraphs { names.formUnion(graph.capturedNames) }
    }
    return names
  }
}

extension Graph {
  /// The values that the graph takes from the graphs around it.
  public var capturedNames: Set<String> {
    var own = Set(inputs.map(\.name))
    own.formUnion(initializers.map(\.name))
    own.formUnion(sparseInitializers.map(\.name))
    var captured: Set<String> = []
    for node in nodes {
      captured.formUnion(node.usedNames.subtracting(own))
      own.formUnion(node.outputs.compactMap { $0 })
    }
    captured.formUnion(Set(outputs.map(\.name)).subtracting(own))
    return captured
  }
}
