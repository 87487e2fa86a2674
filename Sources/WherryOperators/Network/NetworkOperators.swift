import WherryGraph

extension OperatorSet {
  /// Layers: convolution, pooling, normalization, recurrence, attention, quantization, losses.
  static let networkOperators: [any Operator.Type] =
    convolutionOperators + poolingOperators + normalizationOperators + recurrentOperators

  private static let convolutionOperators: [any Operator.Type] = [
    Conv.self, ConvInteger.self, QLinearConv.self,
  ]

  private static let poolingOperators: [any Operator.Type] = [
    MaxPool.self, AveragePool.self, LpPool.self, GlobalAveragePool.self, GlobalMaxPool.self,
    GlobalLpPool.self,
  ]

  private static let normalizationOperators: [any Operator.Type] = [BatchNormalization.self]

  private static let recurrentOperators: [any Operator.Type] = [LSTM.self, GRU.self, RNN.self]
}
