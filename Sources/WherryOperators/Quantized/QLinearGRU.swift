import WherryGraph

/// `GRU` on 8-bit tensors with int8 weights; ONNX's default activations, no clip or sequence lengths.
///
/// Inputs as `QuantizedRecurrence` says, gates in the order z, r, h. `Y` is 8-bit, with the hidden state's scale and
/// zero point; the last state is float32 and has not been rounded to 8 bits.
/// - Source: runtime/ARITHMETIC.md, "LSTM and GRU steps".
public struct QLinearGRU: Operator {
  public var direction = RecurrentDirection.forward
  public var hiddenSize: Int?
  public var layout = 0
  /// Whether the reset gate multiplies the recurrent product instead of the state.
  public var linearBeforeReset = false

  public init() {}

  /// Positions of inputs.
  public static let initialH = 8
  public static let yScale = 9

  public static let signature = Signature(
    "QLinearGRU", domain: OperatorName.ownDomain,
    [
      .init("X", .bytes), .scale("X_scale"), .zeroPoint("X_zero_point"), .init("W", .bytes),
      .scale("W_scale"), .init("R", .bytes), .scale("R_scale"), .init("B", .float32, .optional),
      .init("initial_h", .float32, .optional), .scale("Y_scale"), .zeroPoint("Y_zero_point"),
    ],
    [.init("Y", .bytes, .optional), .init("Y_h", .float32, .optional)])

  public static let fields: [Field<QLinearGRU>] = [
    Field("direction", \.direction), Field("hidden_size", \.hiddenSize), Field("layout", \.layout),
    Field("linear_before_reset", \.linearBeforeReset),
  ]

  /// The layer in float.
  public var float: GRU {
    var gru = GRU()
    (gru.direction, gru.hiddenSize, gru.layout) = (direction, hiddenSize, layout)
    gru.linearBeforeReset = linearBeforeReset
    return gru
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try QuantizedRecurrence.infer(
      &site, direction: direction, layout: layout, hiddenSize: hiddenSize, states: 1,
      yZero: Self.yScale + 1)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let net = try QuantizedRecurrence(
      call, gates: 3, direction: direction, layout: layout, hiddenSize: hiddenSize,
      yScale: Self.yScale)
    let initial = try call.optionalTensor(Self.initialH)
    var states = try net.state(initial)
    let (y, _) = net.run(initialH: initial == nil ? nil : states, state: &states) {
      dir, x, h, s in step(net, dir, x, &h, &s)
    }
    return [y.map { .tensor($0) }, net.tensor(state: states).map { .tensor($0) }]
  }

  private func step(
    _ net: QuantizedRecurrence, _ dir: Int, _ x: [Float], _ h: inout [Int64], _ s: inout [Float]
  ) {
    typealias Fixed = RecurrentFixedPoint
    let (n, target) = (net.hidden, net.target)
    let tx = x.indices.map { row in
      let keepsApart = linearBeforeReset && row >= 2 * n
      let bias = net.bias(dir, row, input: true, recurrent: !keepsApart)
      return bias.map { x[row] + $0 } ?? x[row]
    }
    let th = net.product(dir, 0..<2 * n, h)
    let r = (0..<n).map { Fixed.sigmoid(tx[n + $0] + th[n + $0]) }
    let recurrent: [Float]
    if linearBeforeReset {
      recurrent = net.product(dir, 2 * n..<3 * n, h).enumerated().map { unit, product in
        let bias = net.bias(dir, 2 * n + unit, input: false, recurrent: true)
        return (bias.map { product + $0 } ?? product) * (Float(r[unit]) * 0x1p-15)
      }
    } else {
      let reset = (0..<n).map { unit in
        target.round(Float(Int64(r[unit]) * h[unit]) * 0x1p-15) - target.zeroPoint
      }
      recurrent = net.product(dir, 2 * n..<3 * n, reset)
    }
    for unit in 0..<n {
      let z = Fixed.sigmoid(tx[unit] + th[unit])
      let g = Fixed.tanh(tx[2 * n + unit] + recurrent[unit])
      let kept = (Float(z) * 0x1p-15) * s[unit]
      s[unit] = Fixed.state(kept + Float((32768 - z) * g) * 0x1p-30)
      h[unit] = target.round(s[unit] * net.inverse) - target.zeroPoint
    }
  }
}
