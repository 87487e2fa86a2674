import WherryGraph

/// Integer convolution of 8-bit values less their zero points; sums wrap at 32 bits.
///
/// `x: [N, C, …]`, `w: [M, C / group, …]`, zero points scalar or, for `w`, `[M]`; `y: [N, M, …] int32`.
/// - Source: ONNX operator specification, ConvInteger-10.
public struct ConvInteger: Operator {
  public var autoPad = AutoPad.notSet
  public var dilations: [Int]?
  public var group = 1
  public var kernelShape: [Int]?
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "ConvInteger",
    [
      .init("x", .bytes), .init("w", .bytes), .init("x_zero_point", .bytes, .optional),
      .init("w_zero_point", .bytes, .optional),
    ],
    [.init("y", ElementSet(.int32))])

  public static let fields: [Field<ConvInteger>] = [
    Field("auto_pad", \.autoPad), Field("dilations", \.dilations), Field("group", \.group),
    Field("kernel_shape", \.kernelShape), Field("pads", \.pads), Field("strides", \.strides),
  ]

  func window(_ kernel: [Int]) throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape ?? kernel, strides: strides, dilations: dilations, pads: pads,
      autoPad: autoPad)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferConvolution(
      x: 0, w: 1, groups: group, kernel: kernelShape, element: .int32, window: window)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, w) = (try call.tensor(0), try call.tensor(1))
    let convolve = try Convolution(x.shape, w.shape, groups: group, window: window)
    let sums = convolve(
      try x.centred(call.optionalTensor(2), perChannel: false),
      try w.centred(call.optionalTensor(3), perChannel: true))
    let integers = sums.map { Int64(exactly: $0) ?? 0 }
    return [Tensor(.int32, convolve.shape, integers: integers).map { .tensor($0) }]
  }
}

/// Convolution of linearly quantized 8-bit values, requantized to the output's scale.
///
/// `x: [N, C, …]`, `w: [M, C / group, …]`, `B: [M] int32` at scale `x_scale * w_scale`; scales and zero
/// points are scalar, those of `w` also `[M]`. Requantization rounds half to even and saturates:
/// `y = saturate(round(float32(acc) * s) + zero)`, `s = float32(x_scale * w_scale / y_scale)`.
/// - Source: ONNX operator specification, QLinearConv-10.
public struct QLinearConv: Operator {
  public var autoPad = AutoPad.notSet
  public var dilations: [Int]?
  public var group = 1
  public var kernelShape: [Int]?
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "QLinearConv",
    [
      .init("x", .bytes), .init("x_scale", ElementSet(.float32)), .init("x_zero_point", .bytes),
      .init("w", .bytes), .init("w_scale", ElementSet(.float32)), .init("w_zero_point", .bytes),
      .init("y_scale", ElementSet(.float32)), .init("y_zero_point", .bytes),
      .init("B", ElementSet(.int32), .optional),
    ],
    [.init("y", .bytes)])

  public static let fields: [Field<QLinearConv>] = [
    Field("auto_pad", \.autoPad), Field("dilations", \.dilations), Field("group", \.group),
    Field("kernel_shape", \.kernelShape), Field("pads", \.pads), Field("strides", \.strides),
  ]

  func window(_ kernel: [Int]) throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape ?? kernel, strides: strides, dilations: dilations, pads: pads,
      autoPad: autoPad)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferConvolution(
      x: 0, w: 3, groups: group, kernel: kernelShape, element: site.element(7), window: window)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, w, zero) = (try call.tensor(0), try call.tensor(3), try call.tensor(7))
    let convolve = try Convolution(x.shape, w.shape, groups: group, window: window)
    let filters = w.shape[0]
    let weightScales = try call.tensor(4).doubles
    guard let inputScale = try call.tensor(1).doubles.first,
      let outputScale = try call.tensor(6).doubles.first, let offset = zero.doubles.first,
      weightScales.count == 1 || weightScales.count == filters
    else { throw RunError(.badInput("scales for \(filters) filters")) }
    let bias = try call.optionalTensor(8)
    if let bias, bias.count != filters {
      throw RunError(.badInput("B \(bias.shape) for \(filters) filters"))
    }
    let sums = convolve(
      try x.centred(call.tensor(2), perChannel: false),
      try w.centred(call.tensor(5), perChannel: true), bias: bias?.doubles)
    let scales = (0..<filters).map { filter in
      Float(inputScale * weightScales[weightScales.count == 1 ? 0 : filter] / outputScale)
    }
    let plane = convolve.window.outputCount
    let y = sums.enumerated().map { index, sum in
      Double((Float(sum) * scales[index / plane % filters]).rounded(.toNearestOrEven)) + offset
    }
    return [Tensor(zero.element, convolve.shape, doubles: y).map { .tensor($0) }]
  }
}

extension ElementSet {
  /// int8 and uint8.
  static let bytes = ElementSet(.int8, .uint8)
}

extension Tensor {
  /// The elements less a zero point, which is scalar or has one value for each first index.
  ///
  /// - Throws: `RunError.badInput` when its length is neither.
  func centred(_ zero: Tensor?, perChannel: Bool) throws(RunError) -> [Double] {
    let numbers = doubles
    guard let zero else { return numbers }
    let zeros = zero.doubles
    if zeros.count == 1 { return numbers.map { $0 - zeros[0] } }
    guard perChannel, let channels = shape.first, zeros.count == channels, channels > 0 else {
      throw RunError(.badInput("a zero point of shape \(zero.shape) for \(shape)"))
    }
    let size = max(numbers.count / channels, 1)
    return numbers.enumerated().map { $1 - zeros[$0 / size] }
  }
}
