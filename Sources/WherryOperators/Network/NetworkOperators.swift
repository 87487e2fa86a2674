import WherryGraph

extension OperatorSet {
  /// Layers: convolution, pooling, normalization, recurrence, attention, losses, image sampling.
  static let networkOperators: [any Operator.Type] =
    convolutionOperators + poolingOperators + normalizationOperators + recurrentOperators
    + imageOperators + attentionOperators + trainingOperators + tabularOperators

  private static let convolutionOperators: [any Operator.Type] = [
    Conv.self, ConvTranspose.self, ConvInteger.self, QLinearConv.self, DeformConv.self, Col2Im.self,
  ]

  private static let poolingOperators: [any Operator.Type] = [
    MaxPool.self, AveragePool.self, LpPool.self, GlobalAveragePool.self, GlobalMaxPool.self,
    GlobalLpPool.self, MaxUnpool.self, MaxRoiPool.self, RoiAlign.self,
  ]

  private static let normalizationOperators: [any Operator.Type] = [
    BatchNormalization.self, InstanceNormalization.self, GroupNormalization.self,
    LayerNormalization.self, RMSNormalization.self, LpNormalization.self,
    MeanVarianceNormalization.self, LRN.self,
  ]

  private static let recurrentOperators: [any Operator.Type] = [LSTM.self, GRU.self, RNN.self]

  private static let imageOperators: [any Operator.Type] = [
    Resize.self, DepthToSpace.self, SpaceToDepth.self, GridSample.self, AffineGrid.self,
    NonMaxSuppression.self, ImageDecoder.self,
  ]

  private static let attentionOperators: [any Operator.Type] = [
    Attention.self, FlexAttention.self, RotaryEmbedding.self, LinearAttention.self,
    CausalConvWithState.self,
  ]

  private static let trainingOperators: [any Operator.Type] = [
    NegativeLogLikelihoodLoss.self, SoftmaxCrossEntropyLoss.self, Adam.self, Adagrad.self,
    Momentum.self, Gradient.self,
  ]
}
