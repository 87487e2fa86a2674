import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// What a function of `keras.ops`, applied between layers, is in the graph.
///
/// Keras 3 writes such functions where a model was built with arithmetic on tensors, and where a layer
/// works out which steps of a sequence count.
struct OperationBinding: Sendable {
  let names: [String]
  let build: LayerBinding.Build

  init(_ names: String..., build: @escaping LayerBinding.Build) {
    (self.names, self.build) = (names, build)
  }

  static let all: [OperationBinding] =
    arithmetic + comparisons + functions + activations + reductions + statistics + shapes + arrays
    + indexing

  private static let byName: [String: OperationBinding] = Dictionary(
    all.flatMap { binding in binding.names.map { ($0, binding) } }, uniquingKeysWith: { a, _ in a })

  static func named(_ className: String) -> OperationBinding? { byName[className] }

  /// The module that defines the class, which archives name.
  ///
  /// - Source: Keras 3, `ops`.
  static func module(of className: String) -> String {
    "keras.src.ops.\(modules[className] ?? "numpy")"
  }

  private static let modules: [String: String] = {
    let classes = [
      "nn": [
        "Celu", "DepthToSpace", "Elu", "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu",
        "LogSigmoid", "LogSoftmax", "Normalize", "OneHot", "Relu", "Relu6", "Selu", "Sigmoid",
        "Silu", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "TanhShrink",
      ],
      "core": ["Cast", "StopGradient", "Unstack"], "math": ["Erf", "Logsumexp", "Rsqrt"],
      "linalg": ["Norm"],
    ]
    return Dictionary(
      classes.flatMap { module, names in names.map { ($0, module) } },
      uniquingKeysWith: { a, _ in a })
  }()

  /// Whether an entry of an `.h5` file is a function: a layer always says whether it trains.
  static func isFunction(_ className: String, _ config: JSONValue) -> Bool {
    config["trainable"] == nil && className != "InputLayer" && named(className) != nil
  }

  private static func binary(_ operation: some Operator, _ names: String...) -> OperationBinding {
    var binding = OperationBinding { (site) throws(DecodeError) in [try site.paired(operation)] }
    binding = OperationBinding(names: names, build: binding.build)
    return binding
  }

  private static func unary(_ operation: some Operator, _ names: String...) -> OperationBinding {
    OperationBinding(names: names) { (site) throws(DecodeError) in
      [try site.map(operation, try site.operand(0))]
    }
  }

  private init(names: [String], build: @escaping LayerBinding.Build) {
    (self.names, self.build) = (names, build)
  }

  private static let arithmetic: [OperationBinding] = [
    binary(Add(), "Add"), binary(Sub(), "Subtract"), binary(Mul(), "Multiply"),
    OperationBinding("Divide", "TrueDivide") { (site) throws(DecodeError) in
      [try site.paired(Div(), inFloats: true)]
    },
    binary(Max(), "Maximum"), binary(Min(), "Minimum"), binary(Pow(), "Power"),
    binary(And(), "LogicalAnd"), binary(Or(), "LogicalOr"),
    OperationBinding("FloorDivide") { (site) throws(DecodeError) in
      [try site.map(Floor(), try site.paired(Div(), inFloats: true))]
    },
    OperationBinding("SquaredDifference") { (site) throws(DecodeError) in
      let difference = try site.paired(Sub())
      return [try site.gated(difference, difference)]
    },
    OperationBinding("AddN") { (site) throws(DecodeError) in
      [try site.folded(nil as Add?, Sum())]
    },
    OperationBinding("Matmul", "Dot") { (site) throws(DecodeError) in [try site.product()] },
  ]

  private static let comparisons: [OperationBinding] = [
    binary(Equal(), "Equal"), binary(Greater(), "Greater"),
    binary(GreaterOrEqual(), "GreaterEqual"), binary(Less(), "Less"),
    binary(LessOrEqual(), "LessEqual"),
    OperationBinding("NotEqual") { (site) throws(DecodeError) in
      [try site.map(Not(), try site.paired(Equal()))]
    },
    unary(Not(), "LogicalNot"),
  ]

  private static let functions: [OperationBinding] =
    [
      unary(Abs(), "Absolute", "Abs"), unary(Neg(), "Negative"), unary(Exp(), "Exp"),
      unary(Log(), "Log"), unary(Sqrt(), "Sqrt"), unary(Sin(), "Sin"), unary(Cos(), "Cos"),
      unary(Tanh(), "Tanh"), unary(Sigmoid(), "Sigmoid"), unary(Relu(), "Relu"),
      unary(Reciprocal(), "Reciprocal"), unary(Floor(), "Floor"), unary(Ceil(), "Ceil"),
      unary(Round(), "Round"), unary(Sign(), "Sign"), unary(Softplus(), "Softplus"),
      unary(Erf(), "Erf"), unary(Identity(), "StopGradient"), unary(Softsign(), "Softsign"),
      unary(Tan(), "Tan"), unary(Asin(), "Arcsin"), unary(Acos(), "Arccos"),
      unary(Atan(), "Arctan"), unary(Sinh(), "Sinh"), unary(Cosh(), "Cosh"),
      unary(Asinh(), "Arcsinh"), unary(Acosh(), "Arccosh"), unary(Atanh(), "Arctanh"),
      unary(IsNaN(), "Isnan"), unary(IsInf(), "Isinf"),
      OperationBinding("Log1p") { (site) throws(DecodeError) in
        [try site.map(Log(), try site.map(Add(), try site.operand(0), 1, "one"))]
      },
      OperationBinding("Square") { (site) throws(DecodeError) in
        let x = try site.operand(0)
        return [try site.gated(x, x)]
      },
      OperationBinding("Rsqrt") { (site) throws(DecodeError) in
        [try site.map(Reciprocal(), try site.map(Sqrt(), try site.operand(0)))]
      },
      OperationBinding("Clip") { (site) throws(DecodeError) in
        let settings = site.settings
        return [
          try site.clipped(
            try site.operand(0), try settings.number("x_min"), try settings.number("x_max"))
        ]
      },
      OperationBinding("Softmax") { (site) throws(DecodeError) in
        [try site.softmax(try site.operand(0), axis: try site.settings.integer("axis", -1))]
      },
      OperationBinding("Cast") { (site) throws(DecodeError) in
        var cast = Cast()
        guard let element = try site.settings.element() else {
          throw DecodeError(.missing("dtype"), site.place)
        }
        cast.target = element
        return [try site.map(cast, try site.operand(0))]
      },
    ]

  /// An activation with one number in its configuration.
  private static func scaled<O: Operator>(
    _ operation: O, _ field: any WritableKeyPath<O, Float> & Sendable, _ className: String,
    _ key: String, _ usual: Double
  ) -> OperationBinding {
    OperationBinding(className) { (site) throws(DecodeError) in
      var operation = operation
      operation[keyPath: field] = Float(try site.settings.number(key, usual))
      return [try site.map(operation, try site.operand(0))]
    }
  }

  /// Activation functions; those with parameters hold them in the configuration.
  private static let activations: [OperationBinding] =
    [
      OperationBinding("Gelu") { (site) throws(DecodeError) in
        var operation = Gelu()
        operation.approximation = try site.settings.flag("approximate", true) ? .tanh : .none
        return [try site.map(operation, try site.operand(0))]
      },
      scaled(Elu(), \.alpha, "Elu", "alpha", 1), scaled(Celu(), \.alpha, "Celu", "alpha", 1),
      scaled(LeakyRelu(), \.alpha, "LeakyRelu", "negative_slope", 0.2),
      OperationBinding("LogSoftmax") { (site) throws(DecodeError) in
        [try site.logSoftmax(try site.operand(0), axis: try site.settings.integer("axis", -1))]
      },
    ]
    + [
      "Silu": "silu", "Selu": "selu", "Relu6": "relu6", "HardSigmoid": "hard_sigmoid",
      "HardSilu": "hard_silu", "LogSigmoid": "log_sigmoid", "HardTanh": "hard_tanh",
      "TanhShrink": "tanh_shrink",
    ].map { className, function in
      OperationBinding(names: [className]) { (site) throws(DecodeError) in
        [try site.activated(try site.operand(0), named: function, "class_name")]
      }
    }

  private static let reductions: [OperationBinding] = [
    OperationBinding("Prod") { (site) throws(DecodeError) in
      [try site.reduced(ReduceProd(), \.keepsAxes)]
    },
    OperationBinding("Logsumexp") { (site) throws(DecodeError) in
      [try site.reduced(ReduceLogSumExp(), \.keepsAxes)]
    },
    OperationBinding("Mean") { (site) throws(DecodeError) in
      [try site.reduced(ReduceMean(), \.keepsAxes)]
    },
    OperationBinding("Sum") { (site) throws(DecodeError) in
      [try site.reduced(ReduceSum(), \.keepsAxes)]
    },
    OperationBinding("Max") { (site) throws(DecodeError) in
      [try site.reduced(ReduceMax(), \.keepsAxes)]
    },
    OperationBinding("Min") { (site) throws(DecodeError) in
      [try site.reduced(ReduceMin(), \.keepsAxes)]
    },
    OperationBinding("Any") { (site) throws(DecodeError) in
      [
        try site.asFlags { (x) throws(DecodeError) in
          try site.reduced(x, ReduceMax(), \.keepsAxes)
        }
      ]
    },
    OperationBinding("All") { (site) throws(DecodeError) in
      [
        try site.asFlags { (x) throws(DecodeError) in
          try site.reduced(x, ReduceMin(), \.keepsAxes)
        }
      ]
    },
  ]

  private static let shapes: [OperationBinding] = [
    OperationBinding("ExpandDims") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      let axis = try site.settings.integer("axis")
      return [
        KerasTensor(
          try site.emit(
            Unsqueeze(), [wire, try site.vector([axis < 0 ? axis + wire.rank + 1 : axis])]))
      ]
    },
    OperationBinding("Squeeze") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      let axes = try site.settings.integers("axis")?.map { $0 < 0 ? $0 + wire.rank : $0 }
      return [
        KerasTensor(
          try site.emit(
            Squeeze(), axes == nil ? [wire] : [wire, try site.vector(axes ?? [])]))
      ]
    },
    OperationBinding("Transpose") { (site) throws(DecodeError) in
      let x = try site.operand(0)
      let axes = try site.settings.integers("axes") ?? Array((0..<x.rank).reversed())
      guard axes.sorted() == Array(0..<x.rank) else { throw site.settings.fault("axes", "\(axes)") }
      return [KerasTensor(try site.permuted(try site.plain(x), axes))]
    },
    OperationBinding("Reshape") { (site) throws(DecodeError) in
      let wire = try site.plain(try site.operand(0))
      guard let extents = try site.settings.integers("newshape"),
        extents.allSatisfy({ $0 >= -1 }), extents.filter({ $0 == -1 }).count <= 1
      else { throw site.settings.fault("newshape", "extents are expected") }
      // 0 would mean to Reshape that the extent stays.
      guard !extents.contains(0) else { throw site.unsupported("an extent of 0") }
      return [KerasTensor(try site.emit(Reshape(), [wire, try site.vector(extents)]))]
    },
    OperationBinding("Concatenate") { (site) throws(DecodeError) in
      [try site.concatenated(axis: try site.settings.integer("axis", 0))]
    },
  ]
}
