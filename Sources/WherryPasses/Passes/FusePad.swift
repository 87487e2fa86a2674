import WherryBytes
import WherryGraph
import WherryOperators

/// Takes a zero padding of spatial axes into the convolution or average pool that reads it.
///
/// An average pool takes it only when it counts padding already; 8-bit tensors are padded with the
/// zero point.
public enum FusePad: Pass {
  public static let name = "fuse-pad"
  public static let summary = "takes zero padding into the convolutions after it"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    guard model.graph.nodes.contains(where: { $0.operation is Pad }) else { return 0 }
    let types = TypeInference(model).types
    let inputs = Set(model.graph.inputs.map(\.name))
    var constants: [String: Tensor] = [:]
    for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    var pads: [String: (source: String, before: [Int], after: [Int], value: Double)] = [:]
    for node in model.graph.nodes {
      guard let pad = node.operation as? Pad, let source = node.inputs.first ?? nil,
        let result = node.outputs.first ?? nil, let rank = types[source]?.shape?.rank,
        let amounts = spatial(pad, node, rank: rank, constants)
      else { continue }
      pads[result] = (source, amounts.before, amounts.after, amounts.value)
    }
    var changes = 0
    for index in model.graph.nodes.indices {
      let node = model.graph.nodes[index]
      guard let name = node.inputs.first ?? nil, let pad = pads[name],
        zero(of: node, constants) == pad.value,
        let fused = taking(pad.before, pad.after, into: node.operation)
      else { continue }
      model.graph.nodes[index].operation = fused
      model.graph.nodes[index].inputs[0] = pad.source
      changes += 1
    }
    if changes > 0 { _ = try RemoveDead.run(&model) }
    return changes
  }

  /// The number that a node's own padding stands for; nil when it is not constant.
  private static func zero(of node: Node, _ constants: [String: Tensor]) -> Double? {
    guard node.operation is QLinearConv else { return 0 }
    guard node.inputs.count > 2, let zero = node.inputs[2].flatMap({ constants[$0] }) else {
      return nil
    }
    return zero.count == 1 ? zero.doubles.first : nil
  }

  /// What the node adds around each spatial axis; nil when it does anything else.
  private static func spatial(
    _ pad: Pad, _ node: Node, rank: Int, _ constants: [String: Tensor]
  ) -> (before: [Int], after: [Int], value: Double)? {
    func constant(_ input: Int) -> Tensor? {
      guard input < node.inputs.count, let name = node.inputs[input] else { return nil }
      return constants[name]
    }
    func has(_ input: Int) -> Bool { input < node.inputs.count && node.inputs[input] != nil }
    guard pad.mode == .constant, rank > 2, let amounts = constant(1)?.integers,
      let value = has(2) ? constant(2)?.doubles.first : 0, !has(3) || constant(3) != nil
    else { return nil }
    let axes = constant(3)?.integers ?? (0..<rank).map { Int64($0) }
    guard amounts.count == 2 * axes.count else { return nil }
    var before = [Int](repeating: 0, count: rank)
    var after = before
    for (index, axis) in axes.enumerated() {
      let axis = Int(clamping: axis < 0 ? axis &+ Int64(rank) : axis)
      guard axis >= 0, axis < rank, let low = Int(exactly: amounts[index]),
        let high = Int(exactly: amounts[index + axes.count]), low >= 0, high >= 0,
        low <= Int32.max, high <= Int32.max
      else { return nil }
      (before[axis], after[axis]) = (low, high)
    }
    guard before[0] == 0, before[1] == 0, after[0] == 0, after[1] == 0 else { return nil }
    return (Array(before[2...]), Array(after[2...]), value)
  }

  private static func taking(
    _ before: [Int], _ after: [Int], into operation: any Operator
  ) -> (any Operator)? {
    func sum(_ pads: [Int]?) -> [Int]? {
      let more = before + after
      let pads = pads ?? Array(repeating: 0, count: more.count)
      guard pads.count == more.count else { return nil }
      return zip(pads, more).map { $0 &+ $1 }
    }
    switch operation {
    case var conv as Conv:
      guard conv.autoPad == .notSet || conv.autoPad == .valid, let pads = sum(conv.pads) else {
        return nil
      }
      (conv.autoPad, conv.pads) = (.notSet, pads)
      return conv
    case var conv as QLinearConv:
      guard conv.autoPad == .notSet || conv.autoPad == .valid, let pads = sum(conv.pads) else {
        return nil
      }
      (conv.autoPad, conv.pads) = (.notSet, pads)
      return conv
    case var pool as AveragePool:
      let isUnpadded = pool.pads?.allSatisfy { $0 == 0 } ?? true
      guard pool.autoPad == .notSet, pool.countIncludePad || isUnpadded, !pool.ceilMode,
        let pads = sum(pool.pads)
      else { return nil }
      (pool.pads, pool.countIncludePad) = (pads, true)
      return pool
    default: return nil
    }
  }
}
