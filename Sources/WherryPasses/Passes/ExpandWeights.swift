import WherryGraph
import WherryOperators

/// Makes float weights of those that stand in 8 bits, where no kernel takes them as they are.
///
/// Matrix products of float activations keep int8 weights; rows that are gathered from an 8-bit table
/// are dequantized after the gathering.
public enum ExpandWeights: Pass {
  public static let name = "expand-weights"
  public static let summary = "dequantizes constants that no kernel takes in 8 bits"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    let moved = model.gatherBeforeDequantizing()
    let types = TypeInference(model).types
    let consumers = Dictionary(
      grouping: model.graph.nodes.flatMap { node in node.usedNames.map { ($0, node) } },
      by: \.0
    ).mapValues { $0.map(\.1) }
    let results = Set(model.graph.outputs.map(\.name))
    return try moved
      + FoldConstants.fold(&model) { node in
        guard node.isQuantizedConstant, let value = node.outputs.first ?? nil,
          !results.contains(value), let readers = consumers[value]
        else { return false }
        return readers.allSatisfy { takesWeights8($0, value, types) }
      }
  }

  /// Whether a node is lowered to a kernel that multiplies float activations by the 8-bit weights that
  /// `value` dequantizes: the one place that decides it.
  private static func takesWeights8(
    _ node: Node, _ value: String, _ types: [String: ValueType]
  ) -> Bool {
    guard node.inputs.count > 1, node.inputs[1] == value, node.inputs[0] != value,
      types[value]?.shape?.rank == 2, let x = node.inputs[0], types[x]?.element == .float32,
      types[x]?.shape?.rank ?? 0 > 1
    else { return false }
    switch node.operation {
    case is MatMul: return true
    case let gemm as Gemm:
      return !gemm.transA && gemm.alpha == 1 && !node.inputs[2...].contains(value)
    default: return false
    }
  }
}

extension Node {
  /// Whether the node dequantizes: with a constant input it stands for weights that take a quarter of
  /// the memory in 8 bits.
  var isQuantizedConstant: Bool { Quantization.isDequantizing(operation) }
}

extension Model {
  /// `Gather(DequantizeLinear(table), i)` as `DequantizeLinear(Gather(table, i))` where one scale holds
  /// for the whole constant table.
  ///
  /// - Returns: how many changed.
  fileprivate mutating func gatherBeforeDequantizing() -> Int {
    let inputs = Set(graph.inputs.map(\.name))
    var constants: [String: Tensor] = [:]
    for initializer in graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    var tables: [String: Node] = [:]
    for node in graph.nodes where node.isQuantizedConstant {
      let given = node.inputs.map { $0.flatMap { constants[$0] } }
      guard let name = node.outputs.first ?? nil, given.count > 1, let table = given[0],
        table.count > FoldConstants.smallest, let scale = given[1], scale.count == 1,
        scale.rank == 0, given.count == 2 || given[2]?.rank == 0
      else { continue }
      tables[name] = node
    }
    guard !tables.isEmpty else { return 0 }
    var changes = 0
    var taken = graph.definedNames
    var nodes: [Node] = []
    for node in graph.nodes {
      guard node.operation is Gather, node.inputs.count == 2, let source = node.inputs[0],
        let table = tables[source], let index = node.inputs[1], constants[index] == nil
      else {
        nodes.append(node)
        continue
      }
      var (gather, dequantize) = (node, table)
      var name = "\(source)_gathered"
      while taken.contains(name) { name += "_" }
      taken.insert(name)
      (gather.inputs[0], gather.outputs) = (table.inputs[0], [name])
      dequantize.name = node.name
      (dequantize.inputs[0], dequantize.outputs) = (name, node.outputs)
      nodes += [gather, dequantize]
      changes += 1
    }
    graph.nodes = nodes
    if changes > 0 { _ = graph.removeDead() }
    return changes
  }
}
