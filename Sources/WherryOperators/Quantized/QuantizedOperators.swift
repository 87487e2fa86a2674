import WherryGraph

extension OperatorSet {
  /// Integer execution: ONNX Runtime's operators and what they can't say.
  static let quantizedOperators: [any Operator.Type] = [
    QLinearAdd.self, QLinearSub.self, QLinearMul.self, QLinearSigmoid.self, QLinearLeakyRelu.self,
    QLinearAveragePool.self, QLinearGlobalAveragePool.self, QLinearReduceMean.self,
    NhwcMaxPool.self, QLinearConcat.self, QLinearWhere.self, QLinearSoftmax.self, QGemm.self,
    MatMulIntegerToFloat.self, DynamicQuantizeMatMul.self, DynamicQuantizeLSTM.self,
    ContribQuantizeLinear.self, ContribDequantizeLinear.self, ContribQLinearConv.self,
    ConvIntegerToFloat.self, Lookup.self, QLinearResize.self, QLinearLSTM.self, QLinearGRU.self,
  ]
}
