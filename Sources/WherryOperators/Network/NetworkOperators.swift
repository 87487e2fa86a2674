import WherryGraph

extension OperatorSet {
  /// Layers: convolution, pooling, normalization, recurrence, attention, quantization, losses.
  static let networkOperators: [any Operator.Type] = []
}
