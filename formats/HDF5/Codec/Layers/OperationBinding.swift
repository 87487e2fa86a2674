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

  static let all: [OperationBinding] = arithmetic + comparisons + functions + reductions + shapes

  private static let byName: [String: OperationBinding] = Dictionary(
    all.flatMap { binding in binding.names.map { ($0, binding) } }, uniquingKeysWith: { a, _ in a })

  static func named(_ className: String) -> OperationBinding? { byName[className] }

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
    binary(Div(), "Divide", "TrueDivide"), binary(Max(), "Maximum"), binary(Min(), "Minimum"),
    binary(Pow(), "Power"), binary(And(), "LogicalAnd"), binary(Or(), "LogicalOr"),
    OperationBinding("Matmul") { (site) throws(DecodeError) in
      let (a, b) = (try site.operand(0), try site.operand(1))
      return [KerasTensor(try site.emit(MatMul(), [try site.plain(a), try site.plain(b)]))]
    },
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
      unary(Erf(), "Erf"), unary(Identity(), "StopGradient"), unary(Tan(), "Tan"),
      unary(Asin(), "Arcsin"), unary(Acos(), "Arccos"), unary(Atan(), "Arctan"),
      unary(Sinh(), "Sinh"), unary(Cosh(), "Cosh"), unary(Asinh(), "Arcsinh"),
      unary(Acosh(), "Arccosh"), unary(Atanh(), "Arctanh"), unary(IsNaN(), "Isnan"),
      OperationBinding("Where") { (site) throws(DecodeError) in
        var wires: [Wire] = []
        for index in 0..<3 { wires.append(try site.plain(try site.operand(index))) }
        return [KerasTensor(try site.emit(Where(), wires))]
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
    + [
      "Silu": "silu", "Gelu": "gelu", "Elu": "elu", "Selu": "selu", "Relu6": "relu6",
      "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu", "LeakyRelu": "leaky_relu",
      "Softsign": "softsign", "LogSoftmax": "log_softmax",
    ].map { className, function in
      OperationBinding(names: [className]) { (site) throws(DecodeError) in
        [try site.activated(try site.operand(0), named: function, "class_name")]
      }
    }

  private static let reductions: [OperationBinding] = [
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
      guard let shape = try site.settings.shape("newshape") else {
        throw DecodeError(.missing("newshape"), site.place)
      }
      return [
        KerasTensor(try site.emit(Reshape(), [wire, try site.vector(shape.map { $0 ?? -1 })]))
      ]
    },
    OperationBinding("Concatenate") { (site) throws(DecodeError) in
      [try site.concatenated(axis: try site.settings.integer("axis", 0))]
    },
  ]
}

extension LayerSite {
  /// The operand at a position, or under the name that NumPy gives it.
  fileprivate func argument(at index: Int) -> LayerArgument? {
    if index < call.arguments.count { return call.arguments[index] }
    return keyword("x\(index + 1)") ?? (index == 0 ? keyword("x") : nil)
  }

  fileprivate func operand(_ index: Int) throws(DecodeError) -> KerasTensor {
    guard case .tensor(let position)? = argument(at: index), position < arguments.count else {
      throw unsupported("an operand that is no tensor")
    }
    return arguments[position]
  }

  /// Broadcasts two operands, of which one may be a number or an array.
  fileprivate func paired(_ operation: some Operator) throws(DecodeError) -> KerasTensor {
    switch (argument(at: 0), argument(at: 1)) {
    case (.tensor?, .tensor?):
      let (a, b) = (try operand(0), try operand(1))
      if a.rank == b.rank {
        let (wires, order, isFlat) = try aligned([a, b])
        return KerasTensor(try emit(operation, wires), order: order, isFlat: isFlat)
      }
      return KerasTensor(try emit(operation, [try plain(a), try plain(b)]))
    case (.tensor?, .constant(let value)?):
      let (x, constant) = try constantOperand(try operand(0), value, "second")
      return x.with(try emit(operation, [x.wire, constant]))
    case (.constant(let value)?, .tensor?):
      let (x, constant) = try constantOperand(try operand(1), value, "first")
      return x.with(try emit(operation, [constant, x.wire]))
    default: throw unsupported("operands of this kind")
    }
  }

  private func constantOperand(
    _ x: KerasTensor, _ value: JSONValue, _ role: String
  ) throws(DecodeError) -> (KerasTensor, Wire) {
    let holder = LayerSettings(json: .object([JSONMember(role, value)]), place: place)
    guard let (shape, numbers) = try holder.array(role) else { throw unsupported("no operand") }
    let x = x.isFlat && !shape.isEmpty ? KerasTensor(try plain(x)) : x
    guard shape.count <= x.rank else { throw unsupported("an operand of more axes") }
    let tensor = Tensor(x.element, shape, doubles: numbers).flatMap { broadcast($0, to: x) }
    return (x, try constant(made: role, tensor))
  }

  fileprivate func reduced<O: Operator>(
    _ operation: O, _ keeps: WritableKeyPath<O, Bool>
  ) throws(DecodeError) -> KerasTensor {
    try reduced(try operand(0), operation, keeps)
  }

  fileprivate func reduced<O: Operator>(
    _ x: KerasTensor, _ operation: O, _ keeps: WritableKeyPath<O, Bool>
  ) throws(DecodeError) -> KerasTensor {
    var operation = operation
    operation[keyPath: keeps] = try settings.flag("keepdims")
    let wire = try plain(x)
    let axes = (try settings.integers("axis") ?? Array(0..<wire.rank)).map {
      $0 < 0 ? $0 + wire.rank : $0
    }
    return KerasTensor(try emit(operation, [wire, try vector(axes)]))
  }

  /// Computes on numbers where the operand is true or false.
  fileprivate func asFlags(
    _ body: (KerasTensor) throws(DecodeError) -> KerasTensor
  ) throws(DecodeError) -> KerasTensor {
    var (number, flag) = (Cast(), Cast())
    (number.target, flag.target) = (.float32, .bool)
    return try map(flag, try body(try map(number, try operand(0))))
  }
}
