import WherryBytes

/// Types, shapes and constant contents of every value of a graph, found by walking its nodes.
public struct TypeInference: Sendable {
  /// Types by value name, of the outermost graph and the graphs inside it.
  public private(set) var types: [String: ValueType] = [:]
  /// Contents of values that don't depend on the inputs and are small, or initializers.
  public private(set) var contents: [String: Tensor] = [:]
  /// Every contradiction found; inference goes on past it.
  public private(set) var errors: [TypeError] = []

  /// Contents of computed constants are kept up to this many elements.
  private static let foldedElements = 4096

  /// Infers the types of `model`'s values.
  ///
  /// - Parameter inputs: types that replace those the graph declares for its inputs, by name.
  public init(_ model: Model, inputs: [String: ValueType] = [:]) {
    var functions: [FunctionKey: Function] = [:]
    for function in model.functions {
      functions[FunctionKey(function.name, function.overload)] = function
    }
    var walk = Walk(functions: functions, depth: 0)
    walk.enter(model.graph, replacing: inputs)
    walk.visit(model.graph, at: Place().inside("graph"))
    (types, contents, errors) = (walk.types, walk.contents, walk.errors)
  }

  /// One traversal; subgraphs get a copy that sees the enclosing values.
  private struct Walk: Sendable {
    let functions: [FunctionKey: Function]
    let depth: Int
    var types: [String: ValueType] = [:]
    var contents: [String: Tensor] = [:]
    var errors: [TypeError] = []

    mutating func enter(_ graph: Graph, replacing: [String: ValueType]) {
      for input in graph.inputs { types[input.name] = replacing[input.name] ?? input.type }
      for value in graph.values where types[value.name] == nil { types[value.name] = value.type }
      let inputs = Set(graph.inputs.map(\.name))
      for initializer in graph.initializers {
        types[initializer.name] = initializer.tensor.type
        if !inputs.contains(initializer.name) { contents[initializer.name] = initializer.tensor }
      }
      for initializer in graph.sparseInitializers {
        types[initializer.name] = Value.sparse(initializer.tensor).type
      }
    }

    mutating func visit(_ graph: Graph, at place: Place) {
      for (index, node) in graph.nodes.enumerated() {
        visit(node, at: place.inside("node", at: index, node.name))
      }
      for output in graph.outputs {
        guard let inferred = types[output.name] else { continue }
        if let merged = ValueType.merge(output.type, inferred) {
          types[output.name] = merged
        } else {
          let reason = TypeError.Reason.contradiction(declared: output.type, inferred: inferred)
          errors.append(TypeError(reason, place.inside("output", output.name)))
        }
      }
    }

    private mutating func visit(_ node: Node, at place: Place) {
      let inputTypes = node.inputs.map { name in name.flatMap { types[$0] }.map(\.plain) }
      let inputContents = node.inputs.map { name in name.flatMap { contents[$0] } }
      if let function = functions[FunctionKey(node.operation.name, node.overload)] {
        visit(function, node, inputTypes, inputContents, at: place)
        return
      }
      let outer = self
      var site = InferenceSite(
        inputs: inputTypes, isPresent: node.inputs.map { $0 != nil }, contents: inputContents,
        outputCount: node.outputs.count,
        inferGraph: { (graph, inputs) throws(TypeError) in try outer.outputs(of: graph, inputs) })
      do {
        try node.operation.checkArity(node)
        try node.operation.checkElements(inputTypes)
        try node.operation.infer(&site)
      } catch {
        errors.append(TypeError(error.reason, place))
        return
      }
      let folded = fold(node, site)
      for (index, name) in node.outputs.enumerated() {
        guard let name else { continue }
        if let content = folded[index] ?? site.outputContents[index] {
          contents[name] = content
          types[name] = content.type
        } else if let inferred = site.outputs[index] {
          settle(name, inferred, at: place)
        }
      }
    }

    private mutating func settle(_ name: String, _ inferred: ValueType, at place: Place) {
      guard let declared = types[name] else {
        types[name] = inferred
        return
      }
      if let merged = ValueType.merge(declared.plain, inferred) {
        types[name] = merged
      } else {
        types[name] = inferred
        let reason = TypeError.Reason.contradiction(declared: declared, inferred: inferred)
        errors.append(TypeError(reason, place.inside("output", name)))
      }
    }

    /// Contents of the outputs of a small node whose inputs are all constant.
    private func fold(_ node: Node, _ site: InferenceSite) -> [Tensor?] {
      let none = [Tensor?](repeating: nil, count: node.outputs.count)
      guard !(node.operation is any Nondeterministic), !(node.operation is UnknownOperator),
        node.operation.attributes.allSatisfy({ $0.value.subgraphs.isEmpty })
      else { return none }
      var values: [Value?] = []
      for (index, name) in node.inputs.enumerated() {
        guard name != nil else {
          values.append(nil)
          continue
        }
        guard let content = site.contents[index], content.count <= TypeInference.foldedElements else {
          return none
        }
        values.append(.tensor(content))
      }
      for type in site.outputs {
        guard let count = type?.shape?.extents.flatMap({ Checked.product($0) }) else { continue }
        guard count <= TypeInference.foldedElements else { return none }
      }
      let call = OperatorCall(
        inputs: values, wanted: node.outputs.map { $0 != nil },
        runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
      guard let results = try? node.operation.evaluate(call) else { return none }
      return (0..<node.outputs.count).map { index in
        guard index < results.count, let tensor = results[index]?.tensor else { return nil }
        return tensor.count <= TypeInference.foldedElements ? tensor : nil
      }
    }

    private mutating func visit(
      _ function: Function, _ node: Node, _ inputs: [ValueType?], _ contents: [Tensor?], at place: Place
    ) {
      guard depth < 32 else { return }
      var inner = Walk(functions: functions, depth: depth + 1)
      for (name, (type, content)) in zip(function.inputs, zip(inputs, contents)) {
        inner.types[name] = type
        inner.contents[name] = content
      }
      let bound = (try? function.bind(node)) ?? function.nodes
      for (index, innerNode) in bound.enumerated() {
        inner.visit(innerNode, at: place.inside("function node", at: index, innerNode.name))
      }
      errors += inner.errors
      for (name, source) in zip(node.outputs, function.outputs) {
        guard let name else { continue }
        if let type = inner.types[source] { settle(name, type, at: place) }
        if let content = inner.contents[source] { self.contents[name] = content }
      }
    }

    func outputs(of graph: Graph, _ inputs: [ValueType?]) throws(TypeError) -> [ValueType?] {
      guard depth < 32 else { return [] }
      var inner = Walk(functions: functions, depth: depth + 1)
      (inner.types, inner.contents) = (types, contents)
      var replacing: [String: ValueType] = [:]
      for (input, type) in zip(graph.inputs, inputs) {
        // A loop-carried value may change its shape, so a declared type wins over the first one.
        if let type { replacing[input.name] = input.type == .unspecified ? type : input.type }
      }
      inner.enter(graph, replacing: replacing)
      for input in graph.inputs { inner.contents[input.name] = nil }
      inner.visit(graph, at: Place().inside("subgraph", graph.name))
      if let error = inner.errors.first { throw error }
      return graph.outputs.map { inner.types[$0.name] ?? ($0.type == .unspecified ? nil : $0.type) }
    }
  }
}

/// An operator whose outputs differ from run to run; never folded.
public protocol Nondeterministic {}

struct FunctionKey: Hashable, Sendable {
  let name: OperatorName
  let overload: String
  init(_ name: OperatorName, _ overload: String) { (self.name, self.overload) = (name, overload) }
}

extension ValueType {
  /// The more specific of two descriptions of one value; nil when they contradict each other.
  public static func merge(_ a: ValueType, _ b: ValueType) -> ValueType? {
    switch (a.plain, b.plain) {
    case (.unspecified, _): return b
    case (_, .unspecified): return a
    case (.tensor(let x, let m), .tensor(let y, let n)):
      guard x == y else { return nil }
      guard let m else { return .tensor(x, n) }
      guard let n else { return .tensor(x, m) }
      guard m.rank == n.rank else { return nil }
      var merged: [Dimension] = []
      for (p, q) in zip(m.dimensions, n.dimensions) {
        guard let dimension = Dimension.merge(p, q) else { return nil }
        merged.append(dimension)
      }
      return .tensor(x, Shape(merged, denotations: m.denotations))
    case (.sequence(let x), .sequence(let y)): return merge(x, y) == nil ? nil : a
    case (.optional(let x), .optional(let y)): return merge(x, y) == nil ? nil : a
    case (.map(let j, let x), .map(let k, let y)): return j == k && merge(x, y) != nil ? a : nil
    default: return a.plain == b.plain ? a : nil
    }
  }
}

extension Operator {
  /// - Throws: `TypeError` when the node lists too many or too few inputs or outputs.
  func checkArity(_ node: Node) throws(TypeError) {
    guard !(self is UnknownOperator) else { return }
    let signature = Self.signature
    guard signature.inputRange.contains(node.inputs.count) else {
      throw TypeError(.inputCount(node.inputs.count, allowed: signature.inputRange))
    }
    guard signature.outputRange.contains(node.outputs.count) else {
      throw TypeError(.outputCount(node.outputs.count, allowed: signature.outputRange))
    }
    for (index, parameter) in signature.inputs.enumerated() where parameter.arity == .required {
      if node.inputs[index] == nil { throw TypeError(.missingInput(index)) }
    }
  }

  /// - Throws: `TypeError.element` when an input's element type is none the signature allows.
  func checkElements(_ inputs: [ValueType?]) throws(TypeError) {
    let parameters = Self.signature.inputs
    guard let last = parameters.last else { return }
    for (index, type) in inputs.enumerated() {
      guard case .tensor(let element, _) = type else { continue }
      let parameter = index < parameters.count ? parameters[index] : last
      guard parameter.elements.contains(element) else {
        throw TypeError(.element(input: index, element))
      }
    }
  }
}
