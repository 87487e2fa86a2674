import WherryBytes
import WherryGraph
import WherryOperators

/// Puts the bodies of functions in place of the nodes that call them.
public enum InlineFunctions: Pass {
  public static let name = "inline-functions"
  public static let summary = "puts functions' bodies in place of their calls"

  private static let deepest = 32
  private static let mostNodes = 1 << 20

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    guard !model.functions.isEmpty else { return 0 }
    var inliner = Inliner(model.functions, taken: model.graph.definedNames)
    model.graph.nodes = try inliner.inline(model.graph.nodes, depth: 0)
    model.functions = []
    return inliner.changes
  }

  private struct Inliner {
    var functions: [String: Function] = [:]
    var taken: Set<String>
    var changes = 0
    var nodeCount = 0

    init(_ functions: [Function], taken: Set<String>) {
      for function in functions {
        self.functions["\(function.name)\u{0}\(function.overload)"] = function
      }
      self.taken = taken
    }

    mutating func inline(_ nodes: [Node], depth: Int) throws(RunError) -> [Node] {
      guard depth < deepest else { throw RunError(.limit("\(deepest) nested calls")) }
      var result: [Node] = []
      for node in nodes {
        guard let function = functions["\(node.operation.name)\u{0}\(node.overload)"] else {
          nodeCount += 1
          guard nodeCount < mostNodes else { throw RunError(.limit("\(mostNodes) nodes")) }
          var node = node
          node.operation = try inlineSubgraphs(node.operation, depth: depth)
          result.append(node)
          continue
        }
        changes += 1
        result += try inline(try body(of: function, for: node), depth: depth + 1)
      }
      return result
    }

    private mutating func inlineSubgraphs(
      _ operation: any Operator, depth: Int
    ) throws(RunError) -> any Operator {
      var operation = operation
      for attribute in operation.attributes where !attribute.value.subgraphs.isEmpty {
        var graphs: [Graph] = []
        for var graph in attribute.value.subgraphs {
          graph.nodes = try inline(graph.nodes, depth: depth + 1)
          graphs.append(graph)
        }
        let value: AttributeValue
        if case .graph = attribute.value, let first = graphs.first {
          value = .graph(first)
        } else {
          value = .graphs(graphs)
        }
        guard operation.set(attribute.name, value) else {
          throw RunError(.unsupported("functions inside \(operation.name)"))
        }
      }
      return operation
    }

    /// The function's nodes with names that are new where it is called.
    private mutating func body(of function: Function, for caller: Node) throws(RunError) -> [Node] {
      var names: [String: String?] = [:]
      for (index, input) in function.inputs.enumerated() {
        names[input] = .some(index < caller.inputs.count ? caller.inputs[index] : nil)
      }
      let bound = try function.bind(caller)
      var made: Set<String> = []
      for node in bound { made.formUnion(node.outputs.compactMap { $0 }) }
      var copies: [(from: String, to: String)] = []
      for (index, output) in function.outputs.enumerated() {
        guard index < caller.outputs.count, let name = caller.outputs[index] else { continue }
        if made.contains(output), names[output] == nil {
          names[output] = .some(name)
        } else {
          // An input handed through, or one value under two names.
          copies.append((output, name))
        }
      }
      var result: [Node] = []
      for node in bound {
        var node = node
        node.inputs = node.inputs.map { name in name.flatMap { names[$0] ?? $0 } }
        for (index, name) in node.outputs.enumerated() {
          guard let name else { continue }
          if names[name] == nil { names[name] = .some(fresh(name, caller.name)) }
          node.outputs[index] = names[name] ?? name
        }
        node.operation = node.operation.renamingCaptures(names.compactMapValues { $0 })
        if !caller.name.isEmpty { node.name = "\(caller.name)/\(node.name)" }
        result.append(node)
      }
      for copy in copies {
        guard let identity = try? OperatorSet.all.make(OperatorName("Identity"), []) else {
          throw RunError(.unknownOperator(OperatorName("Identity")))
        }
        result.append(
          Node(
            identity, name: caller.name, inputs: [names[copy.from] ?? copy.from], outputs: [copy.to]
          ))
      }
      return result
    }

    private mutating func fresh(_ name: String, _ prefix: String) -> String {
      var candidate = prefix.isEmpty ? name : "\(prefix)/\(name)"
      var number = 1
      while taken.contains(candidate) {
        candidate = "\(prefix)/\(name)_\(number)"
        number += 1
      }
      taken.insert(candidate)
      return candidate
    }
  }
}

extension Graph {
  /// Every name the graph and the graphs inside it define.
  var definedNames: Set<String> {
    var names = Set(inputs.map(\.name))
    names.formUnion(initializers.map(\.name))
    names.formUnion(sparseInitializers.map(\.name))
    for node in nodes {
      names.formUnion(node.outputs.compactMap { $0 })
      for attribute in node.operation.attributes {
        for graph in attribute.value.subgraphs { names.formUnion(graph.definedNames) }
      }
    }
    return names
  }

  /// The same graph with the values it takes from outside under other names.
  func renamingCaptures(_ names: [String: String]) -> Graph {
    let captured = capturedNames
    let renames = names.filter { captured.contains($0.key) }
    guard !renames.isEmpty else { return self }
    var graph = self
    for index in graph.nodes.indices {
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { $0.map { renames[$0] ?? $0 } }
      graph.nodes[index].operation = graph.nodes[index].operation.renamingCaptures(renames)
    }
    for index in graph.outputs.indices {
      graph.outputs[index].name = renames[graph.outputs[index].name] ?? graph.outputs[index].name
    }
    return graph
  }
}

extension Operator {
  /// The same operator, its subgraphs taking values from outside under other names.
  func renamingCaptures(_ names: [String: String]) -> any Operator {
    var result: any Operator = self
    for attribute in attributes {
      switch attribute.value {
      case .graph(let graph):
        _ = result.set(attribute.name, .graph(graph.renamingCaptures(names)))
      case .graphs(let graphs):
        _ = result.set(attribute.name, .graphs(graphs.map { $0.renamingCaptures(names) }))
      default: break
      }
    }
    return result
  }
}
