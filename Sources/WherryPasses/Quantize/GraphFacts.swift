import WherryGraph
import WherryOperators

/// Who makes and who reads each value of a graph, and what is known of it.
struct GraphFacts: Sendable {
  let types: [String: ValueType]
  /// Initializers that no input can replace.
  let constants: [String: Tensor]
  /// The node that makes a value.
  let makers: [String: Int]
  /// The nodes and input positions that read a value, in the graph's order.
  let readers: [String: [(node: Int, position: Int)]]
  /// Values that graphs inside nodes read.
  let captured: Set<String>
  let inputs: Set<String>
  let outputs: Set<String>

  init(_ model: Model) {
    let graph = model.graph
    types = TypeInference(model).types
    inputs = Set(graph.inputs.map(\.name))
    outputs = Set(graph.outputs.map(\.name))
    var constants: [String: Tensor] = [:]
    for initializer in graph.initializers where !inputs.contains(initializer.name) {
      constants[initializer.name] = initializer.tensor
    }
    var makers: [String: Int] = [:]
    var readers: [String: [(node: Int, position: Int)]] = [:]
    var captured: Set<String> = []
    for (index, node) in graph.nodes.enumerated() {
      for case let name? in node.outputs { makers[name] = index }
      for (position, name) in node.inputs.enumerated() {
        if let name { readers[name, default: []].append((index, position)) }
      }
      captured.formUnion(node.usedNames.subtracting(node.inputs.compactMap { $0 }))
    }
    (self.constants, self.makers, self.readers, self.captured) = (
      constants, makers, readers, captured
    )
  }

  func isFloat(_ name: String) -> Bool { types[name]?.element == .float32 }

  func rank(_ name: String) -> Int? { types[name]?.shape?.rank }

  /// Whether nothing but one input of one node reads the value.
  func isReadOnce(_ name: String) -> Bool {
    readers[name]?.count == 1 && !outputs.contains(name) && !captured.contains(name)
  }

  /// The constant at an input of a node.
  func constant(_ node: Node, _ position: Int) -> Tensor? {
    guard position < node.inputs.count, let name = node.inputs[position] else { return nil }
    return constants[name]
  }
}

extension Model {
  /// The values that a quantized model is judged by: its outputs, but scores in place of the
  /// probabilities made of them, whose errors say little where one of them is near 1.
  public var decisiveValues: [String] {
    let facts = GraphFacts(self)
    var seen: Set<String> = []
    return graph.outputs.map { output in
      var name = output.name
      for _ in 0..<8 {
        guard let maker = facts.makers[name], let source = graph.nodes[maker].inputs.first ?? nil,
          facts.isFloat(source), facts.makers[source] != nil,
          graph.nodes[maker].operation.isScoreFunction
        else { break }
        name = source
      }
      return name
    }.filter { seen.insert($0).inserted }
  }
}

extension Operator {
  /// Whether it turns scores into probabilities, or only changes their shape.
  fileprivate var isScoreFunction: Bool {
    self is Softmax || self is LogSoftmax || self is Sigmoid || self is Reshape || self is Flatten
      || self is Squeeze || self is Unsqueeze
  }
}
