import WherryBytes
import WherryGraph

/// Computes what does not depend on the model's inputs once, instead of at every run.
public enum FoldConstants: Pass {
  public static let name = "fold-constants"
  public static let summary = "computes nodes whose inputs are all constant"

  /// Results larger than this many bytes stay computed: they would swell the file.
  static let largestResult = 1 << 30
  /// Tables of fewer elements are dequantized once rather than at every run.
  static let smallest = 4096

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    try fold(&model) { $0.isQuantizedConstant }
  }

  /// - Parameter keeps: nodes that stay although their inputs are constant.
  static func fold(
    _ model: inout Model, keeping keeps: (Node) -> Bool
  ) throws(RunError) -> Int {
    let inference = TypeInference(model)
    let inputs = Set(model.graph.inputs.map(\.name))
    var constants: [String: Tensor] = [:]
    for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    let called = Set(model.functions.map(\.name))
    var kept: [Node] = []
    var made: [Initializer] = []
    var changes = 0
    var waiting: Set<String> = []
    for node in model.graph.nodes {
      let isKept = keeps(node) || node.inputs.contains { $0.map { waiting.contains($0) } ?? false }
      if isKept { waiting.formUnion(node.outputs.compactMap { $0 }) }
      let results =
        isKept
        ? nil
        : known(node, inference)
          ?? (called.contains(node.operation.name) ? nil : evaluate(node, constants, inference))
      guard let results else {
        kept.append(node)
        continue
      }
      changes += 1
      for (name, tensor) in results {
        constants[name] = tensor
        made.append(Initializer(name, tensor))
      }
    }
    model.graph.nodes = kept
    model.graph.initializers += made
    return changes
  }

  /// The results of a node whose outputs type inference already knows.
  private static func known(_ node: Node, _ inference: TypeInference) -> [(String, Tensor)]? {
    guard !(node.operation is any Nondeterministic) else { return nil }
    var results: [(String, Tensor)] = []
    for case let name? in node.outputs {
      guard let tensor = inference.contents[name] else { return nil }
      results.append((name, tensor))
    }
    return results.isEmpty ? nil : results
  }

  private static func evaluate(
    _ node: Node, _ constants: [String: Tensor], _ inference: TypeInference
  ) -> [(String, Tensor)]? {
    guard !(node.operation is any Nondeterministic), !(node.operation is UnknownOperator),
      node.operation.attributes.allSatisfy({ $0.value.subgraphs.isEmpty })
    else { return nil }
    var inputs: [Value?] = []
    for name in node.inputs {
      guard let name else {
        inputs.append(nil)
        continue
      }
      guard let tensor = constants[name] else { return nil }
      inputs.append(.tensor(tensor))
    }
    for case let name? in node.outputs {
      guard let type = inference.types[name], let extents = type.shape?.extents,
        let count = Checked.product(extents),
        let bytes = type.element.flatMap({ $0.byteCount(of: count) }), bytes <= largestResult
      else { return nil }
    }
    let call = OperatorCall(
      inputs: inputs, wanted: node.outputs.map { $0 != nil },
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    guard let values = try? node.operation.evaluate(call) else { return nil }
    var results: [(String, Tensor)] = []
    for (index, name) in node.outputs.enumerated() {
      guard let name else { continue }
      guard index < values.count, case .tensor(let tensor)? = values[index] else { return nil }
      results.append((name, tensor))
    }
    return results.isEmpty ? nil : results
  }
}
