import WherryGraph

/// Resampling of any axes.
///
/// `X: [d0 … dn]`, `roi: [2 * axes]` (starts, then ends, as fractions), and one of `scales: [axes]` and
/// `sizes: [axes]`. Nearest takes elements as they are, of any type; the others compute in float64, and
/// integers round half to even and saturate.
/// - Source: ONNX operator specification, Resize-19.
public struct Resize: Operator {
  public enum Mode: String, AttributeConvertible { case nearest, linear, cubic }

  public enum AspectRatio: String, AttributeConvertible {
    case stretch
    case notLarger = "not_larger"
    case notSmaller = "not_smaller"
  }

  /// Whether shrinking widens the filter to cover every input element.
  public var antialias = false
  /// All when nil.
  public var axes: [Int]?
  public var coordinateTransformationMode = ResizeAxis.Coordinates.halfPixel
  public var cubicCoeffA: Float = -0.75
  /// Whether weights outside the input are dropped and the rest made to sum to 1.
  public var excludeOutside = false
  public var extrapolationValue: Float = 0
  public var keepAspectRatioPolicy = AspectRatio.stretch
  public var mode = Mode.nearest
  public var nearestMode = ResizeAxis.Rounding.preferFloor

  public init() {}

  public static let signature = Signature(
    "Resize",
    [
      .init("X", .byteWide),
      .init("roi", ElementSet(.float16, .float32, .float64), .optional),
      .init("scales", ElementSet(.float32), .optional), .init("sizes", .int64, .optional),
    ],
    [.init("Y", .byteWide)])

  public static let fields: [Field<Resize>] = [
    Field("antialias", \.antialias), Field("axes", \.axes),
    Field("coordinate_transformation_mode", \.coordinateTransformationMode),
    Field("cubic_coeff_a", \.cubicCoeffA), Field("exclude_outside", \.excludeOutside),
    Field("extrapolation_value", \.extrapolationValue),
    Field("keep_aspect_ratio_policy", \.keepAspectRatioPolicy), Field("mode", \.mode),
    Field("nearest_mode", \.nearestMode),
  ]

  func resolvedAxes(_ rank: Int) throws(TypeError) -> [Int] {
    guard let axes, !axes.isEmpty else { return Array(0..<rank) }
    var resolved: [Int] = []
    for axis in axes {
      resolved.append(try InferenceSite.axis(axis, rank: rank, attribute: "axes"))
    }
    return resolved
  }

  /// Output extent and scale of each axis in `axes`, from exactly one of `scales` and `sizes`.
  func plan(
    _ extents: [Int], _ scales: [Float]?, _ sizes: [Int]?
  ) throws(TypeError) -> [(size: Int, scale: Double)] {
    if let scales, !scales.isEmpty {
      guard scales.count == extents.count, sizes?.isEmpty ?? true else {
        throw TypeError(.shape("\(scales.count) scales for \(extents.count) axes"))
      }
      var plan: [(size: Int, scale: Double)] = []
      for (extent, scale) in zip(extents, scales) {
        guard scale > 0, let size = Int(exactly: (Float(extent) * scale).rounded(.down)),
          size < 1 << 40
        else { throw TypeError(.shape("a scale of \(scale)")) }
        plan.append((size, Double(scale)))
      }
      return plan
    }
    guard let sizes, sizes.count == extents.count, sizes.allSatisfy({ $0 >= 0 && $0 < 1 << 40 })
    else {
      throw TypeError(.shape("neither scales nor sizes for \(extents.count) axes"))
    }
    let own = zip(extents, sizes).map { $0 == 0 ? 1 : Double($1) / Double($0) }
    switch keepAspectRatioPolicy {
    case .stretch: return Array(zip(sizes, own))
    case .notLarger, .notSmaller:
      let scale = (keepAspectRatioPolicy == .notLarger ? own.min() : own.max()) ?? 1
      var plan: [(size: Int, scale: Double)] = []
      for extent in extents {
        guard let size = Int(exactly: (Double(extent) * scale + 0.5).rounded(.down)), size < 1 << 40
        else { throw TypeError(.shape("a scale of \(scale)")) }
        plan.append((size, scale))
      }
      return plan
    }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else { return site.set(0, site.element(0), nil) }
    let axes = try resolvedAxes(shape.rank)
    var output = shape.dimensions
    for axis in axes { output[axis] = .unknown }
    let scales = site.content(2)?.doubles.map { Float($0) }
    let sizes = site.integers(3)
    let wanted = Shape(axes.map { shape[$0] })
    if let extents = wanted.extents, scales?.isEmpty == false || sizes?.isEmpty == false {
      for (axis, item) in zip(axes, try plan(extents, scales, sizes)) {
        output[axis] = .fixed(item.size)
      }
    } else if let sizes, sizes.count == axes.count, keepAspectRatioPolicy == .stretch {
      for (axis, size) in zip(axes, sizes) where size >= 0 { output[axis] = .fixed(size) }
    }
    site.set(0, site.element(0), Shape(output))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let scales = try call.optionalTensor(2)?.doubles.map { Float($0) }
    let sizes = try call.optionalTensor(3)?.integers.map { Int($0) }
    let axes = try RunError.typed { () throws(TypeError) in try resolvedAxes(x.rank) }
    let plan = try RunError.typed { () throws(TypeError) in
      try self.plan(axes.map { x.shape[$0] }, scales, sizes)
    }
    let roi = try call.optionalTensor(1)?.doubles ?? []
    let crops = coordinateTransformationMode == .cropAndResize
    guard !crops || roi.count == 2 * axes.count else {
      throw RunError(.badInput("roi has \(roi.count) values for \(axes.count) axes"))
    }
    var shape = x.shape
    for (axis, item) in zip(axes, plan) { shape[axis] = item.size }
    _ = try RunError.count(shape)
    guard !x.shape.contains(0) || shape.contains(0) else {
      throw RunError(.badInput("an empty X can't grow to \(shape)"))
    }
    var resampled: [(axis: Int, resize: ResizeAxis)] = []
    for (index, axis) in axes.enumerated() {
      let resize = ResizeAxis(
        input: x.shape[axis], output: plan[index].size, scale: plan[index].scale,
        crop: crops ? (roi[index], roi[axes.count + index]) : (0, 1),
        coordinates: coordinateTransformationMode)
      if !resize.isIdentity { resampled.append((axis, resize)) }
    }
    return [try resample(x, resampled, shape).map { .tensor($0) }]
  }

  private func resample(
    _ x: Tensor, _ axes: [(axis: Int, resize: ResizeAxis)], _ shape: [Int]
  ) throws(RunError) -> Tensor? {
    if mode == .nearest {
      guard !antialias else { throw RunError(.unsupported("antialias with nearest")) }
      var maps = shape.map { Array(0..<$0) }
      for (axis, resize) in axes { maps[axis] = resize.nearest(nearestMode) }
      let steps = rowMajorSteps(x.shape)
      var sources = [0]
      for (axis, map) in maps.enumerated() {
        sources = sources.flatMap { base in
          map.map { base < 0 || $0 < 0 ? -1 : base + $0 * steps[axis] }
        }
      }
      let fill = Tensor(x.element, [], doubles: [Double(extrapolationValue)])
      return x.picking(sources, shape, fill: fill)
    }
    guard x.element != .string, !x.element.isComplex else {
      throw RunError(.unsupported("\(mode.rawValue) interpolation of \(x.element)"))
    }
    var (values, extents) = (x.doubles, x.shape)
    for (axis, resize) in axes {
      let filter = resize.filter(
        cubic: mode == .cubic ? Double(cubicCoeffA) : nil, antialias: antialias,
        excludeOutside: excludeOutside)
      var changed = extents
      changed[axis] = resize.output
      let count = try RunError.count(changed)
      values = filter.apply(
        values, extents, axis, count: count, extrapolation: Double(extrapolationValue))
      extents = changed
    }
    return Tensor(x.element, shape, doubles: values)
  }
}
