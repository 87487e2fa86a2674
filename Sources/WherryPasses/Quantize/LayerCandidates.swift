import WherryBytes
import WherryGraph
import WherryOperators

/// Finds everything in a graph that could be a quantized layer.
struct LayerCandidates {
  typealias Layer = QuantizationScheme.Layer

  let graph: Graph
  let facts: GraphFacts
  let excluded: [String: String]
  private(set) var layers: [Layer] = []
  private(set) var kept: [QuantizationScheme.Kept] = []
  /// Nodes that are part of a layer already.
  private var taken: Set<Int> = []

  init(_ graph: Graph, _ facts: GraphFacts, excluded: [String: String]) {
    (self.graph, self.facts, self.excluded) = (graph, facts, excluded)
  }

  mutating func find() {
    for (index, node) in graph.nodes.enumerated() where node.operation is MatMul {
      takeWeighted(index, node)
    }
    for (index, node) in graph.nodes.enumerated() where !taken.contains(index) {
      if QuantizationRule.of(node.operation)?.kind == .weighted { takeWeighted(index, node) }
    }
    // Functions of one value are taken whole, the longest first.
    for index in graph.nodes.indices.reversed() where !taken.contains(index) {
      takeFunction(index)
    }
    for index in graph.nodes.indices where !taken.contains(index) { takeOperator(index) }
  }

  private func name(of index: Int) -> String {
    let node = graph.nodes[index]
    return node.name.isEmpty ? node.outputs.first.flatMap { $0 } ?? "" : node.name
  }

  private mutating func keep(_ index: Int, _ reason: String) {
    taken.insert(index)
    let operation = graph.nodes[index].operation.name.description
    kept.append(.init(node: index, name: name(of: index), operation: operation, reason: reason))
  }

  private func operand(_ node: Int, _ position: Int) -> QuantizationScheme.Operand? {
    guard position < graph.nodes[node].inputs.count,
      let name = graph.nodes[node].inputs[position]
    else { return nil }
    return .init(
      port: .init(node: node, position: position), name: name,
      isConstant: facts.constants[name] != nil)
  }

  /// A layer with weights, its bias even if that stands in an Add of its own, and its clamp.
  private mutating func takeWeighted(_ index: Int, _ node: Node) {
    guard var rule = QuantizationRule.of(node.operation) else { return }
    let input = node.inputs.first.flatMap { $0 } ?? ""
    guard facts.isFloat(input) else {
      if let element = facts.types[input]?.element, element.isFloat {
        keep(index, "only float32 is quantized, this is \(element)")
      }
      return
    }
    if let reason = excluded[name(of: index)] ?? LayerRequirements.problem(node, &rule, facts) {
      keep(index, reason)
      return
    }
    var nodes = [index]
    var result = node.outputs.first.flatMap { $0 } ?? ""
    var bias: QuantizationScheme.Port?
    if rule.kind == .weighted {
      if node.inputs.count > 2, node.inputs[2] != nil { bias = .init(node: index, position: 2) }
      if node.operation is MatMul, let sum = biasSum(after: result, node) {
        nodes.append(sum.node)
        bias = sum
        result = graph.nodes[sum.node].outputs.first.flatMap { $0 } ?? ""
      }
    }
    if let clamp = clamp(after: result) {
      nodes.append(clamp)
      result = graph.nodes[clamp].outputs.first.flatMap { $0 } ?? ""
    }
    let operands = (rule.activations ?? []).compactMap { operand(index, $0) }
    taken.formUnion(nodes)
    layers.append(
      Layer(
        nodes: nodes, core: index, name: name(of: index), operation: "\(node.operation.name)",
        rule: rule, operands: operands, bias: bias, outputs: [result]))
  }

  /// The Add of a constant vector that is the only reader of a product's result.
  private func biasSum(after value: String, _ product: Node) -> QuantizationScheme.Port? {
    guard facts.isReadOnce(value), let reader = facts.readers[value]?.first,
      graph.nodes[reader.node].operation is Add,
      let weights = facts.constant(product, 1), let rank = facts.rank(value)
    else { return nil }
    let position = 1 - reader.position
    guard let bias = facts.constant(graph.nodes[reader.node], position),
      LayerRequirements.isUsable(bias), bias.count == weights.shape.last, bias.rank <= rank,
      (bias.shape.last ?? 1) == bias.count
    else { return nil }
    return .init(node: reader.node, position: position)
  }

  /// The Relu or Clip that is the only reader of a value.
  private func clamp(after value: String) -> Int? {
    guard facts.isReadOnce(value), let reader = facts.readers[value]?.first, reader.position == 0
    else { return nil }
    let node = graph.nodes[reader.node]
    if node.operation is Relu { return reader.node }
    guard node.operation is Clip, LayerRequirements.hasConstantBounds(node, facts) else {
      return nil
    }
    return reader.node
  }

  /// The function of one value that ends in a node.
  private mutating func takeFunction(_ index: Int) {
    let node = graph.nodes[index]
    let region = FunctionRegion(endingAt: index, graph, facts, excluding: taken)
    guard let region, excluded[name(of: index)] == nil, !isClampOfOperator(index, region),
      let result = node.outputs.first ?? nil
    else { return }
    let rule = QuantizationRule.function(endingIn: node.operation)
    guard let rule else { return }
    taken.formUnion(region.nodes)
    layers.append(
      Layer(
        nodes: region.nodes, core: index, name: name(of: index),
        operation: "\(node.operation.name)", rule: rule,
        operands: region.ports.map { .init(port: $0, name: region.source, isConstant: false) },
        bias: nil, outputs: [result]))
  }

  /// Whether a region is nothing but the clamp of an operator that takes it with it.
  private func isClampOfOperator(_ index: Int, _ region: FunctionRegion) -> Bool {
    guard region.nodes.count == 1, let maker = facts.makers[region.source],
      !taken.contains(maker), clamp(after: region.source) == index
    else { return false }
    let node = graph.nodes[maker]
    guard var rule = QuantizationRule.of(node.operation), rule.takesClamp,
      facts.isFloat(node.inputs.first.flatMap { $0 } ?? ""), excluded[name(of: maker)] == nil
    else { return false }
    return LayerRequirements.problem(node, &rule, facts) == nil
  }

  private mutating func takeOperator(_ index: Int) {
    let node = graph.nodes[index]
    guard var rule = QuantizationRule.of(node.operation) else { return }
    let input = node.inputs.first.flatMap { $0 } ?? ""
    guard facts.isFloat(input) else { return }
    if let reason = excluded[name(of: index)] ?? LayerRequirements.problem(node, &rule, facts) {
      if rule.isReported { keep(index, reason) }
      return
    }
    let positions = rule.activations ?? Array(node.inputs.indices)
    let operands = positions.compactMap { operand(index, $0) }
    guard operands.contains(where: { !$0.isConstant }) || rule.kind == .moving else { return }
    var nodes = [index]
    var outputs = node.outputs.compactMap { $0 }
    if rule.kind == .recurrent { outputs = node.outputs.prefix(2).compactMap { $0 } }
    if rule.takesClamp, outputs.count == 1, let clamp = clamp(after: outputs[0]),
      !taken.contains(clamp), let result = graph.nodes[clamp].outputs.first ?? nil
    {
      nodes.append(clamp)
      outputs = [result]
    }
    taken.formUnion(nodes)
    layers.append(
      Layer(
        nodes: nodes, core: index, name: name(of: index), operation: "\(node.operation.name)",
        rule: rule, operands: operands, bias: nil, outputs: outputs))
  }
}

/// Elementwise nodes that together compute a function of one value and single constants.
struct FunctionRegion {
  /// In the graph's order.
  private(set) var nodes: [Int] = []
  private(set) var source = ""
  /// Where the source is read.
  private(set) var ports: [QuantizationScheme.Port] = []

  private static let largest = 32

  /// The largest region that ends in a node; nil when there is none.
  init?(endingAt last: Int, _ graph: Graph, _ facts: GraphFacts, excluding taken: Set<Int>) {
    guard Self.isElementwise(graph.nodes[last], facts) else { return nil }
    var found: Set<Int> = [last]
    var best: Set<Int>?
    while found.count < Self.largest {
      let outside = Self.outside(found, graph, facts)
      if Set(outside.map(\.name)).count == 1 { best = found }
      // The nearest maker all of whose readers are inside.
      let next = outside.compactMap { facts.makers[$0.name] }.filter { maker in
        guard !taken.contains(maker), !found.contains(maker),
          Self.isElementwise(graph.nodes[maker], facts),
          let value = graph.nodes[maker].outputs.first ?? nil, !facts.outputs.contains(value),
          !facts.captured.contains(value)
        else { return false }
        return facts.readers[value]?.allSatisfy { found.contains($0.node) } ?? false
      }
      guard let maker = next.max() else { break }
      found.insert(maker)
    }
    guard let best else { return nil }
    nodes = best.sorted()
    let outside = Self.outside(best, graph, facts)
    source = outside.first?.name ?? ""
    ports = outside.map(\.port)
    // One reader that hands the value on is no function.
    guard facts.isFloat(source) else { return nil }
  }

  private static func outside(
    _ nodes: Set<Int>, _ graph: Graph, _ facts: GraphFacts
  ) -> [(name: String, port: QuantizationScheme.Port)] {
    var result: [(name: String, port: QuantizationScheme.Port)] = []
    for index in nodes.sorted() {
      for (position, name) in graph.nodes[index].inputs.enumerated() {
        guard let name, facts.constants[name] == nil else { continue }
        if let maker = facts.makers[name], nodes.contains(maker) { continue }
        result.append((name, .init(node: index, position: position)))
      }
    }
    return result
  }

  /// Whether a node computes each element from one of another value and finite single numbers.
  private static func isElementwise(_ node: Node, _ facts: GraphFacts) -> Bool {
    guard node.operation is any FloatUnary || members.contains(node.operation.name),
      node.outputs.count == 1, let output = node.outputs[0], facts.isFloat(output)
    else { return false }
    return node.inputs.allSatisfy { name in
      guard let name, let tensor = facts.constants[name] else { return true }
      return tensor.count == 1 && LayerRequirements.isUsable(tensor)
    }
  }

  private static let members: Set<OperatorName> = Set(
    ([
      Relu.self, Clip.self, PRelu.self, Add.self, Sub.self, Mul.self, Div.self, Pow.self, Min.self,
      Max.self, Abs.self, Neg.self,
    ] as [any Operator.Type]).map { $0.signature.name })
}
