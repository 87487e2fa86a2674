extension Function {
  /// The function's nodes with the caller's attributes put in place of the references, those inside
  /// subgraphs included.
  ///
  /// - Throws: `RunError.badInput` when an attribute is missing or doesn't fit.
  public func bind(_ caller: Node) throws(RunError) -> [Node] {
    var values: [String: AttributeValue] = [:]
    for attribute in attributes { values[attribute.name] = attribute.value }
    for attribute in caller.operation.attributes { values[attribute.name] = attribute.value }
    for name in requiredAttributes where values[name] == nil {
      throw RunError(.badInput("the call of \(self.name) lacks the attribute \"\(name)\""))
    }
    var bound: [Node] = []
    for node in nodes { bound.append(try node.bound(to: values)) }
    return bound
  }
}

extension Node {
  fileprivate func bound(to values: [String: AttributeValue]) throws(RunError) -> Node {
    var result = self
    for reference in references {
      // A reference to an attribute that nobody sets leaves the operator's own default.
      guard let value = values[reference.source] else {
        guard !operation.requires(reference.name) else {
          throw RunError(.badInput("attribute \"\(reference.name)\" is not given"))
        }
        continue
      }
      guard result.operation.assign(reference.name, value) else {
        throw RunError(.badInput("attribute \"\(reference.name)\" can't be \(value.kind)"))
      }
    }
    result.references = []
    for attribute in operation.attributes {
      guard let value = try attribute.value.bound(to: values) else { continue }
      guard result.operation.assign(attribute.name, value) else {
        throw RunError(.badInput("attribute \"\(attribute.name)\" can't be \(value.kind)"))
      }
    }
    return result
  }

  /// Whether the node or one inside it takes an attribute from its function.
  fileprivate var hasReferences: Bool {
    !references.isEmpty
      || operation.attributes.contains { attribute in
        attribute.value.subgraphs.contains { $0.nodes.contains(where: \.hasReferences) }
      }
  }
}

extension AttributeValue {
  /// The value with its graphs' references replaced; nil when there are none.
  fileprivate func bound(to values: [String: AttributeValue]) throws(RunError) -> AttributeValue? {
    guard subgraphs.contains(where: { $0.nodes.contains(where: \.hasReferences) }) else {
      return nil
    }
    var graphs: [Graph] = []
    for var graph in subgraphs {
      var nodes: [Node] = []
      for node in graph.nodes { nodes.append(try node.bound(to: values)) }
      graph.nodes = nodes
      graphs.append(graph)
    }
    if case .graph = self { return graphs.first.map { .graph($0) } }
    return .graphs(graphs)
  }
}

extension Operator {
  /// Whether attribute `name` has no default.
  fileprivate func requires(_ name: String) -> Bool {
    Self.fields.contains { $0.name == name && $0.isRequired }
  }

  /// Sets an attribute of any operator, unknown ones included.
  fileprivate mutating func assign(_ name: String, _ value: AttributeValue) -> Bool {
    if var unknown = self as? UnknownOperator {
      unknown.attributes.removeAll { $0.name == name }
      unknown.attributes.append(NamedAttribute(name, value))
      guard let changed = unknown as? Self else { return false }
      self = changed
      return true
    }
    return set(name, value)
  }
}
