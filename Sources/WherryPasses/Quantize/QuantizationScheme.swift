import WherryBytes
import WherryGraph
import WherryOperators

/// Which nodes of a model are quantized, and which values share a scale.
public struct QuantizationScheme: Sendable {
  /// One quantized operator, with the Relu or Clip that becomes part of it.
  public struct Layer: Sendable {
    /// Index in the graph's nodes.
    public let node: Int
    /// Index of the Relu or Clip.
    public let activation: Int?
    /// The name of the node, or of its first output where it has none.
    public let name: String
    public let operation: String
    let rule: QuantizationRule
    /// Quantized inputs that aren't weights.
    let operands: [Operand]
    /// The values it gives, after the activation.
    public let outputs: [String]

    /// Whether reports list it.
    public var isReported: Bool { rule.isReported }
    var isWeighted: Bool { rule.kind == .weighted }
  }

  /// A quantized input of a layer.
  struct Operand: Sendable {
    let position: Int
    let name: String
    let isConstant: Bool
  }

  /// A node that could be expected to be quantized but stays float, and why.
  public struct Kept: Sendable, Hashable {
    public let node: Int
    public let name: String
    public let operation: String
    public let reason: String
  }

  /// In the graph's order.
  public let layers: [Layer]
  public let kept: [Kept]
  /// Values that share scale and zero point.
  public let groups: QuantizationGroups

  /// - Parameter excluded: names of layers that stay float, with the reason for each.
  public init(_ model: Model, excluding excluded: [String: String] = [:], interface: InterfaceType) {
    let facts = GraphFacts(model)
    var choice = LayerChoice(model.graph, facts, excluded: excluded, interface: interface)
    choice.run()
    (layers, kept) = (choice.layers, choice.kept)
    groups = QuantizationGroups(layers, facts, model.graph.nodes)
  }

  /// The values whose distribution has to be observed.
  public var observed: Set<String> { Set(groups.all.flatMap(\.observed)) }
}

/// Finds the nodes to quantize.
private struct LayerChoice {
  let graph: Graph
  let facts: GraphFacts
  let excluded: [String: String]
  let interface: InterfaceType
  var layers: [QuantizationScheme.Layer] = []
  var kept: [QuantizationScheme.Kept] = []

  init(
    _ graph: Graph, _ facts: GraphFacts, excluded: [String: String], interface: InterfaceType
  ) {
    (self.graph, self.facts, self.excluded) = (graph, facts, excluded)
    self.interface = interface
  }

  mutating func run() {
    var candidates: [Int: QuantizationScheme.Layer] = [:]
    for (index, node) in graph.nodes.enumerated() {
      guard let rule = QuantizationRule.of(node.operation) else { continue }
      let name = node.name.isEmpty ? node.outputs.first.flatMap { $0 } ?? "" : node.name
      switch candidate(index, node, rule, name) {
      case .layer(let layer): candidates[index] = layer
      case .kept(let reason):
        kept.append(
          .init(node: index, name: name, operation: "\(node.operation.name)", reason: reason))
      case .no: break
      }
    }
    let chosen = spread(candidates)
    layers = candidates.filter { chosen.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value)
  }

  private enum Verdict {
    case layer(QuantizationScheme.Layer)
    case kept(String)
    case no
  }

  private func candidate(
    _ index: Int, _ node: Node, _ rule: QuantizationRule, _ name: String
  ) -> Verdict {
    guard let first = node.inputs.first ?? nil, facts.isFloat(first) else {
      let isLarge = rule.kind == .weighted || rule.kind == .recurrent
      let element = node.inputs.first.flatMap { $0 }.flatMap { facts.types[$0]?.element }
      guard isLarge, let element, element.isFloat else { return .no }
      return .kept("only float32 is quantized, this is \(element)")
    }
    if let reason = excluded[name] { return .kept(reason) }
    var rule = rule
    if let reason = LayerRequirements.problem(node, &rule, facts) {
      return rule.kind == .weighted || rule.kind == .recurrent || rule.kind == .computing
        ? .kept(reason) : .no
    }
    var operands: [QuantizationScheme.Operand] = []
    for position in rule.activations ?? Array(node.inputs.indices) {
      guard position < node.inputs.count, let input = node.inputs[position] else { continue }
      operands.append(
        .init(position: position, name: input, isConstant: facts.constants[input] != nil))
    }
    guard operands.contains(where: { !$0.isConstant }) || rule.kind == .moving else { return .no }
    var outputs = node.outputs.compactMap { $0 }
    if rule.kind == .recurrent { outputs = node.outputs.prefix(2).compactMap { $0 } }
    var activation: Int?
    if rule.takesClamp, outputs.count == 1, let only = outputs.first,
      let clamp = clamp(after: only, excluded), let result = graph.nodes[clamp].outputs.first ?? nil
    {
      (activation, outputs) = (clamp, [result])
    }
    return .layer(
      .init(
        node: index, activation: activation, name: name, operation: "\(node.operation.name)",
        rule: rule, operands: operands, outputs: outputs))
  }

  /// The Relu or Clip that is the only reader of a value.
  private func clamp(after name: String, _ excluded: [String: String]) -> Int? {
    guard facts.isReadOnce(name), let reader = facts.readers[name]?.first, reader.position == 0
    else { return nil }
    let node = graph.nodes[reader.node]
    if node.operation is Relu { return reader.node }
    guard node.operation is Clip, LayerRequirements.hasConstantBounds(node, facts) else {
      return nil
    }
    return reader.node
  }

  /// Layers with weights are quantized wherever they stand; the others where their inputs are quantized
  /// already, and those that only move data also where all their readers take quantized data.
  private func spread(_ candidates: [Int: QuantizationScheme.Layer]) -> Set<Int> {
    let absorbed = Set(candidates.values.compactMap(\.activation))
    var chosen = Set(
      candidates.filter {
        $0.value.rule.kind == .weighted || $0.value.rule.kind == .recurrent
      }.keys)
    var quantized = interface == .float ? [] : facts.inputs
    for index in chosen { quantized.formUnion(candidates[index]?.outputs ?? []) }
    let order = candidates.keys.sorted().filter { !absorbed.contains($0) }
    var changed = true
    while changed {
      changed = false
      for index in order where !chosen.contains(index) {
        guard let layer = candidates[index] else { continue }
        let fed = layer.operands.filter { !$0.isConstant }
        let isFed = !fed.isEmpty && fed.allSatisfy { quantized.contains($0.name) }
        guard isFed || isRead(layer, chosen, candidates) else { continue }
        chosen.insert(index)
        quantized.formUnion(layer.outputs)
        changed = true
      }
    }
    return chosen.subtracting(absorbed)
  }

  private func isRead(
    _ layer: QuantizationScheme.Layer, _ chosen: Set<Int>,
    _ candidates: [Int: QuantizationScheme.Layer]
  ) -> Bool {
    guard layer.rule.kind == .moving || layer.rule.kind == .joining else { return false }
    return layer.outputs.allSatisfy { name in
      guard let readers = facts.readers[name], !facts.outputs.contains(name),
        !facts.captured.contains(name)
      else { return false }
      return readers.allSatisfy { reader in
        chosen.contains(reader.node)
          && candidates[reader.node]?.operands.contains { $0.position == reader.position } == true
      }
    }
  }
}
