import WherryBytes

extension Model {
  /// Everything that breaks the rules every graph must keep: unique names, each value defined before it
  /// is used (which rules out cycles), outputs that exist, functions that don't call themselves, and
  /// references to attributes only within functions that have them. Empty for a sound model.
  ///
  /// - Source: ONNX IR specification, "Graphs", "Names Within a Graph" and "Functions".
  public var violations: [DecodeError] {
    var found: [DecodeError] = []
    graph.check(visible: [], attributes: nil, at: Place().inside("graph"), into: &found)
    var seen: Set<FunctionKey> = []
    for (index, function) in functions.enumerated() {
      let place = Place().inside("function", at: index, function.name.description)
      if !seen.insert(FunctionKey(function.name, function.overload)).inserted {
        found.append(DecodeError(.duplicate(function.name.description), place))
      }
      var attributes: Set<String> = []
      for name in function.requiredAttributes + function.attributes.map(\.name)
      where !attributes.insert(name).inserted {
        found.append(DecodeError(.duplicate(name), place.inside("attribute", name)))
      }
      let body = Graph(
        nodes: function.nodes, inputs: function.inputs.map { ValueInfo($0, .unspecified) },
        outputs: function.outputs.map { ValueInfo($0, .unspecified) })
      body.check(visible: [], attributes: attributes, at: place, into: &found)
    }
    checkRecursion(into: &found)
    return found
  }

  /// Functions that can't be put in an order in which each one calls only earlier ones.
  private func checkRecursion(into found: inout [DecodeError]) {
    var indices: [FunctionKey: Int] = [:]
    for (index, function) in functions.enumerated() {
      indices[FunctionKey(function.name, function.overload)] = index
    }
    var callers = [[Int]](repeating: [], count: functions.count)
    var open = [Int](repeating: 0, count: functions.count)
    for (index, function) in functions.enumerated() {
      let callees = Set(function.nodes.flatMap(\.calls).compactMap { indices[$0] })
      open[index] = callees.count
      for callee in callees { callers[callee].append(index) }
    }
    var ready = functions.indices.filter { open[$0] == 0 }
    while let done = ready.popLast() {
      for caller in callers[done] {
        open[caller] -= 1
        if open[caller] == 0 { ready.append(caller) }
      }
    }
    for (index, function) in functions.enumerated() where open[index] > 0 {
      let place = Place().inside("function", at: index, function.name.description)
      found.append(DecodeError(.invalid("the function calls itself"), place))
    }
  }
}

extension Node {
  /// The operators that the node and the nodes inside it name, as functions.
  fileprivate var calls: [FunctionKey] {
    [FunctionKey(operation.name, overload)]
      + operation.attributes.flatMap { $0.value.subgraphs.flatMap { $0.nodes.flatMap(\.calls) } }
  }
}

extension Graph {
  /// - Parameter attributes: those of the function that the graph is in; nil outside functions.
  fileprivate func check(
    visible: Set<String>, attributes: Set<String>?, at place: Place, into found: inout [DecodeError]
  ) {
    var defined = visible
    var own: Set<String> = []
    for (index, input) in inputs.enumerated() {
      let here = place.inside("input", at: index, input.name)
      if input.name.isEmpty { found.append(DecodeError(.missing("name of an input"), here)) }
      if !own.insert(input.name).inserted {
        found.append(DecodeError(.duplicate(input.name), here))
      }
    }
    var constants: Set<String> = []
    for name in initializers.map(\.name) + sparseInitializers.map(\.name) {
      let here = place.inside("initializer", name)
      if name.isEmpty { found.append(DecodeError(.missing("name of an initializer"), here)) }
      if !constants.insert(name).inserted { found.append(DecodeError(.duplicate(name), here)) }
    }
    own.formUnion(constants)
    defined.formUnion(own)
    for (index, node) in nodes.enumerated() {
      let here = place.inside("node", at: index, node.name)
      for case let name? in node.inputs where !defined.contains(name) {
        found.append(DecodeError(.missing(name), here))
      }
      for reference in node.references where attributes?.contains(reference.source) != true {
        found.append(
          DecodeError(.missing(reference.source), here.inside("attribute", reference.name)))
      }
      for attribute in node.operation.attributes {
        for graph in attribute.value.subgraphs {
          let inside = here.inside("attribute", attribute.name)
          graph.check(visible: defined, attributes: attributes, at: inside, into: &found)
        }
      }
      for case let name? in node.outputs {
        if own.contains(name) { found.append(DecodeError(.duplicate(name), here)) }
        own.insert(name)
        defined.insert(name)
      }
    }
    for (index, output) in outputs.enumerated() where !defined.contains(output.name) {
      found.append(
        DecodeError(.missing(output.name), place.inside("output", at: index, output.name)))
    }
  }
}
