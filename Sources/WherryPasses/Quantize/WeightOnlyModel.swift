import WherryBytes
import WherryGraph
import WherryOperators

/// A model whose weights are int8 behind DequantizeLinear, while activations stay float.
public struct WeightOnlyModel: Sendable {
  /// One tensor of weights and how far int8 is from it.
  public struct Layer: Sendable {
    public let name: String
    public let operation: String
    public let error: SignalError
  }

  public private(set) var model: Model
  public private(set) var layers: [Layer] = []
  /// Nodes whose weights stay float, and why.
  public private(set) var kept: [QuantizationScheme.Kept] = []

  /// - Parameters:
  ///   - prepared: made by `QuantizationPreparation`.
  ///   - excluded: names of nodes that stay float.
  /// - Throws: `QuantizationError` when there are no weights to quantize.
  public init(_ prepared: Model, excluding excluded: Set<String> = []) throws(QuantizationError) {
    model = prepared
    let constants = prepared.constants
    var emitter = QDQEmitter(prepared)
    for (index, node) in prepared.graph.nodes.enumerated() {
      var node = node
      let (name, operation) = (node.layerName, "\(node.operation.name)")
      if !node.operation.weightPositions.isEmpty, excluded.contains(name) {
        kept.append(
          .init(node: index, name: name, operation: operation, reason: "excluded by name"))
        emitter.append(node)
        continue
      }
      for position in node.operation.weightPositions where position < node.inputs.count {
        guard let input = node.inputs[position], let tensor = constants[input] else { continue }
        let reason: String? =
          tensor.element != .float32
          ? "the weights are \(tensor.element)"
          : tensor.rank < 2 || tensor.count == 0
            ? "the weights are no matrix"
            : !tensor.isFinite ? "the weights are not all finite" : nil
        if let reason {
          kept.append(.init(node: index, name: name, operation: operation, reason: reason))
          continue
        }
        guard let (view, weights) = emitter.emitWeights(position, node) else { continue }
        node.inputs[position] = view
        var error = SignalError()
        error.add(reference: tensor, actual: weights.dequantized)
        layers.append(Layer(name: name, operation: operation, error: error))
      }
      emitter.append(node)
    }
    guard !layers.isEmpty else {
      throw QuantizationError(.nothingToQuantize(kept.prefix(8).map(\.description)))
    }
    model.graph.nodes = emitter.nodes
    model.graph.initializers += emitter.made
    model.raiseOperatorSet()
    _ = model.graph.removeDead()
  }
}

extension Node {
  /// The name a report gives the node.
  var layerName: String { name.isEmpty ? outputs.first.flatMap { $0 } ?? "" : name }
}

extension Operator {
  /// Inputs that are weights when they are constant.
  var weightPositions: [Int] {
    switch self {
    case is Conv, is ConvTranspose, is Gemm, is MatMul: [1]
    case is LSTM, is GRU: [1, 2]
    case is Gather: [0]
    default: []
    }
  }
}

extension Int8Weights {
  /// The weights that the integers stand for.
  var dequantized: Tensor {
    var numbers = [Float](repeating: 0, count: values.count)
    values.bytes.withUnsafeBytes { raw in
      layout.forEachRun(values.shape) { channel, run in
        let scale = scales[channel]
        for index in run { numbers[index] = Float(Int8(bitPattern: raw[index])) * scale }
      }
    }
    return Tensor(.float32, values.shape, elements: numbers) ?? values
  }
}

extension QuantizationScheme.Kept {
  var description: String { "\(operation) \"\(name)\": \(reason)" }
}
