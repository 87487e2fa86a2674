import WherryGraph
import WherryOperators

/// Sets of values that share one scale and zero point, because operators between them only move data.
public struct QuantizationGroups: Sendable {
  /// One set.
  public struct Group: Sendable {
    /// Values and constants, in the graph's order; never empty.
    public let members: [String]
    /// The values that the range is taken from: those that aren't moved from other members.
    public let observed: [String]
    /// Constants among the members.
    let constants: [String]
    /// Numbers besides that must fit, such as those padded with.
    let extras: [Double]
    /// Parameters that follow from an operator.
    let fixed: QuantizationParameters?
  }

  public let all: [Group]
  private let indices: [String: Int]

  /// The group of a value; nil for one that isn't quantized.
  public func index(of name: String) -> Int? { indices[name] }

  init() { (all, indices) = ([], [:]) }

  /// - Parameter others: values that are quantized though no layer reads or makes them.
  init(
    _ layers: [QuantizationScheme.Layer], others: [String], _ facts: GraphFacts, _ nodes: [Node]
  ) {
    var sets = DisjointNames()
    var order = others.filter { sets.insert($0) }
    var fixed: [String: QuantizationParameters] = [:]
    var moved: Set<String> = []
    var extras: [String: [Double]] = [:]
    for layer in layers {
      for name in layer.operands.map(\.name) + layer.outputs where sets.insert(name) {
        order.append(name)
      }
      switch layer.rule.kind {
      case .moving:
        guard let source = layer.operands.first else { continue }
        for output in layer.outputs {
          sets.join(source.name, output)
          moved.insert(output)
          if nodes[layer.core].operation is Pad {
            extras[output] = facts.constant(nodes[layer.core], 2)?.doubles
          }
        }
      case .fixed(let parameters):
        for output in layer.outputs { fixed[output] = parameters }
      case .recurrent:
        // Y and Y_h hold the same numbers.
        for output in layer.outputs.dropFirst() { sets.join(layer.outputs[0], output) }
      default: break
      }
    }
    Self.join(layers, &sets, order, Set(fixed.keys), facts, &moved)
    var members: [String: [String]] = [:]
    for name in order { members[sets.root(name), default: []].append(name) }
    var seen: Set<String> = []
    var groups: [Group] = []
    var indices: [String: Int] = [:]
    for name in order {
      let root = sets.root(name)
      guard seen.insert(root).inserted, let names = members[root] else { continue }
      for member in names { indices[member] = groups.count }
      let parameters = names.compactMap { fixed[$0] }.first
      groups.append(
        Group(
          members: names,
          observed: parameters == .symmetricUnit
            ? [] : names.filter { !moved.contains($0) && facts.constants[$0] == nil },
          constants: names.filter { facts.constants[$0] != nil },
          extras: names.flatMap { extras[$0] ?? [] }, fixed: parameters))
    }
    (all, self.indices) = (groups, indices)
  }

  /// Gives the inputs of a Concat its output's scale where nothing else depends on them: that costs no
  /// second rounding, and the Concat only moves data.
  private static func join(
    _ layers: [QuantizationScheme.Layer], _ sets: inout DisjointNames, _ order: [String],
    _ fixed: Set<String>, _ facts: GraphFacts, _ moved: inout Set<String>
  ) {
    let moving = Set(layers.filter { $0.rule.kind == .moving }.map(\.core))
    for layer in layers where layer.rule.kind == .joining {
      guard let output = layer.outputs.first else { continue }
      var isWhole = true
      for operand in layer.operands {
        let root = sets.root(operand.name)
        let names = order.filter { sets.root($0) == root }
        let isFree = names.allSatisfy { name in
          guard !fixed.contains(name), !facts.outputs.contains(name) else { return false }
          return facts.readers[name]?.allSatisfy { reader in
            reader.node == layer.core || moving.contains(reader.node)
          } ?? true
        }
        if isFree {
          sets.join(operand.name, output)
        } else {
          isWhole = false
        }
      }
      if isWhole { moved.insert(output) }
    }
  }
}

/// Names in disjoint sets.
private struct DisjointNames {
  private var parents: [String: String] = [:]

  /// Adds a set of one; false when the name is there already.
  mutating func insert(_ name: String) -> Bool {
    guard parents[name] == nil else { return false }
    parents[name] = name
    return true
  }

  func root(_ name: String) -> String {
    var current = name
    while let parent = parents[current], parent != current { current = parent }
    return current
  }

  mutating func join(_ a: String, _ b: String) {
    let (first, second) = (root(a), root(b))
    if first != second { parents[second] = first }
  }
}
