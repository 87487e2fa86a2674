import WherryGraph

/// An integer convolution as float: `float32(acc) * float32(x_scale * w_scale)`, then the bias.
///
/// `x: [N, C, …]`, scale and zero point one number each; `w: [M, C / group, …]`, scale and zero point
/// one number or `[M]`; `bias: [M]`. Sums are exact; each later step is one float32 operation.
public struct ConvIntegerToFloat: Operator {
  public var autoPad = AutoPad.notSet
  public var dilations: [Int]?
  public var group = 1
  public var kernelShape: [Int]?
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "ConvIntegerToFloat", domain: OperatorName.ownDomain,
    [
      .init("x", .bytes), .init("w", .bytes), .scale("x_scale"), .scale("w_scale"),
      .zeroPoint("x_zero_point"), .zeroPoint("w_zero_point"), .init("bias", .float32, .optional),
    ],
    [.init("y", .float32)])

  public static let fields: [Field<ConvIntegerToFloat>] = [
    Field("auto_pad", \.autoPad), Field("dilations", \.dilations), Field("group", \.group),
    Field("kernel_shape", \.kernelShape), Field("pads", \.pads), Field("strides", \.strides),
  ]

  /// The convolution alone.
  public var sums: ConvInteger {
    var conv = ConvInteger()
    (conv.autoPad, conv.dilations, conv.group) = (autoPad, dilations, group)
    (conv.kernelShape, conv.pads, conv.strides) = (kernelShape, pads, strides)
    return conv
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferConvolution(
      x: 0, w: 1, groups: group, kernel: kernelShape, element: .float32, window: sums.window)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, w) = (try call.tensor(0), try call.tensor(1))
    let convolve = try Convolution(x.shape, w.shape, groups: group, window: sums.window)
    let filters = w.shape[0]
    let scale = try call.scale(2)
    let scales = try call.tensor(3).doubles.map { scale * Float($0) }
    let bias = try call.optionalTensor(6)?.doubles.map { Float($0) }
    guard scales.count == 1 || scales.count == filters, bias == nil || bias?.count == filters else {
      throw RunError(.badInput("scales or bias for \(filters) filters"))
    }
    let exact = convolve(
      try x.centred(call.optionalTensor(4), perChannel: false),
      try w.centred(call.optionalTensor(5), perChannel: true))
    let plane = convolve.window.outputCount
    let y = exact.enumerated().map { index, sum in
      let filter = index / plane % filters
      let real = Float(sum) * scales[scales.count == 1 ? 0 : filter]
      return bias.map { real + $0[filter] } ?? real
    }
    return single(Tensor(.float32, convolve.shape, elements: y))
  }
}
