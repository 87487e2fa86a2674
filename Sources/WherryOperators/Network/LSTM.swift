import WherryGraph

/// Long short-term memory.
///
/// `X: [seq, batch, input]`, gates in the order i, o, f, c: `W: [dirs, 4 * hidden, input]`,
/// `R: [dirs, 4 * hidden, hidden]`, `B: [dirs, 8 * hidden]`, `P: [dirs, 3 * hidden]` (peepholes i, o, f);
/// `Y: [seq, dirs, batch, hidden]`, states `[dirs, batch, hidden]`. With layout 1 the batch comes first.
/// Steps past a sequence's length give zeros and leave the states alone.
/// - Source: ONNX operator specification, LSTM-22.
public struct LSTM: Operator {
  public var activationAlpha: [Float]?
  public var activationBeta: [Float]?
  /// f, g, h for each direction; Sigmoid, Tanh, Tanh when nil.
  public var activations: [String]?
  /// Bound of what goes into the gates; the cell passes its activation unclipped, as in ONNX Runtime.
  public var clip: Float?
  public var direction = RecurrentDirection.forward
  public var hiddenSize: Int?
  /// Whether the forget gate is one less the input gate.
  public var inputForget = false
  public var layout = 0

  public init() {}

  public static let signature = Signature(
    "LSTM",
    [
      .init("X", .floats), .init("W", .floats), .init("R", .floats), .init("B", .floats, .optional),
      .init("sequence_lens", ElementSet(.int32), .optional), .init("initial_h", .floats, .optional),
      .init("initial_c", .floats, .optional), .init("P", .floats, .optional),
    ],
    [
      .init("Y", .floats, .optional), .init("Y_h", .floats, .optional),
      .init("Y_c", .floats, .optional),
    ])

  public static let fields: [Field<LSTM>] = [
    Field("activation_alpha", \.activationAlpha), Field("activation_beta", \.activationBeta),
    Field("activations", \.activations), Field("clip", \.clip), Field("direction", \.direction),
    Field("hidden_size", \.hiddenSize), Field("input_forget", \.inputForget),
    Field("layout", \.layout),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try Recurrence.infer(
      &site, direction: direction, layout: layout, hiddenSize: hiddenSize, states: 2)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let net = try Recurrence(
      call, gates: 4, direction: direction, layout: layout, hiddenSize: hiddenSize)
    let functions = try RecurrentActivation.list(
      activations, defaults: ["Sigmoid", "Tanh", "Tanh"], directions: direction.count,
      alpha: activationAlpha, beta: activationBeta, clip: clip)
    let hidden = net.hidden
    var cells = try net.state(call.optionalTensor(6))
    let peepholes =
      try call.optionalTensor(7)?.doubles
      ?? Array(repeating: 0, count: direction.count * 3 * hidden)
    guard peepholes.count == direction.count * 3 * hidden else {
      throw RunError(.badInput("\(peepholes.count) peepholes for \(hidden) hidden units"))
    }
    let initial = try net.state(call.optionalTensor(5))
    let (y, last) = net.run(initial: initial) { dir, entry, input, state in
      let (f, g, h) = (functions[dir * 3], functions[dir * 3 + 1], functions[dir * 3 + 2])
      var sums = Array(input)
      net.addRecurrent(dir, 0..<4, state, to: &sums)
      for unit in 0..<hidden {
        let cell = (dir * net.batch + entry) * hidden + unit
        let peephole = dir * 3 * hidden + unit
        let old = cells[cell]
        let inputGate = f.apply(sums[unit] + peepholes[peephole] * old)
        let forgetGate =
          inputForget
          ? 1 - inputGate
          : f.apply(sums[2 * hidden + unit] + peepholes[peephole + 2 * hidden] * old)
        let new = forgetGate * old + inputGate * g.apply(sums[3 * hidden + unit])
        cells[cell] = new
        let outputGate = f.apply(sums[hidden + unit] + peepholes[peephole + hidden] * new)
        state[unit] = outputGate * h.unclipped(new)
      }
    }
    return [
      y.map { .tensor($0) }, last.map { .tensor($0) },
      net.tensor(state: cells).map { .tensor($0) },
    ]
  }
}
