import WherryBytes
import WherryGraph
import WherryOperators

/// A model whose convolutions and matrix products take integers, with activation scales computed at every
/// run: DynamicQuantizeLinear, ConvInteger or MatMulInteger, then a multiplication by both scales and an
/// addition of the bias. Weights of other layers are int8 behind DequantizeLinear.
public struct DynamicModel: Sendable {
  public private(set) var model: Model
  /// The layers that compute in integers, with the error of their weights.
  public private(set) var layers: [WeightOnlyModel.Layer] = []
  /// Nodes that stay float, and why.
  public private(set) var kept: [QuantizationScheme.Kept] = []

  /// - Parameters:
  ///   - prepared: made by `QuantizationPreparation`.
  ///   - excluded: names of nodes that stay float.
  /// - Throws: `QuantizationError` when there is nothing to quantize.
  public init(_ prepared: Model, excluding excluded: Set<String> = []) throws(QuantizationError) {
    model = prepared
    var writer = DynamicWriter(prepared)
    for (index, node) in prepared.graph.nodes.enumerated() {
      let (name, operation) = (node.layerName, "\(node.operation.name)")
      guard !node.operation.weightPositions.isEmpty, !(node.operation is Gather) else {
        writer.emitter.append(node)
        continue
      }
      let reason =
        excluded.contains(name) ? "excluded by name" : writer.problem(node)
      if let reason {
        kept.append(.init(node: index, name: name, operation: operation, reason: reason))
        writer.emitter.append(node)
        continue
      }
      if let error = writer.emit(node) {
        layers.append(.init(name: name, operation: operation, error: error))
      }
    }
    guard !layers.isEmpty else {
      throw QuantizationError(.nothingToQuantize(kept.prefix(8).map(\.description)))
    }
    model.graph.nodes = writer.emitter.nodes
    model.graph.initializers += writer.emitter.made
    model.raiseOperatorSet()
    _ = model.graph.removeDead()
  }
}

private struct DynamicWriter {
  var emitter: QDQEmitter
  private let facts: GraphFacts
  /// What DynamicQuantizeLinear gave for a value: integers, scale and zero point.
  private var inputs: [String: [String]] = [:]

  init(_ model: Model) { (emitter, facts) = (QDQEmitter(model), GraphFacts(model)) }

  func problem(_ node: Node) -> String? {
    guard let input = node.inputs.first ?? nil, facts.isFloat(input) else {
      return "only float32 is quantized"
    }
    if node.operation is MatMul, facts.constant(node, 1) == nil {
      return "both operands are activations"
    }
    guard var rule = QuantizationRule.of(node.operation) else { return "no rule" }
    if let reason = LayerRequirements.problem(node, &rule, facts) { return reason }
    guard let weights = facts.constant(node, 1), node.operation.isIntegerProduct else { return nil }
    let depth = weights.count / max(WeightLayout(node.operation, weights).channels, 1)
    return depth * 255 * 127 < 1 << 31 ? nil : "sums could leave 32 bits"
  }

  /// - Returns: the error of the weights; nil when they can't be quantized.
  mutating func emit(_ node: Node) -> SignalError? {
    guard let name = node.inputs[1], let tensor = facts.constants[name] else { return nil }
    var error = SignalError()
    guard node.operation.isIntegerProduct else {
      var node = node
      for position in node.operation.weightPositions {
        guard let (view, weights) = emitter.emitWeights(position, node),
          let tensor = facts.constant(node, position)
        else { continue }
        node.inputs[position] = view
        error.add(reference: tensor, actual: weights.dequantized)
      }
      emitter.append(node)
      return error
    }
    let layout = WeightLayout(node.operation, tensor)
    let floors = [Float](repeating: 0, count: layout.channels)
    guard let weights = Int8Weights(tensor, layout, floors: floors), let input = node.inputs[0],
      let output = node.outputs[0]
    else { return nil }
    error.add(reference: tensor, actual: weights.dequantized)
    let quantized = quantize(input)
    let sums = product(node, name, weights, quantized, output)
    let float = emitter.fresh("\(output)_float")
    emitter.append(Node(Cast(), name: "\(output)_Cast", inputs: [sums], outputs: [float]))
    // Channels run along axis 1 of a convolution's result, along the last axis of a product's.
    let trailing = [Int](
      repeating: 1, count: node.operation is Conv ? max(tensor.rank - 2, 0) : 0)
    let scale = emitter.constant(
      "\(name)_scale",
      Tensor(.float32, [layout.channels] + trailing, elements: weights.scales))
    let scales = emitter.fresh("\(output)_scales")
    emitter.append(
      Node(
        Mul(), name: "\(output)_Scales", inputs: [quantized[1], scale], outputs: [scales]))
    let bias = node.inputs.count > 2 ? node.inputs[2] : nil
    let scaled = bias == nil ? output : emitter.fresh("\(output)_scaled")
    emitter.append(
      Node(Mul(), name: "\(output)_Rescale", inputs: [float, scales], outputs: [scaled]))
    if let bias, let values = facts.constants[bias] {
      let shaped = emitter.constant(
        "\(bias)_shaped", values.reshaped([layout.channels] + trailing))
      emitter.append(
        Node(Add(), name: "\(output)_Bias", inputs: [scaled, shaped], outputs: [output]))
    }
    return error
  }

  /// The integer product of a layer.
  ///
  /// - Returns: the name of the sums.
  private mutating func product(
    _ node: Node, _ name: String, _ weights: Int8Weights, _ input: [String], _ output: String
  ) -> String {
    let sums = emitter.fresh("\(output)_sums")
    if let conv = node.operation as? Conv {
      var integer = ConvInteger()
      (integer.autoPad, integer.dilations, integer.group) = (
        conv.autoPad, conv.dilations, conv.group
      )
      (integer.kernelShape, integer.pads, integer.strides) = (
        conv.kernelShape, conv.pads, conv.strides
      )
      // ONNX Runtime's ConvInteger takes no int8 weights.
      let shifted = weights.values.integers.map { $0 + 128 }
      let values = emitter.constant(
        "\(name)_quantized", Tensor(.uint8, weights.values.shape, integers: shifted))
      let zero = emitter.constant("\(name)_zero_point", Tensor(.uint8, [], integers: [128]))
      emitter.append(
        Node(
          integer, name: node.name, inputs: [input[0], values, input[2], zero], outputs: [sums]))
      return sums
    }
    var values = weights.values
    if let gemm = node.operation as? Gemm, gemm.transB { values = values.transposedMatrix }
    let constant = emitter.constant("\(name)_quantized", values)
    emitter.append(
      Node(
        MatMulInteger(), name: node.name, inputs: [input[0], constant, input[2]], outputs: [sums])
    )
    return sums
  }

  /// DynamicQuantizeLinear of a value, once for all that read it.
  private mutating func quantize(_ name: String) -> [String] {
    if let known = inputs[name] { return known }
    let outputs = ["quantized", "scale", "zero_point"].map { emitter.fresh("\(name)_\($0)") }
    emitter.append(
      Node(
        DynamicQuantizeLinear(), name: "\(name)_DynamicQuantizeLinear", inputs: [name],
        outputs: outputs))
    inputs[name] = outputs
    return outputs
  }
}

extension Operator {
  /// Whether there is an integer operator for it that gives sums.
  fileprivate var isIntegerProduct: Bool { self is Conv || self is Gemm || self is MatMul }
}

extension Tensor {
  /// An int8 matrix with rows and columns exchanged.
  fileprivate var transposedMatrix: Tensor {
    guard rank == 2 else { return self }
    let (rows, columns) = (shape[0], shape[1])
    let turned = bytes.withUnsafeBytes { source in
      Bytes(count: source.count) { target in
        for row in 0..<rows {
          for column in 0..<columns {
            target[column * rows + row] = source[row * columns + column]
          }
        }
      }
    }
    return Tensor(element, [columns, rows], bytes: turned) ?? self
  }
}
