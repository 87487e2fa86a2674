import WherryGraph

/// Linear or cubic `Resize` of an 8-bit tensor along at most two axes.
///
/// Along each axis that changes the weights are integers that sum to 2^11; the sum of weights times
/// `x - zx` is exact, then `y = saturate(round(float32(sum) * s) + zy)` with
/// `s = float32(sx / (sy * 2^(11 * axes)))`.
public struct QLinearResize: Operator {
  /// Everything but the scales and zero points.
  public var resize: Resize

  public init() {
    resize = Resize()
    resize.mode = .linear
  }

  public static let signature = Signature(
    "QLinearResize", domain: OperatorName.ownDomain,
    [
      .init("X", .bytes), .scale("x_scale"), .zeroPoint("x_zero_point"), .scale("y_scale"),
      .zeroPoint("y_zero_point"),
    ] + Resize.signature.inputs.dropFirst(),
    [.init("Y", .bytes)])

  public static let fields: [Field<QLinearResize>] = [
    Field("antialias", \.resize.antialias), Field("axes", \.resize.axes),
    Field("coordinate_transformation_mode", \.resize.coordinateTransformationMode),
    Field("cubic_coeff_a", \.resize.cubicCoeffA),
    Field("exclude_outside", \.resize.excludeOutside),
    Field("keep_aspect_ratio_policy", \.resize.keepAspectRatioPolicy),
    Field("mode", \.resize.mode, required: true),
  ]

  /// The weights of one axis sum to 2 to this power.
  public static let weightBits = 11

  /// An axis that changes: for each output element the input elements it is made of.
  public struct Axis: Sendable {
    public var axis: Int
    public var taps: [[Tap]]
  }

  /// An input element and its weight in 2^-11.
  public struct Tap: Sendable, Hashable {
    public var place: Int
    public var weight: Int64

    public init(place: Int, weight: Int64) { (self.place, self.weight) = (place, weight) }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let kept = [0, 5, 6, 7]
    var inner = InferenceSite(
      inputs: kept.map { site.type($0) }, isPresent: kept.map { site.has($0) },
      contents: kept.map { site.content($0) },
      partials: kept.map { $0 < site.partials.count ? site.partials[$0] : nil }, outputCount: 1,
      inferGraph: { (_, _) throws(TypeError) in [] })
    try resize.infer(&inner)
    site.set(0, site.has(4) ? site.element(4) : site.element(0), inner.outputs[0]?.shape)
  }

  /// The axes that change, and the result's shape.
  ///
  /// - Throws: `RunError` when the operands don't fit, or more than two axes change.
  public func axes(
    _ shape: [Int], scales: [Float]?, sizes: [Int]?
  ) throws(RunError) -> (changed: [Axis], shape: [Int]) {
    guard resize.mode != .nearest, resize.coordinateTransformationMode != .cropAndResize else {
      throw RunError(.unsupported("\(resize.mode.rawValue) of a region in integers"))
    }
    let placed = try resize.placed(on: shape, scales: scales, sizes: sizes)
    var result: [Axis] = []
    var extents = shape
    for (axis, line) in placed { extents[axis] = line.output }
    _ = try RunError.count(extents)
    guard !shape.contains(0) || extents.contains(0) else {
      throw RunError(.badInput("an empty X can't grow to \(extents)"))
    }
    for (axis, line) in placed where !line.isIdentity {
      let filter = line.filter(
        cubic: resize.mode == .cubic ? Double(resize.cubicCoeffA) : nil,
        antialias: resize.antialias, excludeOutside: resize.excludeOutside)
      result.append(Axis(axis: axis, taps: filter.taps.map { Self.integers($0 ?? []) }))
    }
    guard result.count <= 2 else { throw RunError(.unsupported("more than two axes in integers")) }
    return (result, extents)
  }

  /// Weights rounded to 2^-11, the largest taking what is left over.
  static func integers(_ taps: [(place: Int, weight: Double)]) -> [Tap] {
    var places: [Int] = []
    var weights: [Double] = []
    // Taps outside stand for the first or last element, side by side.
    for tap in taps {
      if tap.place == places.last {
        weights[weights.count - 1] += tap.weight
      } else {
        places.append(tap.place)
        weights.append(tap.weight)
      }
    }
    let unit = Int64(1) << Int64(weightBits)
    var rounded = weights.map { weight in
      let scaled = (weight * Double(unit)).rounded(.toNearestOrEven)
      return Int64(exactly: max(min(scaled, 0x1p20), -0x1p20)) ?? 0
    }
    let most = rounded.indices.max {
      rounded[$0] < rounded[$1] || rounded[$0] == rounded[$1] && $0 > $1
    }
    if let most { rounded[most] += unit - rounded.reduce(0, +) }
    return zip(places, rounded).filter { $1 != 0 }.map { Tap(place: $0, weight: $1) }
  }

  /// `float32(sx / (sy * 2^(11 * axes)))`
  public static func factor(_ x: Float, _ y: Float, axes: Int) -> Float {
    Float(Double(x) / (Double(y) * Double(Int64(1) << Int64(weightBits * axes))))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    let target = try call.target(scale: 3, zeroPoint: 4, element: x.element)
    let plan = try axes(
      x.shape, scales: try call.optionalTensor(6)?.doubles.map { Float($0) },
      sizes: try call.optionalTensor(7)?.integers.map { Int($0) })
    _ = try RunError.count(plan.shape)
    var (values, extents) = (x.centred, x.shape)
    for line in plan.changed {
      let view = AxisView(extents, at: line.axis)
      var next: [Int64] = []
      next.reserveCapacity(view.outer * line.taps.count * view.inner)
      for block in 0..<view.outer {
        for taps in line.taps {
          for inner in 0..<view.inner {
            let base = block * view.length * view.inner + inner
            next.append(
              taps.reduce(0) { $0 &+ $1.weight &* values[base + $1.place * view.inner] })
          }
        }
      }
      extents[line.axis] = line.taps.count
      values = next
    }
    let factor = Self.factor(x.scale, target.scale, axes: plan.changed.count)
    return target.tensor(plan.shape, values.map { target.requantize($0, factor) })
  }
}

extension Resize {
  /// Where every element of each resampled axis comes from.
  func placed(
    on shape: [Int], scales: [Float]?, sizes: [Int]?
  ) throws(RunError) -> [(axis: Int, line: ResizeAxis)] {
    try RunError.typed { () throws(TypeError) in
      let axes = try resolvedAxes(shape.count)
      let plan = try plan(axes.map { shape[$0] }, scales, sizes)
      return axes.indices.map { index in
        (
          axes[index],
          ResizeAxis(
            input: shape[axes[index]], output: plan[index].size, scale: plan[index].scale,
            crop: (0, 1), coordinates: coordinateTransformationMode)
        )
      }
    }
  }
}
