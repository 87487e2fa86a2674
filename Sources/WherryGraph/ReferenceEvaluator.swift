import WherryBytes

/// Runs a model operator by operator: the definition of what it computes.
public struct ReferenceEvaluator: Sendable {
  private let model: Model
  private let functions: [FunctionKey: Function]
  private let depth = 64

  public init(_ model: Model) {
    self.model = model
    var functions: [FunctionKey: Function] = [:]
    for function in model.functions {
      functions[FunctionKey(function.name, function.overload)] = function
    }
    self.functions = functions
  }

  /// Runs the model once.
  ///
  /// - Parameter inputs: by name; inputs with an initializer of the same name may be left out.
  /// - Returns: the graph's outputs by name.
  /// - Throws: `RunError` with the place of the node that failed.
  public func run(_ inputs: [String: Value]) throws(RunError) -> [String: Value] {
    let graph = model.graph
    let known = Set(graph.inputs.map(\.name))
    for name in inputs.keys.sorted() where !known.contains(name) {
      throw RunError(.badInput("the graph has no input \"\(name)\""))
    }
    let defaults = Set(graph.initializers.map(\.name))
    for input in graph.inputs where inputs[input.name] == nil && !defaults.contains(input.name) {
      if case .optional(let type) = input.type.plain {
        _ = type
        continue
      }
      throw RunError(.missingInput(input.name))
    }
    for input in graph.inputs {
      guard let value = inputs[input.name] else { continue }
      guard ValueType.merge(input.type, value.type) != nil else {
        let reason = TypeError.Reason.contradiction(declared: input.type, inferred: value.type)
        throw RunError(.type(reason), Place().inside("input", input.name))
      }
    }
    let frame = Frame(outer: nil)
    for (name, value) in inputs { frame.values[name] = value }
    let results = try run(graph, in: frame, at: Place().inside("graph"), level: 0)
    return Dictionary(zip(graph.outputs.map(\.name), results), uniquingKeysWith: { a, _ in a })
  }

  private func run(
    _ graph: Graph, in frame: Frame, at place: Place, level: Int
  ) throws(RunError) -> [Value] {
    guard level < depth else { throw RunError(.limit("\(depth) nested graphs"), place) }
    for initializer in graph.initializers where frame.values[initializer.name] == nil {
      frame.values[initializer.name] = .tensor(initializer.tensor)
    }
    for initializer in graph.sparseInitializers where frame.values[initializer.name] == nil {
      frame.values[initializer.name] = .tensor(try initializer.tensor.dense(at: place))
    }
    try run(graph.nodes, in: frame, uses: frame.isOutermost ? LastUses(graph) : nil, at: place, level: level)
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
    _ nodes: [Node], in frame: Frame, uses: LastUses?, at place: Place, level: Int
  ) throws(RunError) {
    for (index, node) in nodes.enumerated() {
      let place = place.inside("node", at: index, node.name)
      var inputs: [Value?] = []
      for name in node.inputs {
        guard let name else {
          inputs.append(nil)
          continue
        }
        guard let value = frame.find(name) else {
          // An optional graph input that the caller left out.
          if frame.isOutermost, model.graph.inputs.contains(where: { $0.name == name }) {
            inputs.append(nil)
            continue
          }
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
    _ node: Node, _ inputs: [Value?], in frame: Frame, at place: Place, level: Int
  ) throws(RunError) -> [Value?] {
    do {
      if let function = functions[FunctionKey(node.operation.name, node.overload)] {
        return try call(function, node, inputs, at: place, level: level)
      }
      try node.operation.checkArity(node)
      try node.operation.checkElements(inputs.map { $0?.type })
      let call = OperatorCall(
        inputs: inputs, wanted: node.outputs.map { $0 != nil },
        runGraph: { (graph, values) throws(RunError) in
          let inner = Frame(outer: frame)
          for (input, value) in zip(graph.inputs, values) { inner.values[input.name] = value }
          return try run(graph, in: inner, at: place.inside("subgraph", graph.name), level: level + 1)
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
    _ function: Function, _ node: Node, _ inputs: [Value?], at place: Place, level: Int
  ) throws(RunError) -> [Value?] {
    guard level < depth else { throw RunError(.limit("\(depth) nested calls"), place) }
    let frame = Frame(outer: nil)
    for (name, value) in zip(function.inputs, inputs) { frame.values[name] = value }
    let nodes = try function.bind(node)
    try run(nodes, in: frame, uses: nil, at: place.inside("function", function.name.description), level: level + 1)
    return function.outputs.map { frame.find($0) }
  }
}

/// The values of one graph in flight, and those of the graphs around it.
private final class Frame: @unchecked Sendable {
  var values: [String: Value] = [:]
  let outer: Frame?

  init(outer: Frame?) { self.outer = outer }

  var isOutermost: Bool { outer == nil }

  func find(_ name: String) -> Value? {
    var frame: Frame? = self
    while let current = frame {
      if let value = current.values[name] { return value }
      frame = current.outer
    }
    return nil
  }
}

/// After which node each value of a graph is no longer needed.
private struct LastUses {
  private var byNode: [Int: [String]] = [:]

  init(_ graph: Graph) {
    var last: [String: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for name in node.usedNames { last[name] = index }
    }
    let kept = Set(graph.outputs.map(\.name))
    for (name, index) in last where !kept.contains(name) { byNode[index, default: []].append(name) }
  }

  func ending(at index: Int) -> [String] { byNode[index] ?? [] }
}

extension Node {
  /// Every value the node reads, those that its subgraphs take from outside included.
  public var usedNames: Set<String> {
    var names = Set(inputs.compactMap { $0 })
    for attribute in operation.attributes {
      for graph in attribute.value.subgraphs { names.formUnion(graph.capturedNames) }
    }
    return names
  }
}

extension Graph {
  /// The values that the graph takes from the graphs around it.
  public var capturedNames: Set<String> {
    var own = Set(inputs.map(\.name))
    own.formUnion(initializers.map(\.name))
    own.formUnion(sparseInitializers.map(\.name))
    var captured: Set<String> = []
    for node in nodes {
      captured.formUnion(node.usedNames.subtracting(own))
      own.formUnion(node.outputs.compactMap { $0 })
    }
    captured.formUnion(Set(outputs.map(\.name)).subtracting(own))
    return captured
  }
}

extension Function {
  /// The function's nodes with the caller's attributes put in place of the references.
  ///
  /// - Throws: `RunError` when an attribute is missing or doesn't fit.
  public func bind(_ caller: Node) throws(RunError) -> [Node] {
    var values: [String: AttributeValue] = [:]
    for attribute in attributes { values[attribute.name] = attribute.value }
    for attribute in caller.operation.attributes { values[attribute.name] = attribute.value }
    for name in requiredAttributes where values[name] == nil {
      throw RunError(.badInput("the call of \(self.name) lacks the attribute \"\(name)\""))
    }
    var bound: [Node] = []
    for node in nodes {
      var node = node
      var operation = node.operation
      for reference in node.references {
        // A reference to an attribute that nobody sets leaves the operator's own default.
        guard let value = values[reference.source] else { continue }
        guard operation.assign(reference.name, value) else {
          throw RunError(.badInput("attribute \"\(reference.name)\" can't be \(value.kind)"))
        }
      }
      node.operation = operation
      node.references = []
      bound.append(node)
    }
    return bound
  }
}

extension Operator {
  /// Sets an attribute of any operator, unknown ones included.
  mutating func assign(_ name: String, _ value: AttributeValue) -> Bool {
    if var unknown = self as? UnknownOperator {
      unknown.attributes.append(NamedAttribute(name, value))
      guard let changed = unknown as? Self else { return false }
      self = changed
      return true
    }
    return set(name, value)
  }
}

extension SparseTensor {
  /// The dense tensor, zero where nothing is listed.
  ///
  /// - Throws: `RunError.badValue` when an index lies outside the shape.
  public func dense(at place: Place = Place()) throws(RunError) -> Tensor {
    let width = values.element.bitWidth / 8
    guard values.element.bitWidth % 8 == 0, width > 0, let count = Checked.product(shape),
      let size = Checked.multiply(count, width)
    else { throw RunError(.unsupported("sparse \(values.element)"), place) }
    var positions: [Int] = []
    let listed = indices.integers.map { Int($0) }
    if indices.rank == 2 {
      let rank = shape.count
      guard indices.shape[1] == rank else { throw RunError(.badValue("sparse indices' rank"), place) }
      for row in 0..<indices.shape[0] {
        var position = 0
        for axis in 0..<rank {
          let index = listed[row * rank + axis]
          guard index >= 0, index < shape[axis] else {
            throw RunError(.badValue("sparse index \(index) is outside \(shape[axis])"), place)
          }
          position = position * shape[axis] + index
        }
        positions.append(position)
      }
    } else {
      positions = listed
    }
    guard positions.count == values.count, positions.allSatisfy({ $0 >= 0 && $0 < count }) else {
      throw RunError(.badValue("sparse indices don't fit the shape \(shape)"), place)
    }
    let bytes = values.bytes.withUnsafeBytes { source in
      Bytes(count: size) { target in
        for (index, position) in positions.enumerated() {
          let from = UnsafeRawBufferPointer(rebasing: source[index * width..<(index + 1) * width])
          UnsafeMutableRawBufferPointer(rebasing: target[(position * width)...]).copyMemory(from: from)
        }
      }
    }
    guard let tensor = Tensor(values.element, shape, bytes: bytes) else {
      throw RunError(.badValue("sparse shape"), place)
    }
    return tensor
  }
}
