import WherryBytes

extension Model {
  /// Everything that breaks the rules every graph must keep: unique names, each value defined before it
  /// is used (which rules out cycles), outputs that exist. Empty for a sound model.
  ///
  /// - Source: ONNX IR specification, "Graphs" and "Names Within a Graph".
  public var violations: [DecodeError] {
    var found: [DecodeError] = []
    graph.check(visible: [], at: Place().inside("graph"), into: &found)
    var seen: Set<FunctionKey> = []
    for (index, function) in functions.enumerated() {
      let place = Place().inside("function", at: index, function.name.description)
      if !seen.insert(FunctionKey(function.name, function.overload)).inserted {
        found.append(DecodeError(.duplicate(function.name.description), place))
      }
      let body = Graph(
        nodes: function.nodes, inputs: function.inputs.map { ValueInfo($0, .unspecified) },
        outputs: function.outputs.map { ValueInfo($0, .unspecified) })
      body.check(visible: [], at: place, into: &found)
    }
    return found
  }
}

extension Graph {
  fileprivate func check(visible: Set<String>, at place: Place, into found: inout [DecodeError]) {
    var defined = visible
    var own: Set<String> = []
    for (index, input) in inputs.enumerated() {
      let here = place.inside("input", at: index, input.name)
      if input.name.isEmpty { found.append(DecodeError(.missing("name of an input"), here)) }
      if !own.insert(input.name).inserted { found.append(DecodeError(.duplicate(input.name), here)) }
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
      for attribute in node.operation.attributes {
        for graph in attribute.value.subgraphs {
          let inside = here.inside("attribute", attribute.name)
          graph.check(visible: defined, at: inside, into: &found)
        }
      }
      for case let name? in node.outputs {
        if own.contains(name) { found.append(DecodeError(.duplicate(name), here)) }
        own.insert(name)
        defined.insert(name)
      }
    }
    for (index, output) in outputs.enumerated() where !defined.contains(output.name) {
      found.append(DecodeError(.missing(output.name), place.inside("output", at: index, output.name)))
    }
  }
}
