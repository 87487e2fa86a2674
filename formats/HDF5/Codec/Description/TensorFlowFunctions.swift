import WherryBytes
import WherryText

/// Functions of TensorFlow between the layers of Keras 2, in the terms of `keras.ops`.
///
/// Keras 2 keeps arithmetic on tensors as layers of class `TFOpLambda` and `SlicingOpLambda`, whose
/// setting `function` names the function and whose call holds the arguments by name.
///
/// - Source: tf_keras, `layers/core/tf_op_layer.py`; TensorFlow 2 API documentation.
struct TensorFlowFunction {
  /// The function of `keras.ops`.
  let operation: String
  /// Names of the arguments that are operands, in order; the first one also stands by position.
  let operands: [String]
  /// Names of other arguments, as `keras.ops` has them.
  let renamed: [String: String]
  /// What holds where the call says nothing else.
  let defaults: [JSONMember]

  private init(
    _ operation: String, _ operands: [String], _ renamed: [String: String] = [:],
    _ defaults: [JSONMember] = []
  ) {
    (self.operation, self.operands, self.renamed) = (operation, operands, renamed)
    self.defaults = defaults
  }

  static func isLayer(_ className: String) -> Bool {
    className == "TFOpLambda" || className == "SlicingOpLambda"
  }

  /// The function of a name such as `math.reduce_mean` or `compat.v1.transpose`.
  static func named(_ name: String) -> TensorFlowFunction? {
    var short = name[...]
    for prefix in ["compat.v1.", "compat.v2.", "math.", "nn.", "linalg.", "__operators__."]
    where short.hasPrefix(prefix) { short = short.dropFirst(prefix.count) }
    return all[String(short)]
  }

  private static let all: [String: TensorFlowFunction] = {
    var all = special
    for (name, operation) in unary { all[name] = TensorFlowFunction(operation, ["x"]) }
    for (name, operation) in binary { all[name] = TensorFlowFunction(operation, ["x", "y"]) }
    for (name, operation) in reductions {
      all["reduce_\(name)"] = TensorFlowFunction(
        operation, ["input_tensor"], ["keep_dims": "keepdims"])
    }
    return all
  }()

  private static let unary = [
    "abs": "Absolute", "negative": "Negative", "exp": "Exp", "log": "Log", "log1p": "Log1p",
    "sqrt": "Sqrt", "rsqrt": "Rsqrt", "square": "Square", "sin": "Sin", "cos": "Cos",
    "tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "relu6": "Relu6", "elu": "Elu",
    "selu": "Selu", "softplus": "Softplus", "softsign": "Softsign", "floor": "Floor",
    "ceil": "Ceil", "round": "Round", "sign": "Sign", "reciprocal": "Reciprocal", "erf": "Erf",
    "identity": "StopGradient", "stop_gradient": "StopGradient", "logical_not": "LogicalNot",
    "silu": "Silu", "swish": "Silu", "log_sigmoid": "LogSigmoid", "atan": "Arctan",
    "is_nan": "Isnan",
  ]

  private static let binary = [
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "truediv": "TrueDivide",
    "divide": "TrueDivide", "floordiv": "FloorDivide", "floormod": "Mod", "mod": "Mod",
    "maximum": "Maximum", "minimum": "Minimum", "pow": "Power", "equal": "Equal",
    "not_equal": "NotEqual", "greater": "Greater", "greater_equal": "GreaterEqual",
    "less": "Less", "less_equal": "LessEqual", "logical_and": "LogicalAnd",
    "logical_or": "LogicalOr", "squared_difference": "SquaredDifference",
  ]

  private static let reductions = [
    "mean": "Mean", "sum": "Sum", "max": "Max", "min": "Min", "prod": "Prod", "any": "Any",
    "all": "All", "std": "Std", "variance": "Var", "logsumexp": "Logsumexp",
    "euclidean_norm": "Norm",
  ]

  private static let special: [String: TensorFlowFunction] = [
    "cast": TensorFlowFunction("Cast", ["x"]),
    "clip_by_value": TensorFlowFunction(
      "Clip", ["t"], ["clip_value_min": "x_min", "clip_value_max": "x_max"]),
    "softmax": TensorFlowFunction("Softmax", ["logits"]),
    "log_softmax": TensorFlowFunction("LogSoftmax", ["logits"]),
    "leaky_relu": TensorFlowFunction("LeakyRelu", ["features"], ["alpha": "negative_slope"]),
    "gelu": TensorFlowFunction("Gelu", ["features"], [:], [JSONMember("approximate", false)]),
    "reshape": TensorFlowFunction("Reshape", ["tensor"], ["shape": "newshape"]),
    "transpose": TensorFlowFunction("Transpose", ["a"], ["perm": "axes"]),
    "expand_dims": TensorFlowFunction("ExpandDims", ["input"]),
    "squeeze": TensorFlowFunction("Squeeze", ["input"], ["squeeze_dims": "axis"]),
    "concat": TensorFlowFunction("Concatenate", ["values"]),
    "stack": TensorFlowFunction("Stack", ["values"]),
    "add_n": TensorFlowFunction("AddN", ["inputs"]),
    "unstack": TensorFlowFunction("Unstack", ["value"]),
    "split": TensorFlowFunction(
      "SplitSizes", ["value"], ["num_or_size_splits": "sizes"], [JSONMember("axis", 0)]),
    "tile": TensorFlowFunction("Tile", ["input"], ["multiples": "repeats"]),
    "repeat": TensorFlowFunction("Repeat", ["input"]),
    "reverse": TensorFlowFunction("Flip", ["tensor"]),
    "pad": TensorFlowFunction("Pad", ["tensor"], ["paddings": "pad_width"]),
    "matmul": TensorFlowFunction("Matmul", ["a", "b"]),
    "gather": TensorFlowFunction("Take", ["params", "indices"], [:], [JSONMember("axis", 0)]),
    "where": TensorFlowFunction("Where", ["condition", "x", "y"]),
    "argmax": TensorFlowFunction("Argmax", ["input"], ["dimension": "axis"]),
    "argmin": TensorFlowFunction("Argmin", ["input"], ["dimension": "axis"]),
    "cumsum": TensorFlowFunction("Cumsum", ["x"]),
    "one_hot": TensorFlowFunction("OneHot", ["indices"], ["depth": "num_classes"]),
    "l2_normalize": TensorFlowFunction("UnitLength", ["x"], ["dim": "axis"]),
    "getitem": TensorFlowFunction("GetItem", ["tensor", "slice_spec"]),
    "depth_to_space": TensorFlowFunction("DepthToSpace", ["input"]),
    "space_to_depth": TensorFlowFunction("SpaceToDepth", ["input"]),
  ]

  /// A call as `keras.ops` would have it: the operands by position.
  func call(_ call: LayerCall) -> LayerCall {
    var result = call
    for operand in operands.dropFirst(call.arguments.count) {
      guard let value = call.keywords.last(where: { $0.name == operand })?.value else { break }
      result.arguments.append(value)
    }
    result.keywords = call.keywords.filter { !operands.contains($0.name) }
    return result
  }

  /// The settings that the call states, in front of those of the layer.
  func settings(_ config: JSONValue, _ call: LayerCall?) -> JSONValue {
    var members: [JSONMember] = []
    for (name, value) in call?.keywords ?? [] where !operands.contains(name) && name != "name" {
      guard case .constant(let constant) = value, !constant.isNull else { continue }
      members.append(JSONMember(renamed[name] ?? name, constant))
    }
    for member in defaults + (config.members ?? [])
    where !members.contains(where: { $0.key == member.key }) { members.append(member) }
    return .object(members)
  }
}
