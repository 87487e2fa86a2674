import WherryBytes
import WherryGraph

/// Turns a model in the newest operator set into the form of another, ready to be written: every
/// operator becomes an `UnknownOperator` with the attributes of its version there.
struct DialectLowering {
  private let model: Model
  /// Operator set to write, by domain.
  private var targets: [String: Int64] = [:]
  /// Operator set that operators kept as they were read are in, by domain.
  private var origins: [String: Int64] = [:]
  private let calls: Set<OperatorName>
  private let inference: LazyInference

  /// The model in the form of the wanted operator set.
  ///
  /// - Throws: `EncodeError` for the first node that the operator set can't say.
  static func lower(_ model: Model, operatorSet: Int64?) throws(EncodeError) -> Model {
    var lowering = DialectLowering(model)
    try lowering.choose(operatorSet)
    return try lowering.lower()
  }

  private init(_ model: Model) {
    self.model = model
    calls = Set(model.functions.map(\.name))
    inference = LazyInference(model)
    for set in model.operatorSets { origins[set.domain] = set.version }
  }

  // MARK: Operator sets

  private mutating func choose(_ wanted: Int64?) throws(EncodeError) {
    targets = origins
    if let wanted {
      let oldest = min(7, origins[""] ?? 7)
      guard wanted <= OperatorFacts.newest, wanted >= oldest, wanted >= 7 || wanted == origins[""]
      else { throw EncodeError(.inexpressible("operator set \(wanted)")) }
      targets[""] = wanted
    }
    let used = model.usedDomains
    for domain in used.keys.sorted()
    where targets[domain] == nil && !(domain.isEmpty && origins.isEmpty) {
      targets[domain] = Self.newest(domain, used[domain] ?? [])
    }
    if origins.isEmpty { targets[""] = wanted ?? Self.sufficient(used[""] ?? []) }
  }

  /// The newest version of a domain in which none of the operators is deprecated.
  private static func newest(_ domain: String, _ names: Set<String>) -> Int64 {
    var version = OperatorFacts.newestVersions[domain] ?? 1
    for name in names {
      let versions = OperatorFacts.table[OperatorName(name, domain: domain)] ?? []
      if let last = versions.first(where: \.isDeprecated) { version = min(version, last.since - 1) }
    }
    return version
  }

  /// The oldest operator set in which all operators are already what they are in the newest, so that
  /// as many programs as possible can read it.
  private static func sufficient(_ names: Set<String>) -> Int64 {
    let versions = names.compactMap { OperatorFacts.table[OperatorName($0)]?.last?.since }
    return max(versions.max() ?? 0, 13)
  }

  // MARK: Graphs

  private func lower() throws(EncodeError) -> Model {
    var raw = model
    raw.graph = try lower(model.graph, nil, Place().inside("graph"))
    raw.operatorSets = Self.sets(targets, as: model.operatorSets)
    for (index, function) in model.functions.enumerated() {
      let place = Place().inside("function", at: index, function.name.name)
      var inner = self
      for set in function.operatorSets {
        inner.origins[set.domain] = set.version
        let isMoved = set.domain.isEmpty && targets[""] != origins[""]
        inner.targets[set.domain] = isMoved ? targets[""] : set.version
      }
      let body = Graph(nodes: function.nodes)
      let lowered = try inner.lower(body, nil, place)
      guard lowered.initializers.isEmpty else {
        throw EncodeError(.inexpressible("constants in a function of this operator set"), place)
      }
      raw.functions[index].nodes = lowered.nodes
      var sets: [String: Int64] = [:]
      let domains = function.operatorSets.map(\.domain) + function.nodes.usedDomains.keys
      for domain in domains { sets[domain] = inner.targets[domain] }
      raw.functions[index].operatorSets = Self.sets(sets, as: function.operatorSets)
    }
    for (index, info) in model.training.enumerated() {
      let place = Place().inside("training", at: index, nil)
      if let graph = info.initialization {
        raw.training[index].initialization = try lower(graph, nil, place.inside("initialization"))
      }
      if let graph = info.algorithm {
        raw.training[index].algorithm = try lower(graph, nil, place.inside("algorithm"))
      }
    }
    return raw
  }

  /// Versions in the order they had, new domains behind.
  private static func sets(
    _ versions: [String: Int64], as old: [OperatorSetVersion]
  ) -> [OperatorSetVersion] {
    var sets = old.map { OperatorSetVersion($0.domain, versions[$0.domain] ?? $0.version) }
    let known = Set(old.map(\.domain))
    for domain in versions.keys.sorted() where !known.contains(domain) {
      sets.append(OperatorSetVersion(domain, versions[domain] ?? 1))
    }
    return sets
  }

  private func lower(
    _ graph: Graph, _ outer: DialectLoweringSite?, _ place: Place
  ) throws(EncodeError) -> Graph {
    let inference = inference
    let site = DialectLoweringSite(
      graph, outer: outer, isUnmoved: targets[""] == origins[""]
    ) { inference.types[$0] }
    var lowered: [Node?] = []
    for (index, node) in graph.nodes.enumerated() {
      lowered.append(try lower(node, site, place.inside("node", at: index, node.name)))
    }
    for index in site.replaced { lowered[index] = nil }
    var raw = graph
    raw.nodes = lowered.compactMap { $0 }
    raw.initializers += site.constants
    raw.sweep(site.released)
    return raw
  }

  // MARK: Nodes

  private func lower(_ node: Node, _ site: DialectLoweringSite, _ place: Place) throws(EncodeError)
    -> Node
  {
    var raw = node
    let name = node.operation.name
    let isKept = node.operation is UnknownOperator || calls.contains(name)
    var form = DialectNode(
      name: name, attributes: node.operation.attributes,
      inputs: node.inputs, outputs: node.outputs)
    if let target = targets[name.domain], OperatorFacts.table[name] != nil, !calls.contains(name) {
      if isKept {
        try checkKept(name, target, place)
      } else {
        do throws(DialectRefusal) {
          try lower(&form, node, to: target, site)
          if !site.isUnmoved { try checkTypes(form, node, target) }
        } catch {
          let what = "\(name) in operator set \(target): \(error.what)"
          throw EncodeError(.inexpressible(what), place)
        }
      }
    } else if !isKept {
      form.attributes = node.operation.nonDefaultAttributes
    }
    for index in form.attributes.indices {
      let here = place.inside("attribute", form.attributes[index].name)
      form.attributes[index].value = try lower(form.attributes[index].value, site, here)
    }
    let referenced = Set(node.references.map(\.name))
    form.attributes.removeAll { referenced.contains($0.name) }
    raw.operation = UnknownOperator(form.name, attributes: form.attributes)
    (raw.inputs, raw.outputs) = (form.inputs, form.outputs)
    return raw
  }

  private func lower(
    _ value: AttributeValue, _ site: DialectLoweringSite, _ place: Place
  ) throws(EncodeError) -> AttributeValue {
    switch value {
    case .graph(let graph): return .graph(try lower(graph, site, place))
    case .graphs(let graphs):
      var lowered: [Graph] = []
      for (index, graph) in graphs.enumerated() {
        lowered.append(try lower(graph, site, place.inside("graph", at: index, nil)))
      }
      return .graphs(lowered)
    default: return value
    }
  }

  /// An operator kept as it was read can only be written where its version still holds.
  private func checkKept(
    _ name: OperatorName, _ target: Int64, _ place: Place
  ) throws(EncodeError) {
    guard let origin = origins[name.domain], origin != target else { return }
    let versions = (
      OperatorFacts.version(name, in: origin)?.since, OperatorFacts.version(name, in: target)?.since
    )
    guard versions.0 == versions.1 else {
      let what = "\(name) of operator set \(origin) in operator set \(target)"
      throw EncodeError(.inexpressible(what), place)
    }
  }

  /// Values must be of types that the target's version takes.
  private func checkTypes(
    _ form: DialectNode, _ node: Node, _ target: Int64
  ) throws(DialectRefusal) {
    guard let version = OperatorFacts.version(form.name, in: target),
      OperatorFacts.version(form.name, in: .max)?.since != version.since
    else { return }
    let sides = [
      ("input", form.inputs, version.inputTypes), ("output", form.outputs, version.outputTypes),
    ]
    for (side, names, masks) in sides {
      for (index, name) in names.enumerated() {
        guard let name, let type = inference.types[name], let last = masks.last else { continue }
        let mask = index < masks.count ? masks[index] : last
        guard mask.allows(type) else {
          throw DialectRefusal("\(side) \(index) as \(type)")
        }
      }
    }
  }

  private func lower(
    _ form: inout DialectNode, _ node: Node, to target: Int64, _ site: DialectLoweringSite
  ) throws(DialectRefusal) {
    let name = form.name
    let newest = OperatorFacts.table[name]?.last
    let fresh = node.operation.freshAttributes
    var reached = Int64.max
    while let change = DialectChange.table[form.name]?.last(where: {
      $0.version > target && $0.version < reached
    }) {
      for same in (DialectChange.table[form.name] ?? []).reversed()
      where same.version == change.version {
        try same.lower(&form, site)
      }
      reached = change.version
    }
    guard let version = OperatorFacts.version(form.name, in: target) else {
      throw DialectRefusal("it does not exist there")
    }
    var kept: [NamedAttribute] = []
    for attribute in form.attributes {
      let standard = newest?.attributes[attribute.name]?.standard
      let isFresh = fresh.contains(attribute)
      guard let known = version.attributes[attribute.name] else {
        guard attribute.value == standard || (standard == nil && isFresh) || attribute.isNeutral
        else { throw DialectRefusal("the attribute \"\(attribute.name)\"") }
        continue
      }
      let isLeftOut: Bool =
        if known.isRequired {
          false
        } else if let old = known.standard {
          attribute.value == old
        } else {
          isFresh && standard == nil
        }
      if !isLeftOut { kept.append(attribute) }
    }
    form.attributes = kept
    while form.inputs.count > version.inputs.upperBound, let last = form.inputs.last, last == nil {
      form.inputs.removeLast()
    }
    while form.outputs.count > version.outputs.upperBound, let last = form.outputs.last, last == nil
    {
      form.outputs.removeLast()
    }
    guard version.inputs.contains(form.inputs.count) else {
      throw DialectRefusal("\(form.inputs.count) inputs")
    }
    guard version.outputs.contains(form.outputs.count) else {
      throw DialectRefusal("\(form.outputs.count) outputs")
    }
  }
}

/// Types of a model's values, found when first asked for.
private final class LazyInference {
  private let model: Model
  lazy var types: [String: ValueType] = TypeInference(model).types

  init(_ model: Model) { self.model = model }
}

extension NamedAttribute {
  /// Whether the value changes nothing, in whatever operator has such an attribute.
  fileprivate var isNeutral: Bool {
    if name == "dilations", case .ints(let list) = value { return list.allSatisfy { $0 == 1 } }
    return false
  }
}

extension Operator {
  /// The attributes of a new operator of the same type.
  var freshAttributes: [NamedAttribute] { Self().attributes }
}

extension [Node] {
  /// The operators used, by domain.
  var usedDomains: [String: Set<String>] {
    var used: [String: Set<String>] = [:]
    for node in self {
      let name = node.operation.name
      used[name.domain, default: []].insert(name.name)
      for attribute in node.operation.attributes {
        for graph in attribute.value.subgraphs {
          used.merge(graph.nodes.usedDomains) { $0.union($1) }
        }
      }
    }
    return used
  }
}

extension Model {
  /// The operators used outside functions, by domain.
  fileprivate var usedDomains: [String: Set<String>] {
    var used = graph.nodes.usedDomains
    for info in training {
      used.merge(info.initialization?.nodes.usedDomains ?? [:]) { $0.union($1) }
      used.merge(info.algorithm?.nodes.usedDomains ?? [:]) { $0.union($1) }
    }
    return used
  }
}

extension Graph {
  /// Takes away released values that nothing uses any more, and what only they needed.
  fileprivate mutating func sweep(_ released: Set<String>) {
    guard !released.isEmpty else { return }
    var uses: [String: Int] = [:]
    for node in nodes { for name in node.usedNames { uses[name, default: 0] += 1 } }
    for output in outputs { uses[output.name, default: 0] += 1 }
    for input in inputs { uses[input.name, default: 0] += 1 }
    var producers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() where node.outputs.count == 1 {
      if case let name?? = node.outputs.first { producers[name] = index }
    }
    var pending = Array(released)
    var gone: Set<String> = []
    var goneNodes: Set<Int> = []
    while let name = pending.popLast() {
      guard uses[name] ?? 0 == 0, gone.insert(name).inserted else { continue }
      guard let index = producers[name] else { continue }
      goneNodes.insert(index)
      for input in nodes[index].usedNames {
        uses[input, default: 0] -= 1
        pending.append(input)
      }
    }
    initializers.removeAll { gone.contains($0.name) }
    if !goneNodes.isEmpty {
      nodes = nodes.enumerated().filter { !goneNodes.contains($0.offset) }.map(\.element)
    }
  }
}
