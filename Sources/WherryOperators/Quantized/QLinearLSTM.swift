import WherryGraph

/// `LSTM` on 8-bit tensors with int8 weights; ONNX's default activations, no peepholes, clip or sequence lengths.
///
/// Inputs as `QuantizedRecurrence` says, gates in the order i, o, f, c. `Y` is 8-bit, with the hidden state's scale
/// and zero point; the last states are float32.
/// - Source: runtime/ARITHMETIC.md, "LSTM and GRU steps".
public struct QLinearLSTM: Operator {
  public var direction = RecurrentDirection.forward
  public var hiddenSize: Int?
  public var layout = 0

  public init() {}

  /// Positions of inputs.
  public static let initialH = 8
  public static let initialC = 9
  public static let yScale = 10

  public static let signature = Signature(
    "QLinearLSTM", domain: OperatorName.ownDomain,
    [
      .init("X", .bytes), .scale("X_scale"), .zeroPoint("X_zero_point"), .init("W", .bytes),
      .scale("W_scale"), .init("R", .bytes), .scale("R_scale"), .init("B", .float32, .optional),
      .init("initial_h", .float32, .optional), .init("initial_c", .float32, .optional),
      .scale("Y_scale"), .zeroPoint("Y_zero_point"),
    ],
    [
      .init("Y", .bytes, .optional), .init("Y_h", .float32, .optional),
      .init("Y_c", .float32, .optional),
    ])

  public static let fields: [Field<QLinearLSTM>] = [
    Field("direction", \.direction), Field("hidden_size", \.hiddenSize), Field("layout", \.layout),
  ]

  /// The layer in float.
  public var float: LSTM {
    var lstm = LSTM()
    (lstm.direction, lstm.hiddenSize, lstm.layout) = (direction, hiddenSize, layout)
    return lstm
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try QuantizedRecurrence.infer(
      &site, direction: direction, layout: layout, hiddenSize: hiddenSize, states: 2,
      yZero: Self.yScale + 1)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let net = try QuantizedRecurrence(
      call, gates: 4, direction: direction, layout: layout, hiddenSize: hiddenSize,
      yScale: Self.yScale)
    typealias Fixed = RecurrentFixedPoint
    let (n, target) = (net.hidden, net.target)
    let initial = try call.optionalTensor(Self.initialH)
    var cells = try net.state(call.optionalTensor(Self.initialC))
    let scale = net.inverse * 0x1p-30
    let (y, last) = net.run(
      initialH: initial == nil ? nil : try net.state(initial), state: &cells
    ) { dir, x, h, c in
      let th = net.product(dir, 0..<4 * n, h)
      let sums = x.indices.map { row in
        let bias = net.bias(dir, row, input: true, recurrent: true)
        return (bias.map { x[row] + $0 } ?? x[row]) + th[row]
      }
      for unit in 0..<n {
        let i = Fixed.sigmoid(sums[unit])
        let o = Fixed.sigmoid(sums[n + unit])
        let f = Fixed.sigmoid(sums[2 * n + unit])
        let g = Fixed.tanh(sums[3 * n + unit])
        let kept = (Float(f) * 0x1p-15) * c[unit]
        c[unit] = Fixed.state(kept + Float(i * g) * 0x1p-30)
        let product = Float(o * Fixed.tanh(4096 * c[unit]))
        h[unit] = target.round(product * scale) - target.zeroPoint
      }
    }
    let hidden = last.map { Float($0) * target.scale }
    return [
      y.map { .tensor($0) }, net.tensor(state: hidden).map { .tensor($0) },
      net.tensor(state: cells).map { .tensor($0) },
    ]
  }
}
