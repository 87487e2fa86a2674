import WherryBytes
import WherryGraph
import WherryOperators

/// Recurrent layers on dequantized 8-bit inputs with dequantized int8 weights.
///
/// The hidden state becomes 8-bit too: with the scale to which `Y` is quantized, else `Y_h`, else 1/128, which holds
/// everything that a tanh times a sigmoid gives.
extension QDQRewriter {
  /// Puts `QLinearLSTM` or `QLinearGRU` in place of a float layer; false when it must stay.
  mutating func collapseRecurrent(_ node: Node, at index: Int) -> Bool {
    guard node.operation is LSTM || node.operation is GRU, node.inputs.count > 2,
      let name = node.inputs[0], let x = eight(name)
    else { return false }
    do throws(Refusal) {
      return try emitRecurrent(node, name, x)
    } catch {
      let place = Place().inside("graph").inside("node", at: index, node.name)
      report.left.append(.init(operation: node.operation.name, place: place, why: error.why))
      return false
    }
  }

  private mutating func emitRecurrent(
    _ node: Node, _ name: String, _ x: EightBit
  ) throws(Refusal) -> Bool {
    guard let w = try weights(node.inputs[1], axis: 1),
      let r = try weights(node.inputs[2], axis: 1),
      w.tensor.rank == 3, r.tensor.rank == 3
    else { return false }
    func input(_ index: Int) -> String? { index < node.inputs.count ? node.inputs[index] : nil }
    let (operation, steps) = try integerForm(node.operation, extents(name))
    if let lengths = input(4) {
      let known = constant(lengths)?.integers
      guard let known, let steps, known.allSatisfy({ $0 == Int64(steps) }) else {
        throw Refusal(why: "sequences of lengths of their own")
      }
    }
    guard input(7) == nil else { throw Refusal(why: "peepholes") }
    let bias = try biasOfRecurrent(input(3))
    for weights in [w, r] { try check(weights, bias: 0) }
    let hidden = try hiddenQuantization(node, x, w, r)

    var inputs: [String?] = [x.name, current(x.quantization.scaleName), zeroName(x.quantization)]
    inputs += operands(w, "\(node.outputs.first.flatMap { $0 } ?? name)_w").prefix(2)
    inputs += operands(r, "\(node.outputs.first.flatMap { $0 } ?? name)_r").prefix(2)
    inputs += [bias, input(5)]
    if operation is QLinearLSTM { inputs.append(input(6)) }
    inputs += [current(hidden.scaleName), zeroName(hidden)]

    var layer = node
    (layer.operation, layer.inputs) = (operation, inputs)
    guard let y = node.outputs.first ?? nil else {
      emit(layer)
      return true
    }
    let quantized = fresh("\(y)_quantized")
    layer.outputs[0] = quantized
    emit(layer)
    emit(
      Node(
        DequantizeLinear(), name: node.name,
        inputs: [quantized, current(hidden.scaleName), zeroName(hidden)], outputs: [y]))
    remember(y, EightBit(name: quantized, quantization: hidden))
    return true
  }

  /// The operator on 8-bit values, and the number of steps.
  ///
  /// - Throws: `Refusal` for what only the float layers do.
  private func integerForm(
    _ operation: any Operator, _ extents: [Int]?
  ) throws(Refusal) -> (any Operator, Int?) {
    func steps(_ layout: Int) -> Int? { extents?.count == 3 ? extents?[layout == 0 ? 0 : 1] : nil }
    func areDefault(_ given: [String]?, _ defaults: [String]) -> Bool {
      let given = (given ?? []).map { $0.lowercased() }
      return given.isEmpty || given == defaults || given == defaults + defaults
    }
    if let lstm = operation as? LSTM {
      guard areDefault(lstm.activations, ["sigmoid", "tanh", "tanh"]) else {
        throw Refusal(why: "activations other than sigmoid and tanh")
      }
      guard lstm.clip ?? 0 <= 0 else { throw Refusal(why: "a clip") }
      guard !lstm.inputForget else { throw Refusal(why: "coupled input and forget gates") }
      var integer = QLinearLSTM()
      (integer.direction, integer.hiddenSize, integer.layout) = (
        lstm.direction, lstm.hiddenSize, lstm.layout
      )
      return (integer, steps(lstm.layout))
    }
    guard let gru = operation as? GRU else { throw Refusal(why: "no integer form") }
    guard areDefault(gru.activations, ["sigmoid", "tanh"]) else {
      throw Refusal(why: "activations other than sigmoid and tanh")
    }
    guard gru.clip ?? 0 <= 0 else { throw Refusal(why: "a clip") }
    var integer = QLinearGRU()
    (integer.direction, integer.hiddenSize, integer.layout) = (
      gru.direction, gru.hiddenSize, gru.layout
    )
    integer.linearBeforeReset = gru.linearBeforeReset
    return (integer, steps(gru.layout))
  }

  /// The constant that holds a layer's biases in float.
  private mutating func biasOfRecurrent(_ value: String?) throws(Refusal) -> String? {
    guard let value else { return nil }
    var found = constant(value)
    if found == nil, let node = maker(value), Quantization.isDequantizing(node.operation) {
      let inputs = node.inputs.map { constant($0).map { Value.tensor($0) } }
      let call = OperatorCall(
        inputs: inputs, wanted: [true],
        runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
      found = (try? node.operation.evaluate(call))?.first.flatMap { $0?.tensor }
      if let found { return constant(found, "\(value)_float") }
    }
    guard let found, found.element == .float32 else {
      throw Refusal(why: "a bias that is not constant")
    }
    return current(value)
  }

  /// The scale and zero point of the hidden state.
  ///
  /// - Throws: `Refusal` when a factor is out of range.
  private mutating func hiddenQuantization(
    _ node: Node, _ x: EightBit, _ w: IntegerWeights, _ r: IntegerWeights
  ) throws(Refusal) -> Quantization {
    var found: Quantization?
    for case let output? in node.outputs.prefix(2) where found == nil {
      found = quantizer(of: output)
    }
    var hidden: Quantization
    if let found {
      hidden = found
    } else {
      guard let scale = Tensor(.float32, [], elements: [Float(0x1p-7)]) else {
        throw Refusal(why: "no scale of the hidden state")
      }
      let base = node.outputs.compactMap { $0 }.first ?? node.name
      hidden = Quantization(
        element: .int8, scale: 0x1p-7, zeroPoint: 0, scaleName: constant(scale, "\(base)_h_scale"))
    }
    let products =
      w.scales.map { 4096 * Double(x.quantization.scale) * Double($0) }
      + r.scales.map { 4096 * Double(hidden.scale) * Double($0) }
    for factor in products + [Double(hidden.scale), 1 / Double(hidden.scale)] {
      guard Quantization.isUsable(Float(factor)), Float(factor) <= 0x1p24 else {
        throw Refusal(why: "a factor of \(factor)")
      }
    }
    return hidden
  }

  /// What a value is quantized to, moved perhaps.
  private func quantizer(of value: String) -> Quantization? {
    var values = [value]
    for _ in 0..<4 {
      var moved: [String] = []
      for node in nodes where node.inputs.first.flatMap({ $0 }).map(values.contains) == true {
        if Quantization.isQuantizing(node.operation), let found = quantization(of: node) {
          return found
        }
        if isMovement(node) { moved += node.outputs.compactMap { $0 } }
      }
      guard !moved.isEmpty else { return nil }
      values = moved
    }
    return nil
  }
}
