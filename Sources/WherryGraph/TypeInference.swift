import WherryBytes

/// Types, shapes and constant contents of every value of a graph, found by walking its nodes.
public struct TypeInference: Sendable {
  /// Types by value name, of the outermost graph and of the graphs inside it; where several of those use
  /// one name, what its values have in common.
  public private(set) var types: [String: ValueType] = [:]
  /// Contents of the outermost graph's values that don't depend on the inputs and are small, or initializers.
  public private(set) var contents: [String: Tensor] = [:]
  /// Every contradiction found; inference goes on past it.
  public private(set) var errors: [TypeError] = []

  /// Infers the types of `model`'s values.
  ///
  /// An initializer that is also an input is only that input's default, so its contents are not used,
  /// except below IR version 4, where every initializer has to be an input.
  /// - Parameters:
  ///   - inputs: types that replace those the graph declares for its inputs, by name.
  ///   - steps: nodes visited at most, those of functions once a call; past it nothing more is inferred
  ///     and an error says so. nil for a number in proportion to the model.
  public init(_ model: Model, inputs: [String: ValueType] = [:], steps: Int? = nil) {
    var functions: [FunctionKey: Function] = [:]
    for function in model.functions {
      functions[FunctionKey(function.name, function.overload)] = function
    }
    let nodes = model.functions.reduce(model.graph.nodes.count) { $0 + $1.nodes.count }
    let journal = InferenceJournal(
      steps: steps ?? max(Checked.multiply(nodes, 16) ?? .max, 250_000))
    let walk = Walk(
      functions: functions, journal: journal, depth: 0, isInFunction: false,
      defaultsAreFixed: (model.metadata.irVersion ?? 4) < 4)
    let scope = InferenceScope(outer: nil)
    walk.enter(model.graph, scope, replacing: inputs, at: Place().inside("graph"))
    walk.visit(model.graph, scope, at: Place().inside("graph"))
    for (name, fact) in scope.facts {
      types[name] = fact.type
      contents[name] = fact.content
    }
    for case (let name, let type?) in journal.innerTypes where types[name] == nil {
      types[name] = type
    }
    errors = journal.errors
  }

  /// One traversal of a graph or of a function's body.
  private struct Walk: Sendable {
    let functions: [FunctionKey: Function]
    let journal: InferenceJournal
    let depth: Int
    let isInFunction: Bool
    let defaultsAreFixed: Bool

    private static let deepest = 64

    private func inner(isInFunction: Bool) -> Walk {
      Walk(
        functions: functions, journal: journal, depth: depth + 1, isInFunction: isInFunction,
        defaultsAreFixed: defaultsAreFixed)
    }

    /// Makes the graph's inputs, initializers and declared values known.
    func enter(
      _ graph: Graph, _ scope: InferenceScope, replacing: [String: ValueType], at place: Place
    ) {
      for value in graph.values { scope.facts[value.name] = ValueFact(type: value.type) }
      for input in graph.inputs {
        scope.facts[input.name] = ValueFact(type: replacing[input.name] ?? input.type)
      }
      let inputs = Set(graph.inputs.map(\.name))
      for initializer in graph.initializers {
        let (name, tensor) = (initializer.name, initializer.tensor)
        let isFixed = defaultsAreFixed || !inputs.contains(name)
        let declared = scope.facts[name]?.type
        if let declared, ValueType.merge(declared, tensor.type) == nil {
          let reason = TypeError.Reason.contradiction(declared: declared, inferred: tensor.type)
          journal.note(TypeError(reason, place.inside("initializer", name)))
        }
        if isFixed {
          scope.facts[name] = ValueFact(type: tensor.type, content: tensor)
        } else if declared?.plain ?? .unspecified == .unspecified {
          scope.facts[name] = ValueFact(type: tensor.type)
        }
      }
      for initializer in graph.sparseInitializers {
        // Evaluation makes them dense, and so do all operators see them.
        let tensor = initializer.tensor
        scope.facts[initializer.name] = ValueFact(
          type: .tensor(tensor.values.element, Shape(fixed: tensor.shape)))
      }
    }

    func visit(_ graph: Graph, _ scope: InferenceScope, at place: Place) {
      for (index, node) in graph.nodes.enumerated() {
        let here = place.inside("node", at: index, node.name)
        guard journal.step(at: here) else { return }
        visit(node, scope, at: here)
      }
      for output in graph.outputs {
        guard var fact = scope.find(output.name), let inferred = fact.type else { continue }
        if let merged = ValueType.merge(output.type, inferred) {
          fact.type = merged
          scope.facts[output.name] = fact
        } else {
          let reason = TypeError.Reason.contradiction(declared: output.type, inferred: inferred)
          journal.note(TypeError(reason, place.inside("output", output.name)))
        }
      }
    }

    private func visit(_ node: Node, _ scope: InferenceScope, at place: Place) {
      let facts = node.inputs.map { name in name.flatMap { scope.find($0) } }
      let isPresent = zip(node.inputs, facts).map { $0 != nil && $1?.isAbsent != true }
      if let function = functions[FunctionKey(node.operation.name, node.overload)] {
        visit(function, node, facts, scope, at: place)
        return
      }
      var site = InferenceSite(
        inputs: facts.map { $0?.type?.plain }, isPresent: isPresent,
        contents: facts.map { $0?.content }, partials: facts.map { $0?.partial },
        outputCount: node.outputs.count,
        inferGraph: { (graph, inputs) throws(TypeError) in
          try outputs(of: graph, inputs, scope, at: place)
        })
      do {
        try node.operation.checkArity(node)
        try node.operation.checkElements(site.inputs)
        try node.operation.infer(&site)
      } catch {
        journal.note(TypeError(error.reason, error.place.road.isEmpty ? place : error.place))
        return
      }
      let folded = ConstantFolding.contents(of: node, site)
      for (index, name) in node.outputs.enumerated() {
        guard let name else { continue }
        let content = folded[index] ?? site.knownContent(index)
        let type = content?.type ?? site.outputs[index]
        settle(
          name, ValueFact(type: type, content: content, partial: site.outputPartials[index]), scope,
          at: place)
      }
    }

    /// Adds what was inferred of a value to what is declared of it.
    private func settle(
      _ name: String, _ inferred: ValueFact, _ scope: InferenceScope, at place: Place
    ) {
      var fact = inferred
      if let declared = scope.facts[name]?.type {
        if let type = inferred.type {
          fact.type = ValueType.merge(declared.plain, type)
          if fact.type == nil {
            fact.type = type
            let reason = TypeError.Reason.contradiction(declared: declared, inferred: type)
            journal.note(TypeError(reason, place.inside("output", name)))
          }
        } else {
          fact.type = declared
        }
      }
      scope.facts[name] = fact
    }

    private func visit(
      _ function: Function, _ node: Node, _ inputs: [ValueFact?], _ scope: InferenceScope,
      at place: Place
    ) {
      guard depth < Self.deepest else {
        journal.note(TypeError(.limit("\(Self.deepest) nested calls"), place))
        return
      }
      let body = InferenceScope(outer: nil)
      for (index, name) in function.inputs.enumerated() {
        let isGiven = index < node.inputs.count && node.inputs[index] != nil
        body.facts[name] =
          isGiven ? inputs[index] ?? ValueFact() : ValueFact(isAbsent: true)
      }
      let nodes: [Node]
      do {
        nodes = try function.bind(node)
      } catch {
        journal.note(TypeError(.attribute(function.name.description, "\(error.reason)"), place))
        return
      }
      let here = place.inside("function", function.name.description)
      let inner = inner(isInFunction: true)
      for (index, innerNode) in nodes.enumerated() {
        let at = here.inside("node", at: index, innerNode.name)
        guard journal.step(at: at) else { return }
        inner.visit(innerNode, body, at: at)
      }
      for (name, source) in zip(node.outputs, function.outputs) {
        guard let name, let fact = body.find(source), !fact.isAbsent else { continue }
        settle(name, fact, scope, at: place)
      }
    }

    /// Types of a subgraph's outputs, given those of its inputs.
    ///
    /// - Throws: the first error inside it.
    private func outputs(
      of graph: Graph, _ inputs: [ValueType?], _ scope: InferenceScope, at place: Place
    ) throws(TypeError) -> [ValueType?] {
      guard depth < Self.deepest else {
        throw TypeError(.limit("\(Self.deepest) nested graphs"), place)
      }
      let here = place.inside("subgraph", graph.name)
      let body = InferenceScope(outer: scope)
      var replacing: [String: ValueType] = [:]
      for (input, type) in zip(graph.inputs, inputs) {
        guard let type else { continue }
        replacing[input.name] = ValueType.merge(input.type, type) ?? type
      }
      let inner = inner(isInFunction: isInFunction)
      let errorCount = journal.errors.count
      inner.enter(graph, body, replacing: replacing, at: here)
      inner.visit(graph, body, at: here)
      if let error = journal.withdraw(since: errorCount) { throw error }
      for (name, fact) in body.facts {
        if let type = fact.type, !isInFunction { journal.note(name, type) }
      }
      return graph.outputs.map { output in
        let type = body.find(output.name)?.type ?? output.type
        return type == .unspecified ? nil : type.plain
      }
    }
  }
}

extension InferenceSite {
  /// Contents of output `index` that its operator gives, or that the extents it is made of make up.
  fileprivate func knownContent(_ index: Int) -> Tensor? {
    if let content = outputContents[index] { return content }
    guard let partial = outputPartials[index], case .tensor(.int64, let shape?)? = outputs[index],
      shape.rank <= 1
    else { return nil }
    let numbers = partial.compactMap(\.extent)
    guard numbers.count == partial.count else { return nil }
    return Tensor(vector: numbers).reshaped(shape.rank == 0 ? [] : [numbers.count])
  }
}

/// An operator whose outputs differ from run to run; never folded.
public protocol Nondeterministic {}

struct FunctionKey: Hashable, Sendable {
  let name: OperatorName
  let overload: String
  init(_ name: OperatorName, _ overload: String) { (self.name, self.overload) = (name, overload) }
}
