import WherryGraph
import WherryOperators

/// Makes float weights of those that stand in 8 bits, where no integer operator takes them as they are.
public enum ExpandWeights: Pass {
  public static let name = "expand-weights"
  public static let summary = "dequantizes constants that no integer operator takes"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    let consumers = Dictionary(
      grouping: model.graph.nodes.flatMap { node in node.usedNames.map { ($0, node) } },
      by: \.0
    ).mapValues { $0.map(\.1) }
    return try FoldConstants.fold(&model) { node in
      guard node.isQuantizedConstant, let value = node.outputs.first ?? nil else { return false }
      return consumers[value]?.allSatisfy { takesWeights8($0, value) } ?? false
    }
  }

  /// Whether a node is lowered to a kernel that multiplies float activations by the 8-bit weights that
  /// `value` dequantizes.
  private static func takesWeights8(_ node: Node, _ value: String) -> Bool { false }
}

extension Node {
  /// Whether the node dequantizes: with a constant input it stands for weights that take a quarter of
  /// the memory in 8 bits.
  var isQuantizedConstant: Bool { Quantization.isDequantizing(operation) }
}
