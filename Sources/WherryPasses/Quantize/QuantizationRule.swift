import WherryGraph
import WherryOperators

/// How one operator takes part in quantization.
///
/// Only inputs listed here are quantized; others (shapes, axes, bounds) stay as they are.
struct QuantizationRule: Sendable {
  enum Kind: Sendable, Hashable {
    /// Constant weights at input 1, a constant bias at input 2 or none.
    case weighted
    /// A matrix product of two activations.
    case product
    /// Inputs of scales of their own give an output of another.
    case computing
    /// Data moves or is selected: the output shares the input's scale.
    case moving
    /// As `moving`, but inputs may have scales of their own.
    case joining
    /// The output's range follows from the function.
    case fixed(QuantizationParameters)
    /// LSTM and GRU: weights at inputs 1 and 2.
    case recurrent
  }

  let kind: Kind
  /// Positions of quantized activations among the inputs; nil for all.
  let activations: [Int]?
  /// Whether a Relu or Clip after it becomes part of it.
  let takesClamp: Bool
  /// Whether it has enough of its own to do to be listed in reports.
  let isReported: Bool

  var isMoving: Bool { kind == .moving }
  /// Whether it is quantized wherever it stands.
  var isAnchor: Bool { kind == .weighted || kind == .product || kind == .recurrent }

  private init(_ kind: Kind, _ activations: [Int]?, clamp: Bool = false, reported: Bool = true) {
    (self.kind, self.activations) = (kind, activations)
    (takesClamp, isReported) = (clamp, reported)
  }

  static let product = QuantizationRule(.product, [0, 1], clamp: true)
  /// Nearest neighbours of one activation.
  static let selection = QuantizationRule(.moving, [0], reported: false)

  /// The rule of a function of one value by the operator that it ends in; nil for functions whose results
  /// span too many orders of magnitude for 256 steps.
  static func function(endingIn operation: any Operator) -> QuantizationRule? {
    switch operation {
    case is Div, is Min, is Max: return QuantizationRule(.computing, nil)
    default:
      guard let rule = of(operation), !rule.isMoving else { return nil }
      return rule
    }
  }

  /// The rule of an operator; nil when it always stays float.
  static func of(_ operation: any Operator) -> QuantizationRule? { table[operation.name] }

  private static let table: [OperatorName: QuantizationRule] = {
    var table: [OperatorName: QuantizationRule] = [:]
    func add(_ types: [any Operator.Type], _ rule: QuantizationRule) {
      for type in types { table[type.signature.name] = rule }
    }
    add(
      [Conv.self, ConvTranspose.self, Gemm.self, MatMul.self],
      QuantizationRule(.weighted, [0], clamp: true))
    add([Add.self, Sub.self, Mul.self], QuantizationRule(.computing, [0, 1], clamp: true))
    add(
      [AveragePool.self, GlobalAveragePool.self, ReduceMean.self],
      QuantizationRule(.computing, [0], clamp: true))
    add(
      [
        MaxPool.self, GlobalMaxPool.self, Reshape.self, Flatten.self, Transpose.self, Squeeze.self,
        Unsqueeze.self, Pad.self, SliceOperator.self, Split.self, Gather.self, Identity.self,
        DepthToSpace.self, SpaceToDepth.self, Expand.self, Tile.self, ReduceMax.self,
        ReduceMin.self,
      ], QuantizationRule(.moving, [0], reported: false))
    add([Concat.self], QuantizationRule(.joining, nil))
    add([Resize.self], QuantizationRule(.computing, [0]))
    add(
      [
        Relu.self, Clip.self, LeakyRelu.self, PRelu.self, HardSwish.self, HardSigmoid.self,
        Gelu.self, Erf.self, Elu.self, Selu.self, Celu.self, Softplus.self, Softsign.self,
        Mish.self, Swish.self, ThresholdedRelu.self, Abs.self, Neg.self,
      ], QuantizationRule(.computing, [0]))
    add([Sigmoid.self, Softmax.self], QuantizationRule(.fixed(.probability), [0]))
    add([Tanh.self], QuantizationRule(.fixed(.symmetricUnit), [0]))
    add([LSTM.self, GRU.self], QuantizationRule(.recurrent, [0]))
    return table
  }()
}
