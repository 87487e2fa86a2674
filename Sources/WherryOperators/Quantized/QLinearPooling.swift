import WherryGraph

/// The mean of each window of an 8-bit tensor.
///
/// `X: [N, C, D1 … Dn]`, or `[N, D1 … Dn, C]` when `channelsLast`. The sum of `x - zx` over the `n`
/// elements that count is exact, then
/// `y = saturate(round(float32(sum) * float32(float64(sx / sy) / n)) + zy)`.
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearAveragePool-1.
public struct QLinearAveragePool: Operator {
  public var autoPad = AutoPad.notSet
  public var ceilMode = false
  public var channelsLast = false
  /// Whether padding counts as zeros; what `ceil_mode` adds past it never counts.
  public var countIncludePad = false
  public var kernelShape: [Int] = []
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "QLinearAveragePool", domain: OperatorName.contribDomain,
    [
      .init("X", .bytes), .scale("x_scale"), .zeroPoint("x_zero_point"), .scale("y_scale"),
      .zeroPoint("y_zero_point"),
    ],
    [.init("Y", .bytes)])

  public static let fields: [Field<QLinearAveragePool>] = [
    Field("auto_pad", \.autoPad), Field("ceil_mode", \.ceilMode),
    Field("channels_last", \.channelsLast), Field("count_include_pad", \.countIncludePad),
    Field("kernel_shape", \.kernelShape, required: true), Field("pads", \.pads),
    Field("strides", \.strides),
  ]

  func window() throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape, strides: strides, pads: pads, autoPad: autoPad, ceil: ceilMode)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let element = site.has(4) ? site.element(4) : site.element(0)
    let window = try window()
    guard channelsLast else { return try site.inferPool(window, [element]) }
    try site.inferChannelsLast { (inner) throws(TypeError) in
      try inner.inferPool(window, [element])
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let call = channelsLast ? try call.channelsFirst() : call
    let pooling = try Pooling(try call.tensor(0), window)
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    let target = try call.target(scale: 3, zeroPoint: 4, element: x.element)
    var y = [Int64](repeating: 0, count: pooling.shape.reduce(1, *))
    let ratio = Double(x.scale) / Double(target.scale)
    pooling.visit { output, base, offsets, position in
      var sum: Int64 = 0
      for offset in offsets { sum += x.centred[base + offset] }
      let count =
        countIncludePad ? pooling.window.paddedCount(at: position) : Double(offsets.count)
      y[output] = target.requantize(sum, Float(ratio / max(count, 1)))
    }
    guard channelsLast else { return target.tensor(pooling.shape, y) }
    guard let result = Tensor(target.element, pooling.shape, integers: y) else { return [nil] }
    return single(try ChannelsLast.last(result))
  }
}

extension PlacedWindow {
  /// Taps of the window at `position` that lie within the padded input.
  func paddedCount(at position: [Int]) -> Double {
    (0..<rank).reduce(1) { count, axis in
      let end = input[axis] + after[axis]
      return count * Double(taps(axis, at: position[axis], from: -before[axis], to: end).count)
    }
  }
}

/// The mean of each channel of an 8-bit tensor.
///
/// `X: [N, C, D1 … Dn]`, or `[N, D1 … Dn, C]` when `channelsLast`; spatial axes of the result have
/// extent 1. Arithmetic as in `QLinearAveragePool`, with `n` the elements of a channel.
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearGlobalAveragePool-1.
public struct QLinearGlobalAveragePool: Operator {
  public var channelsLast = false

  public init() {}

  public static let signature = Signature(
    "QLinearGlobalAveragePool", domain: OperatorName.contribDomain,
    [
      .init("X", .bytes), .scale("x_scale"), .init("x_zero_point", .bytes), .scale("y_scale"),
      .init("y_zero_point", .bytes),
    ],
    [.init("Y", .bytes)])

  public static let fields: [Field<QLinearGlobalAveragePool>] = [
    Field("channels_last", \.channelsLast)
  ]

  /// The axes that are averaged over.
  private func axes(_ rank: Int) -> Range<Int> { channelsLast ? 1..<rank - 1 : 2..<rank }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 3...)
    let shape = site.shape(0).map { shape in
      let axes = axes(shape.rank)
      return Shape(
        shape.dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
    }
    site.set(0, site.element(4), shape)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    guard x.shape.count >= 3 else { throw RunError(.badInput("X has rank \(x.shape.count)")) }
    let target = try call.target(scale: 3, zeroPoint: 4, element: x.element)
    return try x.mean(over: Set(axes(x.shape.count)), keepsAxes: true, to: target)
  }
}

extension QuantizedTensor {
  /// The mean of each group of elements, requantized.
  func mean(
    over axes: Set<Int>, keepsAxes: Bool, to target: QuantizedTarget
  ) throws(RunError) -> [Value?] {
    let plan = try ReductionPlan(shape, axes: axes, keepsAxes: keepsAxes)
    let sums = plan.fold(centred, from: 0) { $0 &+ $1 }
    let ratio = Double(scale) / Double(target.scale)
    let factor = Float(ratio / Double(max(plan.groupSize, 1)))
    return target.tensor(plan.shape, sums.map { target.requantize($0, factor) })
  }
}

/// The mean over the given axes of an 8-bit tensor; arithmetic as in `QLinearGlobalAveragePool`.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearReduceMean-1.
public struct QLinearReduceMean: Operator {
  /// In `-rank ..< rank`; none means all.
  public var axes: [Int] = []
  public var keepsAxes = true

  public init() {}

  public static let signature = Signature(
    "QLinearReduceMean", domain: OperatorName.contribDomain,
    [
      .init("data", .bytes), .scale("data_scale"), .zeroPoint("data_zero_point"),
      .scale("reduced_scale"), .zeroPoint("reduced_zero_point"),
    ],
    [.init("reduced", .bytes)])

  public static let fields: [Field<QLinearReduceMean>] = [
    Field("axes", \.axes, required: true), Field("keepdims", \.keepsAxes, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let element = site.has(4) ? site.element(4) : site.element(0)
    guard let input = site.shape(0) else { return site.set(0, element, nil) }
    let axes = try ReductionPlan.resolve(axes, rank: input.rank, skipsEmpty: false)
    site.set(
      0, element,
      ReductionPlan.shape(input, axes: axes, count: nil, keepsAxes: keepsAxes))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    let target = try call.target(scale: 3, zeroPoint: 4, element: x.element)
    let axes = try RunError.typed { () throws(TypeError) in
      try ReductionPlan.resolve(self.axes, rank: x.shape.count, skipsEmpty: false)
    }
    return try x.mean(over: axes, keepsAxes: keepsAxes, to: target)
  }
}

/// `MaxPool` of an 8-bit tensor whose channels stand last: `[N, D1 … Dn, C]`.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.NhwcMaxPool-1.
public struct NhwcMaxPool: Operator {
  public var autoPad = AutoPad.notSet
  public var ceilMode = false
  public var dilations: [Int]?
  public var kernelShape: [Int] = []
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "NhwcMaxPool", domain: OperatorName.contribDomain, [.init("x", .bytes)], [.init("y", .bytes)])

  public static let fields: [Field<NhwcMaxPool>] = [
    Field("auto_pad", \.autoPad), Field("ceil_mode", \.ceilMode), Field("dilations", \.dilations),
    Field("kernel_shape", \.kernelShape, required: true), Field("pads", \.pads),
    Field("strides", \.strides),
  ]

  /// The standard operator on channels first.
  var plain: MaxPool {
    var pool = MaxPool()
    (pool.autoPad, pool.ceilMode, pool.dilations) = (autoPad, ceilMode, dilations)
    (pool.kernelShape, pool.pads, pool.strides) = (kernelShape, pads, strides)
    return pool
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let plain = plain
    try site.inferChannelsLast { (inner) throws(TypeError) in try plain.infer(&inner) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let call = try call.channelsFirst()
    guard let y = try plain.evaluate(call).first??.tensor else { return [nil] }
    return single(try ChannelsLast.last(y))
  }
}
