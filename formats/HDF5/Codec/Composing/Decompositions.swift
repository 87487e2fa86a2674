import WherryBytes
import WherryGraph
import WherryOperators

/// Operators that exporters take apart, found again: their parts are no layers, they are.
struct Decompositions {
  private var nodes: [Node]
  private let constants: [String: Tensor]
  private let types: [String: ValueType]
  private var producers: [String: Int] = [:]
  private var consumers: [String: [Int]] = [:]
  private var outputs: Set<String>
  /// The scales of the normalizations that were found.
  private(set) var made: [String: Tensor] = [:]

  init(_ graph: Graph, _ constants: [String: Tensor], _ types: [String: ValueType]) {
    (nodes, self.constants, self.types) = (graph.nodes, constants, types)
    outputs = Set(graph.outputs.map(\.name))
    for (index, node) in nodes.enumerated() {
      for case let name? in node.outputs { producers[name] = index }
      for case let name? in node.inputs { consumers[name, default: []].append(index) }
    }
  }

  /// The nodes with what was found in place of its parts.
  mutating func found() -> [Node] {
    var gone: Set<Int> = []
    for index in nodes.indices {
      switch nodes[index].operation {
      case is Erf:
        guard let (x, parts) = gelu(index), let last = parts.last else { continue }
        gone.formUnion(parts.dropLast())
        nodes[last] = Node(
          Gelu(), name: nodes[last].name, inputs: [x], outputs: nodes[last].outputs)
      case is Sqrt:
        guard let (x, epsilon, parts) = normalization(index), let last = parts.last,
          case .tensor(let element, let shape?)? = types[x]?.plain,
          let width = shape.dimensions.last?.extent, width > 0, width <= 1 << 24,
          let scale = Tensor.filled(element, [width], 1)
        else { continue }
        gone.formUnion(parts.dropLast())
        var operation = LayerNormalization()
        operation.epsilon = Float(epsilon)
        let name = "\(nodes[last].outputs.first.flatMap { $0 } ?? "")/scale of ones"
        made[name] = scale
        nodes[last] = Node(
          operation, name: nodes[last].name, inputs: [x, name], outputs: nodes[last].outputs)
      default: continue
      }
    }
    return nodes.indices.filter { !gone.contains($0) }.map { nodes[$0] }
  }

  /// `x · (1 + erf(x / √2)) / 2`, in whichever order.
  ///
  /// - Returns: `x`, and the nodes that nothing else needs, the last one of all at the end.
  private func gelu(_ erf: Int) -> (x: String, parts: [Int])? {
    guard let inner = nodes[erf].inputs.first.flatMap({ $0 }), let scaling = producers[inner] else {
      return nil
    }
    let x: String
    switch nodes[scaling].operation {
    case is Div:
      guard let (value, number) = split(scaling), isNear(number, 2.0.squareRoot()),
        nodes[scaling].inputs.first == value
      else { return nil }
      x = value
    case is Mul:
      guard let (value, number) = split(scaling), isNear(number, 0.5.squareRoot()) else {
        return nil
      }
      x = value
    default: return nil
    }
    guard let sum = onlyConsumer(erf), nodes[sum].operation is Add,
      let one = split(sum)?.number, isNear(one, 1), let first = onlyConsumer(sum),
      nodes[first].operation is Mul
    else { return nil }
    if let half = split(first)?.number {
      guard isNear(half, 0.5), let second = onlyConsumer(first), nodes[second].operation is Mul,
        nodes[second].inputs.contains(x)
      else { return nil }
      return (x, [erf, sum, first, second])
    }
    if nodes[first].inputs.contains(x) {
      guard let second = onlyConsumer(first), nodes[second].operation is Mul,
        let half = split(second)?.number, isNear(half, 0.5)
      else { return nil }
      return (x, [erf, sum, first, second])
    }
    guard
      let other = nodes[first].inputs.compactMap({ $0 }).first(where: {
        $0 != nodes[sum].outputs.first
      }), let halving = producers[other], nodes[halving].operation is Mul,
      let (value, half) = split(halving), value == x, isNear(half, 0.5)
    else { return nil }
    return (x, [erf, sum, first])
  }

  /// `d / √(mean(d²) + ε)` with `d = x - mean(x)`, along the last axis.
  private func normalization(_ root: Int) -> (x: String, epsilon: Double, parts: [Int])? {
    guard let sum = producer(of: root), nodes[sum].operation is Add,
      let (variance, epsilon) = split(sum), epsilon >= 0, epsilon < 1,
      let mean = producers[variance], let square = meanOfLast(mean).flatMap({ producers[$0] }),
      let division = onlyConsumer(root), nodes[division].operation is Div,
      let difference = nodes[division].inputs.first.flatMap({ $0 }),
      nodes[division].inputs.last == nodes[root].outputs.first
    else { return nil }
    let squared: String?
    switch nodes[square].operation {
    case is Mul where nodes[square].inputs.count == 2:
      squared = nodes[square].inputs[0] == nodes[square].inputs[1] ? nodes[square].inputs[0] : nil
    case is Pow: squared = split(square).flatMap { $0.number == 2 ? $0.value : nil }
    default: return nil
    }
    // Some exporters subtract twice.
    guard let subtraction = producers[difference], nodes[subtraction].operation is Sub,
      let other = squared.flatMap({ producers[$0] }), nodes[other].operation is Sub,
      nodes[other].inputs == nodes[subtraction].inputs,
      let x = nodes[subtraction].inputs.first.flatMap({ $0 }),
      let center = nodes[subtraction].inputs.last.flatMap({ $0 }).flatMap({ producers[$0] }),
      meanOfLast(center) == x, onlyConsumer(sum) == root, onlyConsumer(mean) == sum,
      onlyConsumer(square) == mean
    else { return nil }
    return (x, epsilon, [square, mean, sum, root, division])
  }

  /// What a node takes the mean of along the last axis, which stays.
  private func meanOfLast(_ index: Int) -> String? {
    guard let mean = nodes[index].operation as? ReduceMean, mean.keepsAxes,
      nodes[index].inputs.count == 2, let value = nodes[index].inputs[0],
      let axes = nodes[index].inputs[1].flatMap({ constants[$0] })?.integers, axes.count == 1,
      axes[0] == -1 || axes[0] == Int64((types[value]?.shape?.rank ?? 0) - 1)
    else { return nil }
    return value
  }

  private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-6 }

  private func producer(of index: Int) -> Int? {
    nodes[index].inputs.first.flatMap { $0 }.flatMap { producers[$0] }
  }

  /// The node that takes what another gives, if nothing else does.
  private func onlyConsumer(_ index: Int) -> Int? {
    guard nodes[index].outputs.count == 1, let name = nodes[index].outputs[0],
      !outputs.contains(name), let users = consumers[name], Set(users).count == 1
    else { return nil }
    return users[0]
  }

  /// The tensor and the number that a node of two inputs has.
  private func split(_ index: Int) -> (value: String, number: Double)? {
    let names = nodes[index].inputs.compactMap { $0 }
    guard names.count == 2 else { return nil }
    for (value, other) in [(names[0], names[1]), (names[1], names[0])] {
      if let tensor = constants[other], tensor.count == 1, constants[value] == nil,
        let number = tensor.doubles.first
      {
        return (value, number)
      }
    }
    return nil
  }
}
