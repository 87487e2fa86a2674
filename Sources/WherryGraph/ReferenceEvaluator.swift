import WherryBytes

/// Runs a model operator by operator: the definition of what it computes.
public struct ReferenceEvaluator: Sendable {
  private let model: Model
  private let functions: [FunctionKey: Function]
  private let limits: EvaluationLimits

  public init(_ model: Model, limits: EvaluationLimits = .standard) {
    (self.model, self.limits) = (model, limits)
    var functions: [FunctionKey: Function] = [:]
    for function in model.functions {
      functions[FunctionKey(function.name, function.overload)] = function
    }
    self.functions = functions
  }

  /// Runs the model once.
  ///
  /// - Parameter inputs: by name; inputs with an initializer of the same name or of an optional type may
  ///   be left out.
  /// - Returns: the graph's outputs by name.
  /// - Throws: `RunError` with the place of the node that failed.
  public func run(_ inputs: [String: Value]) throws(RunError) -> [String: Value] {
    let graph = model.graph
    let known = Set(graph.inputs.map(\.name))
    for name in inputs.keys.sorted() where !known.contains(name) {
      throw RunError(.badInput("the graph has no input \"\(name)\""))
    }
    let frame = EvaluationFrame(budget: EvaluationBudget(steps: limits.steps))
    let defaults = Set(graph.initializers.map(\.name) + graph.sparseInitializers.map(\.name))
    for input in graph.inputs {
      guard let value = inputs[input.name] else {
        if defaults.contains(input.name) { continue }
        guard case .optional = input.type.plain else { throw RunError(.missingInput(input.name)) }
        frame.absent.insert(input.name)
        continue
      }
      guard value.fits(input.type) else {
        let reason = TypeError.Reason.contradiction(declared: input.type, inferred: value.type)
        throw RunError(.type(reason), Place().inside("input", input.name))
      }
      frame.values[input.name] = value
    }
    let uses = LastUses(graph.nodes, keeping: Set(graph.outputs.map(\.name)))
    let results = try run(graph, in: frame, uses: uses, at: Place().inside("graph"), level: 0)
    return Dictionary(zip(graph.outputs.map(\.name), results), uniquingKeysWith: { a, _ in a })
  }

  private func run(
    _ graph: Graph, in frame: EvaluationFrame, uses: LastUses?, at place: Place, level: Int
  ) throws(RunError) -> [Value] {
    guard level < limits.depth else {
      throw RunError(.limit("\(limits.depth) nested graphs"), place)
    }
    try frame.budget.spend(at: place)
    for initializer in graph.initializers where frame.values[initializer.name] == nil {
      frame.values[initializer.name] = .tensor(initializer.tensor)
    }
    for initializer in graph.sparseInitializers where frame.values[initializer.name] == nil {
      let here = place.inside("initializer", initializer.name)
      frame.values[initializer.name] = .tensor(
        try initializer.tensor.dense(at: here, limits: limits))
    }
    try run(graph.nodes, in: frame, uses: uses, at: place, level: level)
    var results: [Value] = []
    for output in graph.outputs {
      guard let value = frame.find(output.name) else {
        throw RunError(.missingInput(output.name), place.inside("output", output.name))
      }
      results.append(value)
    }
    return results
  }

  private func run(
    _ nodes: [Node], in frame: EvaluationFrame, uses: LastUses?, at place: Place, level: Int
  ) throws(RunError) {
    for (index, node) in nodes.enumerated() {
      let place = place.inside("node", at: index, node.name)
      try frame.budget.spend(at: place)
      var inputs: [Value?] = []
      for name in node.inputs {
        let value = name.flatMap { frame.find($0) }
        if let name, value == nil, !frame.isAbsent(name) {
          throw RunError(.missingInput(name), place)
        }
        inputs.append(value)
      }
      let results = try evaluate(node, inputs, in: frame, at: place, level: level)
      for (position, name) in node.outputs.enumerated() {
        guard let name else { continue }
        guard position < results.count, let value = results[position] else {
          throw RunError(.unsupported("output \(position) of \(node.operation.name)"), place)
        }
        frame.values[name] = value
      }
      for name in uses?.ending(at: index) ?? [] { frame.values[name] = nil }
    }
  }

  private func evaluate(
    _ node: Node, _ inputs: [Value?], in frame: EvaluationFrame, at place: Place, level: Int
  ) throws(RunError) -> [Value?] {
    do {
      if let function = functions[FunctionKey(node.operation.name, node.overload)] {
        return try call(function, node, inputs, frame.budget, at: place, level: level)
      }
      try node.operation.checkArity(node)
      try node.operation.checkElements(inputs.map { $0?.type })
      let call = OperatorCall(
        inputs: inputs, wanted: node.outputs.map { $0 != nil }, limits: limits,
        runGraph: { (graph, values) throws(RunError) in
          let inner = EvaluationFrame(outer: frame)
          for (input, value) in zip(graph.inputs, values) { inner.values[input.name] = value }
          let here = place.inside("subgraph", graph.name)
          return try run(graph, in: inner, uses: nil, at: here, level: level + 1)
        })
      return try node.operation.evaluate(call)
    } catch let error as TypeError {
      throw RunError(.type(error.reason), error.place.road.isEmpty ? place : error.place)
    } catch let error as RunError {
      throw RunError(error.reason, error.place.road.isEmpty ? place : error.place)
    } catch {
      throw RunError(.unsupported("\(error)"), place)
    }
  }

  private func call(
    _ function: Function, _ node: Node, _ inputs: [Value?], _ budget: EvaluationBudget,
    at place: Place,
    level: Int
  ) throws(RunError) -> [Value?] {
    guard level < limits.depth else {
      throw RunError(.limit("\(limits.depth) nested calls"), place)
    }
    guard inputs.count <= function.inputs.count, node.outputs.count <= function.outputs.count else {
      throw RunError(.badInput("\(function.name) has fewer inputs or outputs than its call"), place)
    }
    let frame = EvaluationFrame(budget: budget)
    for (index, name) in function.inputs.enumerated() {
      if index < inputs.count, let value = inputs[index] {
        frame.values[name] = value
      } else {
        frame.absent.insert(name)
      }
    }
    let nodes = try function.bind(node)
    let uses = LastUses(nodes, keeping: Set(function.outputs))
    let here = place.inside("function", function.name.description)
    try run(nodes, in: frame, uses: uses, at: here, level: level + 1)
    return function.outputs.map { frame.find($0) }
  }
}

extension Value {
  /// Whether the value can be given for an input of `type`; an optional may be given without its cover.
  fileprivate func fits(_ type: ValueType) -> Bool {
    if ValueType.merge(type, self.type) != nil { return true }
    guard case .optional(let held) = type.plain else { return false }
    return ValueType.merge(held, self.type) != nil
  }
}
