import WherryGraph

/// Each channel shifted and scaled to its mean and variance: `Y = (X - mean) / √(var + epsilon) * scale + B`.
///
/// `X: [N, C, D1 … Dn]` or `[N]`, which has one channel; the rest `[C]`. In training mode mean and
/// (population) variance are those of `X`, and the running ones move towards them:
/// `running = input * momentum + current * (1 - momentum)`.
/// - Source: ONNX operator specification, BatchNormalization-15.
public struct BatchNormalization: Operator {
  public var epsilon: Float = 1e-5
  public var momentum: Float = 0.9
  public var trainingMode = false

  public init() {}

  public static let signature = Signature(
    "BatchNormalization",
    [
      .init("X", .floats), .init("scale", .floats), .init("B", .floats),
      .init("input_mean", .floats), .init("input_var", .floats),
    ],
    [
      .init("Y", .floats), .init("running_mean", .floats, .optional),
      .init("running_var", .floats, .optional),
    ])

  public static let fields: [Field<BatchNormalization>] = [
    Field("epsilon", \.epsilon), Field("momentum", \.momentum),
    Field("training_mode", \.trainingMode),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    var channels: Dimension = site.shape(0).map { $0.rank > 1 ? $0[1] : 1 } ?? .unknown
    for index in 1...4 {
      guard let shape = site.shape(index) else { continue }
      guard shape.rank == 1 else {
        throw TypeError(.rank(input: index, shape.rank, expected: "1"))
      }
      guard let merged = Dimension.merge(channels, shape[0]) else {
        throw TypeError(.shape("input \(index) has \(shape[0]) values for \(channels) channels"))
      }
      channels = merged
    }
    site.set(0, site.element(0), site.shape(0))
    site.set(1, site.element(3), Shape([channels]))
    site.set(2, site.element(4), Shape([channels]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, meanInput, varianceInput) = (try call.tensor(0), try call.tensor(3), try call.tensor(4))
    guard x.rank >= 1 else { throw RunError(.badInput("X is a scalar")) }
    let channels = x.rank > 1 ? x.shape[1] : 1
    let size = x.shape.dropFirst(2).reduce(1, *)
    let (scale, shift) = (try call.tensor(1).doubles, try call.tensor(2).doubles)
    var (mean, variance) = (meanInput.doubles, varianceInput.doubles)
    for list in [scale, shift, mean, variance] where list.count != channels {
      throw RunError(.badInput("\(list.count) values for \(channels) channels"))
    }
    var y = x.doubles
    var outputs: [Value?] = [nil, nil, nil]
    if trainingMode {
      let (oldMean, oldVariance, kept) = (mean, variance, Double(momentum))
      let perChannel = Double(x.shape[0] * size)
      (mean, variance) = (
        Array(repeating: 0, count: channels), Array(repeating: 0, count: channels)
      )
      for (index, value) in y.enumerated() { mean[index / size % channels] += value / perChannel }
      for (index, value) in y.enumerated() {
        let channel = index / size % channels
        variance[channel] += (value - mean[channel]) * (value - mean[channel]) / perChannel
      }
      let newMean = zip(oldMean, mean).map { $0 * kept + $1 * (1 - kept) }
      let newVariance = zip(oldVariance, variance).map { $0 * kept + $1 * (1 - kept) }
      outputs[1] = Tensor(meanInput.element, [channels], doubles: newMean).map { .tensor($0) }
      outputs[2] = Tensor(varianceInput.element, [channels], doubles: newVariance).map {
        .tensor($0)
      }
    }
    let factors = (0..<channels).map { scale[$0] / (variance[$0] + Double(epsilon)).squareRoot() }
    for index in y.indices {
      let channel = index / size % channels
      y[index] = (y[index] - mean[channel]) * factors[channel] + shift[channel]
    }
    outputs[0] = Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }
    return outputs
  }
}
