import WherryGraph

/// Each channel of each image normalized to mean 0 and variance 1, then scaled and shifted.
///
/// `input: [N, C, D1 … Dn]`, `scale` and `B: [C]`.
/// - Source: ONNX operator specification, InstanceNormalization-22.
public struct InstanceNormalization: Operator {
  public var epsilon: Float = 1e-5

  public init() {}

  public static let signature = Signature(
    "InstanceNormalization",
    [.init("input", .floats), .init("scale", .floats), .init("B", .floats)],
    [.init("output", .floats)])

  public static let fields: [Field<InstanceNormalization>] = [Field("epsilon", \.epsilon)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 3...)
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank >= 2 else { throw RunError(.badInput("input has rank \(x.rank)")) }
    return try call.normalizeGroups(x.shape[1], epsilon: epsilon)
  }
}

/// Groups of channels of each image normalized to mean 0 and variance 1; then each channel scaled and
/// shifted.
///
/// `X: [N, C, D1 … Dn]`, `scale` and `bias: [C]`.
/// - Source: ONNX operator specification, GroupNormalization-21.
public struct GroupNormalization: Operator {
  public var epsilon: Float = 1e-5
  /// Divides C.
  public var numGroups = 1
  /// Evaluation is in float64 whichever it is.
  public var stashType = ElementType.float32

  public init() {}

  public static let signature = Signature(
    "GroupNormalization", [.init("X", .floats), .init("scale", .floats), .init("bias", .floats)],
    [.init("Y", .floats)])

  public static let fields: [Field<GroupNormalization>] = [
    Field("epsilon", \.epsilon), Field("num_groups", \.numGroups, required: true),
    Field("stash_type", \.stashType),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 2...)
    if let channels = site.shape(0)?[1].extent, numGroups <= 0 || channels % numGroups != 0 {
      throw TypeError(.attribute("num_groups", "\(numGroups) of \(channels) channels"))
    }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try call.normalizeGroups(numGroups, epsilon: epsilon)
  }
}

extension OperatorCall {
  /// Input 0 normalized over each of `groups` groups of channels, scaled by input 1, shifted by 2.
  fileprivate func normalizeGroups(_ groups: Int, epsilon: Float) throws(RunError) -> [Value?] {
    let (x, scale, shift) = (try tensor(0), try tensor(1).doubles, try tensor(2).doubles)
    guard x.rank >= 2, x.shape[1] == 0 || groups > 0 && x.shape[1] % groups == 0,
      scale.count == x.shape[1], shift.count == x.shape[1]
    else {
      throw RunError(.badInput("\(scale.count) scales, \(groups) groups for X \(x.shape)"))
    }
    var y = x.doubles
    guard !y.isEmpty else { return [.tensor(x)] }
    let plane = x.shape.dropFirst(2).reduce(1, *)
    let size = plane * (x.shape[1] / groups)
    for start in stride(from: 0, to: y.count, by: size) {
      let (mean, variance) = moments(y[start..<start + size])
      let root = (variance + Double(epsilon)).squareRoot()
      for index in start..<start + size {
        let channel = index / plane % scale.count
        y[index] = (y[index] - mean) / root * scale[channel] + shift[channel]
      }
    }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}
