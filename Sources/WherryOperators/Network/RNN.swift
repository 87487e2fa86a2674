import WherryGraph

/// Elman recurrent layer: `h = f(W x + Wb + R h + Rb)`.
///
/// `X: [seq, batch, input]`, `W: [dirs, hidden, input]`, `R: [dirs, hidden, hidden]`,
/// `B: [dirs, 2 * hidden]`; `Y: [seq, dirs, batch, hidden]`, `Y_h: [dirs, batch, hidden]`. With layout 1 the
/// batch comes first. Steps past a sequence's length give zeros and leave the state alone.
/// - Source: ONNX operator specification, RNN-22.
public struct RNN: Operator {
  public var activationAlpha: [Float]?
  public var activationBeta: [Float]?
  /// One for each direction.
  public var activations = ["Tanh", "Tanh"]
  /// Bound of what goes into an activation.
  public var clip: Float?
  public var direction = RecurrentDirection.forward
  public var hiddenSize: Int?
  public var layout = 0

  public init() {}

  public static let signature = Signature(
    "RNN",
    [
      .init("X", .floats), .init("W", .floats), .init("R", .floats), .init("B", .floats, .optional),
      .init("sequence_lens", ElementSet(.int32), .optional), .init("initial_h", .floats, .optional),
    ],
    [.init("Y", .floats, .optional), .init("Y_h", .floats, .optional)])

  public static let fields: [Field<RNN>] = [
    Field("activation_alpha", \.activationAlpha), Field("activation_beta", \.activationBeta),
    Field("activations", \.activations), Field("clip", \.clip), Field("direction", \.direction),
    Field("hidden_size", \.hiddenSize), Field("layout", \.layout),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try Recurrence.infer(
      &site, direction: direction, layout: layout, hiddenSize: hiddenSize, states: 1)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let net = try Recurrence(
      call, gates: 1, direction: direction, layout: layout, hiddenSize: hiddenSize)
    let functions = try RecurrentActivation.list(
      activations, defaults: ["Tanh"], directions: direction.count, alpha: activationAlpha,
      beta: activationBeta, clip: clip)
    let initial = try net.state(call.optionalTensor(5))
    let (y, last) = net.run(initial: initial) { dir, _, input, state in
      var sums = Array(input)
      net.addRecurrent(dir, 0..<1, state, to: &sums)
      state = sums.map { functions[dir].apply($0) }
    }
    return [y.map { .tensor($0) }, last.map { .tensor($0) }]
  }
}
