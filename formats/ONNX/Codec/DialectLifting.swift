import WherryBytes
import WherryGraph

/// Turns a model as a file has it, in whatever operator set, into one in the newest.
///
/// Operators come in as `UnknownOperator` with the attributes of their version and leave as the
/// operators of the table; one that can't be said in the newest form stays as it is, with a loss.
struct DialectLifting {
  private let operators: OperatorTable
  private let reader: ONNXReader
  private let site: DialectLiftingSite
  private let calls: Set<OperatorName>
  private var operatorSets: [String: Int64] = [:]

  /// Lifts a whole model; twice when the first round shows that types must be inferred.
  static func lift(_ raw: Model, for reader: ONNXReader) -> Model {
    var types: [String: ValueType] = [:]
    raw.graph.collectTypes(into: &types)
    let names = raw.valueNames
    let used = raw.usedNames
    let before = (reader.problems.count, reader.losses.count)
    let first = DialectLifting(
      reader, raw, DialectLiftingSite(types: types, names: names, used: used))
    let model = first.lift(raw)
    guard first.site.lacksTypes, reader.problems.count == before.0 else { return model }
    reader.losses.removeLast(reader.losses.count - before.1)
    for (name, type) in TypeInference(model).types { types[name] = type }
    return DialectLifting(reader, raw, DialectLiftingSite(types: types, names: names, used: used))
      .lift(
        raw)
  }

  private init(_ reader: ONNXReader, _ model: Model, _ site: DialectLiftingSite) {
    (self.reader, operators, self.site) = (reader, reader.source.operators, site)
    calls = Set(model.functions.map(\.name))
  }

  private func lift(_ raw: Model) -> Model {
    var model = raw
    var inner = self
    inner.importSets(raw.operatorSets)
    inner.lift(&model.graph, Place().inside("graph"))
    for index in model.functions.indices {
      let function = model.functions[index]
      let place = Place().inside("function", at: index, function.name.name)
      var inner = inner
      inner.importSets(function.operatorSets)
      let (nodes, constants) = inner.lift(function.nodes, place)
      model.functions[index].nodes = constants.map { made($0.form, place) } + nodes
    }
    for index in model.training.indices {
      let place = Place().inside("training", at: index, nil)
      if var graph = model.training[index].initialization {
        inner.lift(&graph, place.inside("initialization"))
        model.training[index].initialization = graph
      }
      if var graph = model.training[index].algorithm {
        inner.lift(&graph, place.inside("algorithm"))
        model.training[index].algorithm = graph
      }
    }
    return model
  }

  private mutating func importSets(_ sets: [OperatorSetVersion]) {
    for set in sets { operatorSets[set.domain] = set.version }
  }

  private func lift(_ graph: inout Graph, _ place: Place) {
    for initializer in graph.initializers where initializer.tensor.count <= 16 {
      site.contents[initializer.name] = initializer.tensor
    }
    let (nodes, constants) = lift(graph.nodes, place)
    graph.nodes = nodes
    graph.initializers += constants
  }

  private func lift(_ nodes: [Node], _ place: Place) -> ([Node], [Initializer]) {
    var lifted: [Node] = []
    lifted.reserveCapacity(nodes.count)
    var constants: [Initializer] = []
    for (index, node) in nodes.enumerated() {
      let here = place.inside("node", at: index, node.name)
      (site.before, site.after, site.constants) = ([], [], [])
      let main = lift(node, here)
      lifted += site.before.map { made($0, here) }
      lifted.append(main)
      lifted += site.after.map { made($0, here) }
      constants += site.constants
    }
    return (lifted, constants)
  }

  /// A node that lifting adds.
  private func made(_ node: DialectNode, _ place: Place) -> Node {
    let operation = try? operators.make(node.name, node.attributes)
    return Node(
      operation ?? UnknownOperator(node.name, attributes: node.attributes), inputs: node.inputs,
      outputs: node.outputs)
  }

  private func lift(_ raw: Node, _ place: Place) -> Node {
    var node = raw
    var attributes = raw.operation.attributes
    for index in attributes.indices {
      attributes[index].value = lift(
        attributes[index].value, place.inside("attribute", attributes[index].name))
    }
    // Lifting subgraphs has used the site; what it left belongs to them.
    (site.before, site.after, site.constants, site.losses) = ([], [], [], [])
    let name = raw.operation.name
    node.operation = UnknownOperator(name, attributes: attributes)
    guard let operatorSet = operatorSets[name.domain] else {
      reader.report(.missing("operator set of \"\(name.domain)\""), place)
      return node
    }
    if calls.contains(name) { return node }
    guard OperatorFacts.table[name] != nil else {
      if let operation = make(name, attributes, raw, place) { node.operation = operation }
      return node
    }
    guard let version = OperatorFacts.version(name, in: operatorSet) else {
      reader.lose(
        .capability, "\(name), which operator set \(operatorSet) does not have, is kept as it is",
        place)
      return node
    }
    guard check(attributes, raw, version, place) else { return node }
    var form = DialectNode(
      name: name, attributes: attributes, inputs: raw.inputs, outputs: raw.outputs)
    do throws(DialectRefusal) {
      try lift(&form, from: version, raw)
      guard operators[form.name] != nil else {
        (site.before, site.after, site.constants) = ([], [], [])
        return node
      }
      if let operation = make(form.name, form.attributes, raw, place) {
        (node.operation, node.inputs, node.outputs) = (operation, form.inputs, form.outputs)
        for what in site.losses { reader.lose(.information, what, place) }
      }
    } catch {
      (site.before, site.after, site.constants) = ([], [], [])
      reader.lose(
        .capability, "\(name) of operator set \(version.since) is kept as it is for \(error.what)",
        place)
    }
    return node
  }

  private func lift(_ value: AttributeValue, _ place: Place) -> AttributeValue {
    switch value {
    case .graph(var graph):
      lift(&graph, place)
      return .graph(graph)
    case .graphs(let graphs):
      return .graphs(
        graphs.enumerated().map { index, graph in
          var graph = graph
          lift(&graph, place.inside("graph", at: index, nil))
          return graph
        })
    default: return value
    }
  }

  /// Whether a node is what its version of the operator takes; reports what isn't.
  private func check(
    _ attributes: [NamedAttribute], _ node: Node, _ version: OperatorFacts.Version, _ place: Place
  ) -> Bool {
    let before = reader.problems.count
    var seen: Set<String> = []
    for attribute in attributes {
      let here = place.inside("attribute", attribute.name)
      if !seen.insert(attribute.name).inserted { reader.report(.duplicate(attribute.name), here) }
      guard let known = version.attributes[attribute.name] else {
        reader.report(.unsupported("attribute of \(node.operation.name)"), here)
        continue
      }
      if known.kind != attribute.value.kind {
        reader.report(.invalid("\(attribute.value.kind), not \(known.kind)"), here)
      }
    }
    seen.formUnion(node.references.map(\.name))
    for (name, known) in version.attributes where known.isRequired && !seen.contains(name) {
      reader.report(.missing(name), place)
    }
    if !version.inputs.contains(node.inputs.count) {
      reader.report(
        .inconsistent("\(node.inputs.count) inputs of \(node.operation.name)"), place)
    }
    if !version.outputs.contains(node.outputs.count) {
      reader.report(
        .inconsistent("\(node.outputs.count) outputs of \(node.operation.name)"), place)
    }
    return reader.problems.count == before
  }

  /// Applies every change since a version, oldest first.
  private func lift(
    _ form: inout DialectNode, from version: OperatorFacts.Version, _ raw: Node
  ) throws(DialectRefusal) {
    guard let newest = OperatorFacts.table[form.name]?.last else { return }
    // What an absent attribute stood for, where that is no longer so.
    for (name, known) in version.attributes.sorted(by: { $0.key < $1.key }) {
      guard let standard = known.standard, form[name] == nil,
        newest.attributes[name]?.standard != standard,
        !raw.references.contains(where: { $0.name == name })
      else { continue }
      form[name] = standard
    }
    let before = (form.inputs, form.attributes)
    var reached = version.since
    while let change = DialectChange.table[form.name]?.first(where: { $0.version > reached }) {
      for same in DialectChange.table[form.name] ?? [] where same.version == change.version {
        try same.lift(&form, site)
      }
      reached = change.version
    }
    if !raw.references.isEmpty, before != (form.inputs, form.attributes) {
      throw DialectRefusal("attributes that refer to those of a function")
    }
    let final = OperatorFacts.table[form.name]?.last { !$0.isDeprecated }
    for attribute in form.attributes where final?.attributes[attribute.name] == nil {
      throw DialectRefusal("the attribute \"\(attribute.name)\"")
    }
  }

  /// The operator of the table; nil when it doesn't model the attributes, or can't be made.
  private func make(
    _ name: OperatorName, _ attributes: [NamedAttribute], _ raw: Node, _ place: Place
  ) -> (any Operator)? {
    var attributes = attributes
    // A referenced attribute gets its value when the function is called.
    for reference in raw.references {
      if operators[name] != nil, let value = reference.kind.placeholder {
        attributes.append(NamedAttribute(reference.name, value))
      }
    }
    do throws(AttributeProblems) {
      return try operators.make(name, attributes)
    } catch {
      for problem in error.problems {
        let here = place.inside("attribute", problem.attribute)
        let isReferenced = raw.references.contains { $0.name == problem.attribute }
        switch problem.kind {
        case .wrongValue(let expected) where !isReferenced:
          reader.report(.invalid("not a fitting \(expected)"), here)
        case .duplicate: reader.report(.duplicate(problem.attribute), here)
        case .missing where OperatorFacts.table[name] == nil:
          reader.report(.missing(problem.attribute), place)
        case .unknown where OperatorFacts.table[name] == nil:
          reader.report(.unsupported("attribute of \(name)"), here)
        default:
          reader.lose(.capability, "\(name) is kept as it is for this attribute", here)
        }
      }
      return nil
    }
  }
}

extension AttributeKind {
  /// A value to stand where a function's attribute goes; nil for kinds that have no plain one.
  var placeholder: AttributeValue? {
    switch self {
    case .float: .float(0)
    case .int: .int(0)
    case .string: .string(Bytes())
    case .floats: .floats([])
    case .ints: .ints([])
    case .strings: .strings([])
    default: nil
    }
  }
}

extension Initializer {
  /// The constant as a node, for functions, which have no initializers.
  fileprivate var form: DialectNode {
    DialectNode(
      name: OperatorName("Constant"), attributes: [NamedAttribute("value", .tensor(tensor))],
      inputs: [], outputs: [name])
  }
}

extension Graph {
  /// The types that the graph and those inside it declare.
  fileprivate func collectTypes(into types: inout [String: ValueType]) {
    for value in inputs + outputs + values { types[value.name] = value.type }
    for initializer in initializers { types[initializer.name] = initializer.tensor.type }
    for node in nodes {
      for attribute in node.operation.attributes {
        for graph in attribute.value.subgraphs { graph.collectTypes(into: &types) }
      }
    }
  }

  func collectNames(into names: inout Set<String>) {
    names.formUnion(inputs.map(\.name))
    names.formUnion(initializers.map(\.name))
    names.formUnion(sparseInitializers.map(\.name))
    collectNames(of: nodes, into: &names)
  }

  fileprivate func collectNames(of nodes: [Node], into names: inout Set<String>) {
    for node in nodes {
      names.formUnion(node.outputs.compactMap { $0 })
      for attribute in node.operation.attributes {
        for graph in attribute.value.subgraphs { graph.collectNames(into: &names) }
      }
    }
  }
}

extension Node {
  /// Every value that the node and the nodes inside it take.
  fileprivate var allUsedNames: Set<String> {
    var names = Set(inputs.compactMap { $0 })
    for attribute in operation.attributes {
      for graph in attribute.value.subgraphs {
        names.formUnion(graph.outputs.map(\.name))
        for node in graph.nodes { names.formUnion(node.allUsedNames) }
      }
    }
    return names
  }
}

extension Model {
  /// Every value that a node, a subgraph or an output takes.
  fileprivate var usedNames: Set<String> {
    var names = Set(graph.outputs.map(\.name))
    for node in graph.nodes { names.formUnion(node.allUsedNames) }
    for function in functions {
      names.formUnion(function.outputs)
      for node in function.nodes { names.formUnion(node.allUsedNames) }
    }
    for info in training {
      for graph in [info.initialization, info.algorithm].compactMap({ $0 }) {
        names.formUnion(graph.outputs.map(\.name))
        for node in graph.nodes { names.formUnion(node.allUsedNames) }
      }
    }
    return names
  }

  /// Every value name of the model.
  fileprivate var valueNames: Set<String> {
    var names: Set<String> = []
    graph.collectNames(into: &names)
    for function in functions {
      names.formUnion(function.inputs)
      graph.collectNames(of: function.nodes, into: &names)
    }
    return names
  }
}
