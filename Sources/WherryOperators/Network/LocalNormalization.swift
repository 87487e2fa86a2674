import Glibc
import WherryGraph

/// Division by the p-norm along one axis; where the norm is 0 the result is 0.
///
/// - Source: ONNX operator specification, LpNormalization-22.
public struct LpNormalization: Operator {
  public var axis = -1
  /// 1 or 2.
  public var p = 2

  public init() {}

  public static let signature = Signature(
    "LpNormalization", [.init("input", .floats)], [.init("output", .floats)])

  public static let fields: [Field<LpNormalization>] = [Field("axis", \.axis), Field("p", \.p)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard p == 1 || p == 2 else { throw TypeError(.attribute("p", "\(p)")) }
    if let rank = site.rank(0) { _ = try InferenceSite.axis(axis, rank: rank) }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let axis = try RunError.typed { () throws(TypeError) in
      try InferenceSite.axis(self.axis, rank: x.rank)
    }
    guard p == 1 || p == 2 else { throw RunError(.unsupported("p \(p)")) }
    let (extent, step) = (x.shape[axis], x.shape.dropFirst(axis + 1).reduce(1, *))
    var y = x.doubles
    for line in 0..<(extent == 0 ? 0 : y.count / extent) {
      let start = line / step * extent * step + line % step
      let places = stride(from: start, to: start + extent * step, by: step)
      let norm = norm(places.lazy.map { y[$0] }, p)
      for place in places { y[place] = norm == 0 ? 0 : y[place] / norm }
    }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}

/// Normalization to mean 0 and variance 1 over `axes`.
///
/// - Source: ONNX operator specification, MeanVarianceNormalization-13; its function body adds 1e-9 to the
///   standard deviation.
public struct MeanVarianceNormalization: Operator {
  public var axes = [0, 2, 3]

  public init() {}

  public static let signature = Signature(
    "MeanVarianceNormalization", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<MeanVarianceNormalization>] = [Field("axes", \.axes)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0) { for axis in axes { _ = try InferenceSite.axis(axis, rank: rank) } }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    var kept = x.shape
    for axis in axes {
      kept[
        try RunError.typed { () throws(TypeError) in
          try InferenceSite.axis(axis, rank: x.rank, attribute: "axes")
        }] = 1
    }
    let groups = try RunError.count(kept)
    let owners = try broadcastOffsets(kept, to: x.shape)
    var y = x.doubles
    let size = Double(y.count) / Double(max(groups, 1))
    var (means, variances) = (
      [Double](repeating: 0, count: groups), [Double](repeating: 0, count: groups)
    )
    for (value, owner) in zip(y, owners) { means[owner] += value / size }
    for (value, owner) in zip(y, owners) {
      variances[owner] += (value - means[owner]) * (value - means[owner]) / size
    }
    for (index, owner) in owners.enumerated() {
      y[index] = (y[index] - means[owner]) / (variances[owner].squareRoot() + 1e-9)
    }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}

/// Local response normalization over neighbouring channels:
/// `Y = X / (bias + alpha / size * Σ X²)^beta`.
///
/// `X: [N, C, D1 … Dn]`; the sum reaches from `(size - 1) / 2` channels before, rounded down, to as many
/// after, rounded up.
/// - Source: ONNX operator specification, LRN-13.
public struct LRN: Operator {
  public var alpha: Float = 1e-4
  public var beta: Float = 0.75
  public var bias: Float = 1
  public var size = 1

  public init() {}

  public static let signature = Signature("LRN", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<LRN>] = [
    Field("alpha", \.alpha), Field("beta", \.beta), Field("bias", \.bias),
    Field("size", \.size, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 2...)
    guard size > 0 else { throw TypeError(.attribute("size", "\(size)")) }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank >= 2, size > 0 else { throw RunError(.badInput("X \(x.shape), size \(size)")) }
    let (channels, plane) = (x.shape[1], x.shape.dropFirst(2).reduce(1, *))
    let input = x.doubles
    var y = input
    let (before, after) = (min((size - 1) / 2, channels), min(size / 2, channels))
    for index in y.indices {
      let channel = index / plane % channels
      var sum = 0.0
      for other in max(0, channel - before)...min(channels - 1, channel + after) {
        let value = input[index + (other - channel) * plane]
        sum += value * value
      }
      y[index] /= pow(Double(bias) + Double(alpha) / Double(size) * sum, Double(beta))
    }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}
