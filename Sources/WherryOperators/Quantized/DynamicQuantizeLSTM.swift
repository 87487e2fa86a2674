import WherryGraph

/// LSTM with 8-bit weights whose inputs are quantized as they come.
///
/// `X: [seq, batch, input] float32`; `W: [dirs, input, 4 * hidden]` and `R: [dirs, hidden, 4 * hidden]`
/// 8-bit, turned compared with `LSTM`, with scales and zero points `[dirs]` or `[dirs, 4 * hidden]`;
/// gates, states and results as in `LSTM`. Carried and typed; running it is refused by name.
/// - Source: ONNX Runtime contrib operators, com.microsoft.DynamicQuantizeLSTM-1.
public struct DynamicQuantizeLSTM: Operator {
  public var activationAlpha: [Float]?
  public var activationBeta: [Float]?
  /// f, g, h for each direction; Sigmoid, Tanh, Tanh when nil.
  public var activations: [String]?
  public var clip: Float?
  public var direction = RecurrentDirection.forward
  public var hiddenSize: Int?
  public var inputForget = false

  public init() {}

  public static let signature = Signature(
    "DynamicQuantizeLSTM", domain: OperatorName.contribDomain,
    [
      .init("X", .float32), .init("W", .bytes), .init("R", .bytes), .init("B", .float32, .optional),
      .init("sequence_lens", ElementSet(.int32), .optional),
      .init("initial_h", .float32, .optional), .init("initial_c", .float32, .optional),
      .init("P", .float32, .optional), .scale("W_scale"), .init("W_zero_point", .bytes),
      .scale("R_scale"), .init("R_zero_point", .bytes),
    ],
    [
      .init("Y", .float32, .optional), .init("Y_h", .float32, .optional),
      .init("Y_c", .float32, .optional),
    ])

  public static let fields: [Field<DynamicQuantizeLSTM>] = [
    Field("activation_alpha", \.activationAlpha), Field("activation_beta", \.activationBeta),
    Field("activations", \.activations), Field("clip", \.clip), Field("direction", \.direction),
    Field("hidden_size", \.hiddenSize), Field("input_forget", \.inputForget),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let hidden = hiddenSize ?? site.shape(2).flatMap { $0.rank == 3 ? $0[1].extent : nil }
    try Recurrence.infer(
      &site, direction: direction, layout: 0, hiddenSize: hidden, states: 2)
    guard hidden == nil else { return }
    // Without weights the hidden extent is open; R's last axis is not it.
    for index in 0..<site.outputCount {
      guard case .tensor(let element, var shape?)? = site.outputs[index] else { continue }
      shape[shape.rank - 1] = .unknown
      site.set(index, element, shape)
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    throw RunError(.unsupported("running \(name)"))
  }
}
