import WherryGraph

/// Chooses the layers to quantize among those that could be.
///
/// Layers with weights are quantized wherever they stand. Others are where all they read is quantized
/// already and a quantized layer reads what they give: elsewhere int8 would cost accuracy and save
/// nothing. Those that only move data are also where all their readers take quantized data.
struct LayerSpread {
  typealias Layer = QuantizationScheme.Layer

  private let candidates: [Layer]
  private let facts: GraphFacts
  private let interface: InterfaceType
  /// The layer that reads an input of a node.
  private let owners: [QuantizationScheme.Port: Int]
  private(set) var kept: [QuantizationScheme.Kept] = []
  private var isBanned: [Bool]

  init(_ candidates: [Layer], _ facts: GraphFacts, interface: InterfaceType) {
    (self.candidates, self.facts, self.interface) = (candidates, facts, interface)
    var owners: [QuantizationScheme.Port: Int] = [:]
    for (index, layer) in candidates.enumerated() {
      for operand in layer.operands { owners[operand.port] = index }
    }
    self.owners = owners
    isBanned = candidates.map { _ in false }
  }

  mutating func run() -> [Layer] {
    while true {
      let chosen = closure()
      let idle = chosen.filter {
        let rule = candidates[$0].rule
        return !rule.isAnchor && !rule.isMoving && !isNeeded($0, chosen, [])
      }
      guard !idle.isEmpty else { return chosen.map { candidates[$0] } }
      for index in idle {
        isBanned[index] = true
        let layer = candidates[index]
        if layer.isReported {
          kept.append(
            .init(
              node: layer.core, name: layer.name, operation: layer.operation,
              reason: "no quantized layer reads its result"))
        }
      }
    }
  }

  /// Everything that quantized values reach.
  private func closure() -> Set<Int> {
    var chosen: Set<Int> = []
    var quantized = interface == .float ? [] : facts.inputs
    for (index, layer) in candidates.enumerated() where layer.rule.isAnchor {
      chosen.insert(index)
      quantized.formUnion(layer.outputs)
    }
    let order = candidates.indices.sorted { candidates[$0].core < candidates[$1].core }
    var changed = true
    while changed {
      changed = false
      for index in order where !chosen.contains(index) && !isBanned[index] {
        let layer = candidates[index]
        let fed = layer.operands.filter { !$0.isConstant }
        let isFed = !fed.isEmpty && fed.allSatisfy { quantized.contains($0.name) }
        guard isFed || isReadOnlyQuantized(layer, chosen) else { continue }
        chosen.insert(index)
        quantized.formUnion(layer.outputs)
        changed = true
      }
    }
    return chosen
  }

  /// Whether a layer that moves data has none but quantized readers.
  private func isReadOnlyQuantized(_ layer: Layer, _ chosen: Set<Int>) -> Bool {
    guard layer.rule.kind == .moving || layer.rule.kind == .joining else { return false }
    return layer.outputs.allSatisfy { name in
      guard let readers = facts.readers[name], !facts.outputs.contains(name),
        !facts.captured.contains(name)
      else { return false }
      return readers.allSatisfy { reader in
        owners[.init(node: reader.node, position: reader.position)].map(chosen.contains) ?? false
      }
    }
  }

  /// Whether a quantized layer computes with what a layer gives, or the model gives it quantized.
  private func isNeeded(_ index: Int, _ chosen: Set<Int>, _ seen: Set<Int>) -> Bool {
    guard !seen.contains(index) else { return false }
    return candidates[index].outputs.contains { name in
      if interface != .float, facts.outputs.contains(name) { return true }
      return (facts.readers[name] ?? []).contains { reader in
        guard let next = owners[.init(node: reader.node, position: reader.position)],
          chosen.contains(next)
        else { return false }
        guard candidates[next].rule.kind == .moving else { return true }
        return isNeeded(next, chosen, seen.union([index]))
      }
    }
  }
}
