import WherryGraph

extension OperatorSet {
  /// Arithmetic, comparison, logic, reduction, linear algebra, activations, signal processing.
  static let mathOperators: [any Operator.Type] =
    elementwise + activations + reductions + matrices + conversions + random + signals

  private static let elementwise: [any Operator.Type] = [
    Abs.self, Neg.self, Sign.self, Ceil.self, Floor.self, Round.self, Sqrt.self, Reciprocal.self,
    Exp.self, Log.self, Erf.self, IsNaN.self, IsInf.self, Not.self, BitwiseNot.self,
    Sin.self, Cos.self, Tan.self, Asin.self, Acos.self, Atan.self,
    Sinh.self, Cosh.self, Tanh.self, Asinh.self, Acosh.self, Atanh.self,
    Add.self, Sub.self, Mul.self, Div.self, Mod.self, Pow.self,
    And.self, Or.self, Xor.self, BitwiseAnd.self, BitwiseOr.self, BitwiseXor.self, BitShift.self,
    Equal.self, Less.self, LessOrEqual.self, Greater.self, GreaterOrEqual.self,
    Max.self, Min.self, Sum.self, Mean.self,
  ]

  private static let activations: [any Operator.Type] = [
    Relu.self, LeakyRelu.self, PRelu.self, ThresholdedRelu.self, Elu.self, Celu.self, Selu.self,
    Gelu.self, Sigmoid.self, HardSigmoid.self, HardSwish.self, Swish.self, SwiGLU.self, Mish.self,
    Softplus.self, Softsign.self, Shrink.self, Clip.self,
    Softmax.self, LogSoftmax.self, Hardmax.self,
  ]

  private static let reductions: [any Operator.Type] = [
    ReduceSum.self, ReduceMean.self, ReduceProd.self, ReduceMax.self, ReduceMin.self,
    ReduceL1.self, ReduceL2.self, ReduceLogSum.self, ReduceLogSumExp.self, ReduceSumSquare.self,
    ArgMax.self, ArgMin.self, CumSum.self, CumProd.self,
  ]

  private static let matrices: [any Operator.Type] = [
    MatMul.self, Gemm.self, MatMulInteger.self, QLinearMatMul.self, Einsum.self, Det.self,
  ]

  private static let conversions: [any Operator.Type] = [
    Cast.self, CastLike.self, BitCast.self,
    QuantizeLinear.self, DequantizeLinear.self, DynamicQuantizeLinear.self,
  ]

  private static let random: [any Operator.Type] = [
    RandomNormal.self, RandomNormalLike.self, RandomUniform.self, RandomUniformLike.self,
    Bernoulli.self, Multinomial.self, Dropout.self,
  ]

  private static let signals: [any Operator.Type] = [
    HannWindow.self, HammingWindow.self, BlackmanWindow.self, MelWeightMatrix.self,
    DFT.self, STFT.self,
  ]
}
