import WherryBytes
import WherryGraph
import WherryOperators

/// Collects the nodes and constants of a graph, inferring every type on the way.
final class GraphBuilder {
  private(set) var nodes: [Node] = []
  private(set) var initializers: [Initializer] = []
  /// Names of the constants that hold weights, as against those that follow from settings.
  private(set) var weightConstants: Set<String> = []
  /// The weights that somebody asked for, by layer and key.
  private(set) var usedWeights: Set<[String]> = []
  private var inputNames: Set<String> = []
  private var constants: [String: Wire] = [:]
  private var conversions: [Conversion: Wire] = [:]
  /// Names that are given, with the number that the next value of that name gets.
  private var taken: [String: Int] = [:]
  /// Values that get another name in the end.
  private var renames: [String: String] = [:]
  /// Operations of the newest kind in use: the ONNX operator set that has them all.
  private(set) var operatorSet: Int64 = 18

  private struct Conversion: Hashable {
    var name: String
    var order: [Int]
  }

  /// Names that only `rename` gives.
  func reserve(_ names: some Sequence<String>) { for name in names { taken[name] = 2 } }

  private func unique(_ name: String) -> String {
    guard var count = taken[name] else {
      taken[name] = 2
      return name
    }
    while taken["\(name)_\(count)"] != nil { count += 1 }
    taken[name] = count + 1
    taken["\(name)_\(count)"] = 2
    return "\(name)_\(count)"
  }

  /// A graph input.
  func input(_ name: String, _ element: ElementType, _ shape: Shape) -> Wire {
    inputNames.insert(name)
    taken[name] = 2
    return Wire(name: name, element: element, shape: shape)
  }

  /// A constant that is made once for each key.
  ///
  /// - Parameter weight: the name of the weight that it holds; its own if that is free, the key
  ///   otherwise. nil when it holds none.
  func constant(
    _ key: String, weight: String? = nil, _ make: () throws(DecodeError) -> Tensor
  ) throws(DecodeError) -> Wire {
    if let wire = constants[key] { return wire }
    let tensor = try make()
    let wire = Wire(
      name: unique(weight ?? key), element: tensor.element, shape: Shape(fixed: tensor.shape),
      content: tensor)
    if weight != nil { weightConstants.insert(wire.name) }
    initializers.append(Initializer(wire.name, tensor))
    constants[key] = wire
    return wire
  }

  /// Adds a node.
  ///
  /// - Throws: `DecodeError.invalid` when the operator can't take these inputs.
  func emit(
    _ operation: some Operator, _ inputs: [Wire?], named name: String, outputs count: Int = 1,
    at place: Place
  ) throws(DecodeError) -> [Wire] {
    var site = InferenceSite(
      inputs: inputs.map { $0?.type }, isPresent: inputs.map { $0 != nil },
      contents: inputs.map { $0?.content }, partials: inputs.map { $0?.partial },
      outputCount: count,
      inferGraph: { (graph, types) throws(TypeError) in graph.outputs.map(\.type) })
    let own = unique(name)
    let names = (0..<count).map { $0 == 0 ? own : unique("\(own):\($0)") }
    do {
      try operation.infer(&site)
    } catch {
      throw DecodeError(.invalid("\(operation.name): \(error.reason)"), place)
    }
    var wires: [Wire] = []
    for index in 0..<count {
      guard case .tensor(let element, let shape?)? = site.outputs[index]?.plain else {
        throw DecodeError(.unsupported("a value of unknown rank from \(operation.name)"), place)
      }
      wires.append(
        Wire(
          name: names[index], element: element, shape: shape, content: site.outputContents[index],
          partial: site.outputPartials[index]))
    }
    nodes.append(Node(operation, name: own, inputs: inputs.map { $0?.name }, outputs: names))
    operatorSet = max(operatorSet, Self.newestSets[operation.name.name] ?? 0)
    if wires.contains(where: { $0.element == .bfloat16 }) { operatorSet = max(operatorSet, 22) }
    return wires
  }

  private static let newestSets: [String: Int64] = ["Gelu": 20, "GroupNormalization": 21]

  /// Whether the value is an input of the graph.
  func isInput(_ name: String) -> Bool { inputNames.contains(name) }

  /// Notes that a weight takes part in the graph.
  func use(_ layer: String, _ key: String) { usedWeights.insert([layer, key]) }

  /// Gives a value another name in the finished graph; the first name given stays.
  func rename(_ name: String, to other: String) {
    if renames[name] == nil, !inputNames.contains(name) { renames[name] = other }
  }

  /// The wire of a value in another order of axes, converted once.
  func converted(
    _ name: String, _ order: [Int], _ make: () throws(DecodeError) -> Wire
  ) throws(DecodeError) -> Wire {
    let key = Conversion(name: name, order: order)
    if let wire = conversions[key] { return wire }
    let wire = try make()
    conversions[key] = wire
    return wire
  }

  /// The finished graph.
  ///
  /// - Parameter outputs: the graph's outputs with the names they shall have.
  func finish(
    name: String, inputs: [ValueInfo], outputs: [(wire: Wire, name: String)], at place: Place
  ) throws(DecodeError) -> Graph {
    var values: [ValueInfo] = []
    var (given, labels): (Set<String>, Set<String>) = ([], inputNames)
    var counts: [String: Int] = [:]
    var holders = Dictionary(grouping: renames.keys) { renames[$0] ?? $0 }
    for (wire, wanted) in outputs {
      var wire = wire
      if given.contains(wire.name) || isInput(wire.name) || wire.content != nil {
        wire = try emit(Identity(), [wire], named: "\(wanted)/Identity", at: place)[0]
      }
      given.insert(wire.name)
      var label = wanted
      while !labels.insert(label).inserted {
        label = "\(wanted):\(counts[wanted, default: 1])"
        counts[wanted, default: 1] += 1
      }
      for other in (holders.removeValue(forKey: label) ?? []).sorted()
      where other != wire.name && renames[other] == label {
        renames[other] = unique("\(label)/value")
      }
      renames[wire.name] = label
      values.append(ValueInfo(label, wire.type))
    }
    func current(_ name: String?) -> String? { name.map { renames[$0] ?? $0 } }
    let nodes = nodes.map { node in
      var node = node
      node.name = current(node.name) ?? node.name
      node.inputs = node.inputs.map(current)
      node.outputs = node.outputs.map(current)
      return node
    }
    return Graph(
      name: name, nodes: nodes, inputs: inputs, outputs: values, initializers: initializers)
  }
}
