import WherryBytes
import WherryGraph
import WherryOperators

/// Operators of our own domain said in ONNX's, so that a written model runs everywhere.
///
/// A table is a Gather, an integer convolution to float its parts: both give the same results. Sums and
/// interpolation of 8-bit tensors are computed in float between dequantizing and quantizing, which may
/// differ by one in rare roundings; that is a loss.
struct OwnOperators {
  private var nodes: [Node] = []
  private var made: [Initializer] = []
  private(set) var losses: [Loss] = []
  private var taken: Set<String> = []
  private let types: [String: ValueType]

  /// The model with its operators of our own domain written out, as far as ONNX can say them.
  static func expand(_ model: Model) -> (model: Model, losses: [Loss]) {
    let own = model.graph.nodes.contains { $0.operation.name.domain == OperatorName.ownDomain }
    guard own else { return (model, []) }
    var expansion = OwnOperators(model)
    for (index, node) in model.graph.nodes.enumerated() {
      expansion.add(node, Place().inside("graph").inside("node", at: index, node.name))
    }
    var result = model
    result.graph.nodes = expansion.nodes
    result.graph.initializers += expansion.made
    return (result, expansion.losses)
  }

  private init(_ model: Model) {
    types = TypeInference(model).types
    model.graph.collectNames(into: &taken)
  }

  private mutating func add(_ node: Node, _ place: Place) {
    var parts: [Node]?
    switch node.operation {
    case is Lookup: parts = gathered(node)
    case let conv as ConvIntegerToFloat: parts = convolved(conv, node)
    case is QLinearSub: parts = dequantized(Sub(), node, operands: [0, 3], result: 6)
    case let resize as QLinearResize:
      parts = dequantized(resize.resize, node, operands: [0], result: 3, after: 5)
    case let lstm as QLinearLSTM:
      parts = recurrent(lstm.float, node, states: 2, result: QLinearLSTM.yScale)
    case let gru as QLinearGRU:
      parts = recurrent(gru.float, node, states: 1, result: QLinearGRU.yScale)
    default: break
    }
    guard let parts else { return nodes.append(node) }
    let isExact = node.operation is Lookup || node.operation is ConvIntegerToFloat
    if !isExact {
      losses.append(Loss(.numeric, "\(node.operation.name) in float, rounding otherwise", place))
    }
    nodes += parts
  }

  // MARK: Parts

  /// `Gather(table, Cast(x) + 128)`; uint8 needs no sum.
  private mutating func gathered(_ node: Node) -> [Node]? {
    guard let x = input(node, 0), let table = input(node, 1), let y = node.outputs.first ?? nil,
      let element = types[x]?.element
    else { return nil }
    var cast = Cast()
    cast.target = .int32
    var place = fresh("\(y)_place")
    var parts = [Node(cast, name: node.name, inputs: [x], outputs: [place])]
    if element == .int8 {
      let shift = constant(Tensor(.int32, [], integers: [128]), "\(y)_shift")
      let moved = fresh("\(y)_index")
      parts.append(Node(Add(), name: node.name, inputs: [place, shift], outputs: [moved]))
      place = moved
    }
    parts.append(copy(node, Gather(), [table, place], [y]))
    return parts
  }

  /// `Mul(Cast(ConvInteger(x, w)), Mul(x_scale, w_scale))`, and the bias.
  private mutating func convolved(_ conv: ConvIntegerToFloat, _ node: Node) -> [Node]? {
    guard let y = node.outputs.first ?? nil, let w = input(node, 1), let scale = input(node, 2),
      let weightScale = input(node, 3), let rank = types[w]?.shape?.rank,
      let scaleRank = types[weightScale]?.shape?.rank
    else { return nil }
    let (sums, real) = (fresh("\(y)_sums"), fresh("\(y)_real"))
    var cast = Cast()
    cast.target = .float32
    var operands = [input(node, 0), w, input(node, 4), input(node, 5)]
    while let last = operands.last, last == nil { operands.removeLast() }
    var parts = [
      copy(node, conv.sums, operands, [sums]),
      Node(cast, name: node.name, inputs: [sums], outputs: [real]),
    ]
    // Numbers of the filters lie along the second axis of the result.
    func spread(_ name: String, _ own: Int) -> String {
      guard own == 1, rank > 2 else { return name }
      let axes = constant(Tensor(vector: Array(1..<rank - 1)), "\(y)_axes")
      let result = fresh("\(name)_spread")
      parts.append(Node(Unsqueeze(), name: node.name, inputs: [name, axes], outputs: [result]))
      return result
    }
    let factor = fresh("\(y)_factor")
    let factors = spread(weightScale, scaleRank)
    parts.append(Node(Mul(), name: node.name, inputs: [scale, factors], outputs: [factor]))
    guard let bias = input(node, 6) else {
      parts.append(Node(Mul(), name: node.name, inputs: [real, factor], outputs: [y]))
      return parts
    }
    let scaled = fresh("\(y)_scaled")
    parts.append(Node(Mul(), name: node.name, inputs: [real, factor], outputs: [scaled]))
    let offset = spread(bias, 1)
    parts.append(Node(Add(), name: node.name, inputs: [scaled, offset], outputs: [y]))
    return parts
  }

  /// The float operator between dequantizing its operands and quantizing its result.
  ///
  /// - Parameters:
  ///   - operands: inputs that are followed by their scale and zero point.
  ///   - result: the input with the result's scale.
  ///   - after: the first input that the float operator takes as it is.
  private mutating func dequantized(
    _ operation: any Operator, _ node: Node, operands: [Int], result: Int, after: Int? = nil
  ) -> [Node]? {
    guard let y = node.outputs.first ?? nil, let x = input(node, 0),
      let element = types[x]?.element
    else { return nil }
    var parts: [Node] = []
    var reals: [String?] = []
    for index in operands {
      let real = fresh("\(y)_operand")
      let inputs = [input(node, index), input(node, index + 1), input(node, index + 2)]
      parts.append(
        Node(DequantizeLinear(), name: node.name, inputs: trimmed(inputs), outputs: [real]))
      reals.append(real)
    }
    if let after, after < node.inputs.count { reals += node.inputs[after...] }
    let real = fresh("\(y)_real")
    parts.append(copy(node, operation, reals, [real]))
    var zero = input(node, result + 1)
    // Without a zero point the result would be uint8.
    if zero == nil { zero = constant(Tensor(element, [], integers: [0]), "\(y)_zero") }
    parts.append(
      Node(
        QuantizeLinear(), name: node.name, inputs: [real, input(node, result), zero],
        outputs: [y]))
    return parts
  }

  /// A float recurrent layer between dequantizing its input and weights and quantizing `Y`.
  private mutating func recurrent(
    _ operation: any Operator, _ node: Node, states: Int, result: Int
  ) -> [Node]? {
    guard let base = node.outputs.compactMap({ $0 }).first, let x = input(node, 0),
      let element = types[x]?.element
    else { return nil }
    var parts: [Node] = []
    var reals: [String?] = []
    for operand in [[0, 1, 2], [3, 4], [5, 6]] {
      // A scale a direction has no counterpart.
      if operand[0] > 0 {
        guard let rows = input(node, operand[0]).flatMap({ types[$0]?.shape?.extents }),
          let scales = input(node, operand[1]).flatMap({ types[$0]?.shape?.extents }),
          rows.count == 3, scales.isEmpty || scales == [1] || scales == [rows[1]]
        else { return nil }
      }
      var dequantize = DequantizeLinear()
      dequantize.axis = 1
      let real = fresh("\(base)_operand")
      let inputs = trimmed(operand.map { input(node, $0) })
      parts.append(Node(dequantize, name: node.name, inputs: inputs, outputs: [real]))
      reals.append(real)
    }
    reals += [input(node, 7), nil]
    for state in 0..<states { reals.append(input(node, 8 + state)) }
    guard let y = node.outputs.first ?? nil else {
      return parts + [copy(node, operation, reals, node.outputs)]
    }
    let real = fresh("\(y)_real")
    parts.append(copy(node, operation, reals, [real] + node.outputs.dropFirst()))
    let zero =
      input(node, result + 1) ?? constant(Tensor(element, [], integers: [0]), "\(y)_zero")
    parts.append(
      Node(
        QuantizeLinear(), name: node.name, inputs: [real, input(node, result), zero],
        outputs: [y]))
    return parts
  }

  // MARK: Names

  private func input(_ node: Node, _ index: Int) -> String? {
    index < node.inputs.count ? node.inputs[index] : nil
  }

  private func trimmed(_ inputs: [String?]) -> [String?] {
    var inputs = inputs
    while let last = inputs.last, last == nil { inputs.removeLast() }
    return inputs
  }

  /// The node with everything said about it, computing something else.
  private func copy(
    _ node: Node, _ operation: any Operator, _ inputs: [String?], _ outputs: [String?]
  ) -> Node {
    var result = node
    (result.operation, result.inputs, result.outputs) = (operation, trimmed(inputs), outputs)
    return result
  }

  private mutating func fresh(_ base: String) -> String {
    var name = base
    var number = 1
    while taken.contains(name) {
      number += 1
      name = "\(base)_\(number)"
    }
    taken.insert(name)
    return name
  }

  private mutating func constant(_ tensor: Tensor?, _ base: String) -> String {
    let name = fresh(base)
    if let tensor { made.append(Initializer(name, tensor)) }
    return name
  }
}
