import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Keras's activation functions, by name.
///
/// - Source: Keras 3, `activations/activations.py`; tf_keras 2, `activations.py`.
extension LayerSite {
  /// The layer's `activation` applied to what it has computed.
  func activated(_ tensor: KerasTensor, key: String = "activation") throws(DecodeError)
    -> KerasTensor
  {
    guard let spec = settings[key] else { return tensor }
    return try activated(tensor, by: spec, key)
  }

  /// - Parameter spec: a name, a serialized function, or a layer that stands for one.
  func activated(
    _ tensor: KerasTensor, by spec: JSONValue, _ key: String
  ) throws(DecodeError) -> KerasTensor {
    if let name = spec.string { return try activated(tensor, named: name, key) }
    if let name = spec["config"]?.string { return try activated(tensor, named: name, key) }
    guard let className = spec["class_name"]?.string else {
      throw settings.fault(key, "an activation is expected")
    }
    if className == "function", let name = spec["config"]?.string {
      return try activated(tensor, named: name, key)
    }
    guard let binding = LayerBinding.activationLayers.first(where: { $0.names.contains(className) })
    else { throw settings.unsupported(key, "activation \(className)") }
    var inner = layer
    inner.settings = LayerSettings(
      json: spec["config"] ?? .null, place: place.inside("setting", key))
    inner.path = "\(path)/\(key)"
    let site = LayerSite(
      layer: inner, assembler: assembler, generation: generation, builder: builder,
      weights: weights, inputs: [tensor], call: LayerCall(), arguments: [tensor])
    return try binding.build(site)[0]
  }

  func activated(
    _ x: KerasTensor, named name: String, _ key: String
  ) throws(DecodeError) -> KerasTensor {
    switch name {
    case "linear": return x
    case "relu": return try map(Relu(), x)
    case "relu6": return try clipped(x, 0, 6)
    case "sigmoid": return try map(Sigmoid(), x)
    case "tanh": return try map(Tanh(), x)
    case "softplus": return try map(Softplus(), x)
    case "softsign": return try map(Softsign(), x)
    case "exponential": return try map(Exp(), x)
    case "mish": return try map(Mish(), x)
    case "selu": return try map(Selu(), x)
    case "elu": return try map(Elu(), x)
    case "celu": return try map(Celu(), x)
    case "gelu": return try map(Gelu(), x)
    case "silu", "swish": return try gated(x, try map(Sigmoid(), x))
    case "hard_silu", "hard_swish": return try map(HardSwish(), x)
    case "hard_sigmoid": return try hardSigmoid(x)
    case "leaky_relu":
      var operation = LeakyRelu()
      operation.alpha = 0.2
      return try map(operation, x)
    case "softmax": return try softmax(x, axis: -1)
    case "log_softmax": return try logSoftmax(x, axis: -1)
    default: return try rarer(x, name, key)
    }
  }

  private func rarer(
    _ x: KerasTensor, _ name: String, _ key: String
  ) throws(DecodeError) -> KerasTensor {
    switch name {
    case "hard_tanh": return try clipped(x, -1, 1)
    case "tanh_shrink":
      return x.with(try emit(Sub(), [x.wire, try map(Tanh(), x).wire]))
    case "soft_shrink", "hard_shrink":
      var operation = Shrink()
      (operation.threshold, operation.bias) = (0.5, name == "soft_shrink" ? 0.5 : 0)
      return try map(operation, x)
    case "log_sigmoid": return try map(Neg(), try map(Softplus(), try map(Neg(), x)))
    case "sparse_sigmoid":
      var operation = HardSigmoid()
      (operation.alpha, operation.beta) = (0.5, 0.5)
      return try map(operation, x)
    case "sparse_plus": return try sparsePlus(x)
    case "squareplus":
      let square = try map(Add(), x.with(try emit(Mul(), [x.wire, x.wire])), 4, "b")
      let sum = try emit(Add(), [x.wire, try map(Sqrt(), square).wire])
      return try map(Mul(), x.with(sum), 0.5, "half")
    case "glu": return try gatedHalves(x)
    case "sparsemax": return try sparsemax(x)
    default: throw settings.unsupported(key, "activation \(name)")
    }
  }

  /// `x · y`, where `y` stands as `x` does.
  func gated(_ x: KerasTensor, _ y: KerasTensor) throws(DecodeError) -> KerasTensor {
    x.with(try emit(Mul(), [x.wire, y.wire]))
  }

  func clipped(_ x: KerasTensor, _ lowest: Double?, _ highest: Double?) throws(DecodeError)
    -> KerasTensor
  {
    let low = try lowest.map { (value) throws(DecodeError) in
      try scalar(value, x.element, "lowest")
    }
    let high = try highest.map { (value) throws(DecodeError) in
      try scalar(value, x.element, "highest")
    }
    return x.with(try emit(Clip(), high == nil ? [x.wire, low] : [x.wire, low, high]))
  }

  /// `0.2 x + 0.5` between 0 and 1 up to Keras 2, `x / 6 + 0.5` from Keras 3 on.
  private func hardSigmoid(_ x: KerasTensor) throws(DecodeError) -> KerasTensor {
    var operation = HardSigmoid()
    operation.alpha = generation == .three ? 1 / 6 : 0.2
    operation.beta = 0.5
    return try map(operation, x)
  }

  func softmax(_ x: KerasTensor, axis: Int) throws(DecodeError) -> KerasTensor {
    let (x, position) = try along(x, axis)
    var operation = Softmax()
    operation.axis = position
    return try map(operation, x)
  }

  func logSoftmax(_ x: KerasTensor, axis: Int) throws(DecodeError) -> KerasTensor {
    let (x, position) = try along(x, axis)
    var operation = LogSoftmax()
    operation.axis = position
    return try map(operation, x)
  }

  /// The value in a form in which one of Keras's axes is an axis of the wire, and where that is.
  func along(_ x: KerasTensor, _ axis: Int) throws(DecodeError) -> (KerasTensor, Int) {
    let axis = axis < 0 ? axis + x.rank : axis
    guard axis >= 0, axis < x.rank else { throw invalid("axis \(axis) of \(x.rank)") }
    guard x.isFlat else { return (x, x.position(axis)) }
    return (KerasTensor(try plain(x), mask: x.mask), axis)
  }

  /// 0 below -1, `(x + 1)² / 4` up to 1, then `x`.
  private func sparsePlus(_ x: KerasTensor) throws(DecodeError) -> KerasTensor {
    let inner = try clipped(try map(Add(), x, 1, "one"), 0, 2)
    let curve = try map(Mul(), try gated(inner, inner), 0.25, "quarter")
    let tail = try map(Relu(), try map(Sub(), x, 1, "one"))
    return x.with(try emit(Add(), [curve.wire, tail.wire]))
  }

  /// The first half of the last axis times the sigmoid of the second.
  private func gatedHalves(_ x: KerasTensor) throws(DecodeError) -> KerasTensor {
    let (x, position) = try along(x, -1)
    var split = Split()
    (split.axis, split.numOutputs) = (position, 2)
    let halves = try emit(split, [x.wire], outputs: 2)
    return try gated(x.with(halves[0]), try map(Sigmoid(), x.with(halves[1])))
  }

  /// `max(z - τ, 0)` with `τ = (Σ c - 1) / k`, where `k` of the sorted numbers count and `c` are their
  /// running sums: Keras adds the sums up where the paper takes the last.
  ///
  /// - Source: Keras 3, `backend/tensorflow/nn.py`, `sparsemax`.
  private func sparsemax(_ x: KerasTensor) throws(DecodeError) -> KerasTensor {
    let (x, position) = try along(x, -1)
    guard let count = x.wire.shape[position].extent, count > 0 else {
      throw unsupported("sparsemax over an axis of unknown extent")
    }
    var top = TopK()
    top.axis = position
    let sorted = try emit(top, [x.wire, try vector([count])], outputs: 2)[0]
    let axis = try constant(made: "axis", Tensor(.int64, [], integers: [Int64(position)]))
    let sums = try emit(CumSum(), [sorted, axis])
    var shape = [Int](repeating: 1, count: x.wire.rank)
    shape[position] = count
    let ranks = try constant(
      made: "ranks", Tensor(x.element, shape, doubles: (1...count).map { Double($0) }))
    let one = try scalar(1, x.element, "one")
    let reach = try emit(Add(), [try emit(Mul(), [sorted, ranks]), one])
    var cast = Cast()
    cast.target = x.element
    let support = try emit(cast, [try emit(Greater(), [reach, sums])], "Support")
    let axes = try vector([position])
    let size = try emit(ReduceSum(), [support, axes], "Size")
    let total = try emit(ReduceSum(), [try emit(Mul(), [sums, support]), axes], "Total")
    let threshold = try emit(Div(), [try emit(Sub(), [total, one]), size])
    return try map(Relu(), x.with(try emit(Sub(), [x.wire, threshold])))
  }
}
