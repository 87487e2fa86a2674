import WherryGraph

/// Gated recurrent unit.
///
/// `X: [seq, batch, input]`, gates in the order z, r, h: `W: [dirs, 3 * hidden, input]`,
/// `R: [dirs, 3 * hidden, hidden]`, `B: [dirs, 6 * hidden]`; `Y: [seq, dirs, batch, hidden]`,
/// `Y_h: [dirs, batch, hidden]`. With layout 1 the batch comes first. Steps past a sequence's length give
/// zeros and leave the state alone.
/// - Source: ONNX operator specification, GRU-22.
public struct GRU: Operator {
  public var activationAlpha: [Float]?
  public var activationBeta: [Float]?
  /// f, g for each direction; Sigmoid, Tanh when nil.
  public var activations: [String]?
  /// Bound of what goes into an activation.
  public var clip: Float?
  public var direction = RecurrentDirection.forward
  public var hiddenSize: Int?
  public var layout = 0
  /// Whether the reset gate multiplies the recurrent product instead of the state.
  public var linearBeforeReset = false

  public init() {}

  public static let signature = Signature(
    "GRU",
    [
      .init("X", .floats), .init("W", .floats), .init("R", .floats), .init("B", .floats, .optional),
      .init("sequence_lens", ElementSet(.int32), .optional), .init("initial_h", .floats, .optional),
    ],
    [.init("Y", .floats, .optional), .init("Y_h", .floats, .optional)])

  public static let fields: [Field<GRU>] = [
    Field("activation_alpha", \.activationAlpha), Field("activation_beta", \.activationBeta),
    Field("activations", \.activations), Field("clip", \.clip), Field("direction", \.direction),
    Field("hidden_size", \.hiddenSize), Field("layout", \.layout),
    Field("linear_before_reset", \.linearBeforeReset),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try Recurrence.infer(
      &site, direction: direction, layout: layout, hiddenSize: hiddenSize, states: 1)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let net = try Recurrence(
      call, gates: 3, direction: direction, layout: layout, hiddenSize: hiddenSize)
    let functions = try RecurrentActivation.list(
      activations, defaults: ["Sigmoid", "Tanh"], directions: direction.count,
      alpha: activationAlpha, beta: activationBeta, clip: clip)
    let hidden = net.hidden
    let initial = try net.state(call.optionalTensor(5))
    let (y, last) = net.run(initial: initial) { dir, _, input, state in
      let (f, g) = (functions[dir * 2], functions[dir * 2 + 1])
      var sums = Array(input)
      net.addRecurrent(dir, 0..<2, state, to: &sums)
      let reset = (0..<hidden).map { f.apply(sums[hidden + $0]) }
      if linearBeforeReset {
        var recurrent = [Double](repeating: 0, count: 3 * hidden)
        net.addRecurrent(dir, 2..<3, state, to: &recurrent)
        for unit in 0..<hidden {
          sums[2 * hidden + unit] += reset[unit] * recurrent[2 * hidden + unit]
        }
      } else {
        net.addRecurrent(dir, 2..<3, zip(reset, state).map { $0 * $1 }, to: &sums)
      }
      for unit in 0..<hidden {
        let update = f.apply(sums[unit])
        state[unit] = (1 - update) * g.apply(sums[2 * hidden + unit]) + update * state[unit]
      }
    }
    return [y.map { .tensor($0) }, last.map { .tensor($0) }]
  }
}
