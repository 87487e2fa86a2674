import WherryGraph

/// Normalization to mean 0 and variance 1 over the axes from `axis` on, then scale and bias.
///
/// `X: [d0 … dn]`; `Scale` and `B` broadcast to it; `Mean` and `InvStdDev: [d0 … d(axis-1), 1 … 1]`, of the
/// element type `stash_type`.
/// - Source: ONNX operator specification, LayerNormalization-17.
public struct LayerNormalization: Operator {
  public var axis = -1
  public var epsilon: Float = 1e-5
  /// float32 or bfloat16; evaluation is in float64 whichever it is.
  public var stashType = ElementType.float32

  public init() {}

  public static let signature = Signature(
    "LayerNormalization",
    [.init("X", .floats), .init("Scale", .floats), .init("B", .floats, .optional)],
    [
      .init("Y", .floats), .init("Mean", ElementSet(.float32, .bfloat16), .optional),
      .init("InvStdDev", ElementSet(.float32, .bfloat16), .optional),
    ])

  public static let fields: [Field<LayerNormalization>] = [
    Field("axis", \.axis), Field("epsilon", \.epsilon), Field("stash_type", \.stashType),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0), site.shape(0))
    var statistics: Shape?
    if let shape = site.shape(0) {
      let axis = try InferenceSite.axis(axis, rank: shape.rank)
      statistics = Shape(shape.dimensions.enumerated().map { $0 < axis ? $1 : 1 })
    }
    site.set(1, stashType, statistics)
    site.set(2, stashType, statistics)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let axis = try RunError.typed { () throws(TypeError) in
      try InferenceSite.axis(self.axis, rank: x.rank)
    }
    let scale = try call.tensor(1).doubles(broadcastTo: x.shape)
    let shift = try call.optionalTensor(2)?.doubles(broadcastTo: x.shape)
    var y = x.doubles
    let size = x.shape.dropFirst(axis).reduce(1, *)
    var (means, inverses): ([Double], [Double]) = ([], [])
    for start in stride(from: 0, to: y.count, by: max(size, 1)) {
      let (mean, variance) = moments(y[start..<start + size])
      let inverse = 1 / (variance + Double(epsilon)).squareRoot()
      for index in start..<start + size {
        y[index] = (y[index] - mean) * inverse * scale[index] + (shift?[index] ?? 0)
      }
      means.append(mean)
      inverses.append(inverse)
    }
    let statistics = x.shape.enumerated().map { $0 < axis ? $1 : 1 }
    return [
      Tensor(x.element, x.shape, doubles: y).map { .tensor($0) },
      Tensor(stashType, statistics, doubles: means).map { .tensor($0) },
      Tensor(stashType, statistics, doubles: inverses).map { .tensor($0) },
    ]
  }
}

/// Division by the root mean square over the axes from `axis` on, then scale.
///
/// `X: [d0 … dn]`; `scale` broadcasts to it and gives `Y` its element type.
/// - Source: ONNX operator specification, RMSNormalization-23.
public struct RMSNormalization: Operator {
  public var axis = -1
  public var epsilon: Float = 1e-5
  /// Evaluation is in float64 whichever it is.
  public var stashType = ElementType.float32

  public init() {}

  public static let signature = Signature(
    "RMSNormalization", [.init("X", .floats), .init("scale", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<RMSNormalization>] = [
    Field("axis", \.axis), Field("epsilon", \.epsilon), Field("stash_type", \.stashType),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0) { _ = try InferenceSite.axis(axis, rank: rank) }
    site.set(0, site.element(1), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, weights) = (try call.tensor(0), try call.tensor(1))
    let axis = try RunError.typed { () throws(TypeError) in
      try InferenceSite.axis(self.axis, rank: x.rank)
    }
    let scale = try weights.doubles(broadcastTo: x.shape)
    var y = x.doubles
    let size = x.shape.dropFirst(axis).reduce(1, *)
    for start in stride(from: 0, to: y.count, by: max(size, 1)) {
      let square = y[start..<start + size].reduce(0) { $0 + $1 * $1 } / Double(size)
      let root = (square + Double(epsilon)).squareRoot()
      for index in start..<start + size { y[index] = y[index] / root * scale[index] }
    }
    return [Tensor(weights.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}

/// Mean and population variance.
func moments(_ values: ArraySlice<Double>) -> (mean: Double, variance: Double) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count)
}

extension Tensor {
  /// The elements as float64, repeated to fill `shape`, to which they must broadcast.
  ///
  /// - Throws: `RunError.badInput` when the shapes don't fit.
  func doubles(broadcastTo target: [Int]) throws(RunError) -> [Double] {
    let numbers = doubles
    if shape == target { return numbers }
    return try broadcastOffsets(shape, to: target).map { numbers[$0] }
  }
}

/// Flat index, in a tensor of shape `shape`, of the element that stands at each place of `target`.
///
/// - Throws: `RunError.badInput` when the shapes don't fit.
func broadcastOffsets(_ shape: [Int], to target: [Int]) throws(RunError) -> [Int] {
  let missing = target.count - shape.count
  guard missing >= 0, zip(shape, target.dropFirst(missing)).allSatisfy({ $0 == $1 || $0 == 1 })
  else { throw RunError(.badInput("\(shape) does not broadcast to \(target)")) }
  let steps = rowMajorSteps(shape)
  var offsets = [0]
  for (axis, extent) in target.enumerated() {
    let own = axis - missing
    let step = own >= 0 && shape[own] != 1 ? steps[own] : 0
    offsets = offsets.flatMap { base in (0..<extent).map { base + $0 * step } }
  }
  return offsets
}
