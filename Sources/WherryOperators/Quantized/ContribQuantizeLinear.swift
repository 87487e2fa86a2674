import WherryGraph

/// `QuantizeLinear` of ONNX Runtime's domain, which had more element types earlier than the standard.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QuantizeLinear-1.
public struct ContribQuantizeLinear: Operator {
  public var axis: Int?

  public init() {}

  private static let reals = ElementSet(.float32, .float16)
  private static let quantized = ElementSet(.int4, .uint4, .int8, .uint8, .int16, .uint16)
  public static let signature = Signature(
    "QuantizeLinear", domain: OperatorName.contribDomain,
    [
      .init("x", reals), .init("y_scale", reals), .init("y_zero_point", quantized, .optional),
    ],
    [.init("y", quantized)])
  public static let fields: [Field<ContribQuantizeLinear>] = [Field("axis", \.axis)]

  /// The standard operator that does the same.
  public var plain: QuantizeLinear {
    var plain = QuantizeLinear()
    if let axis { plain.axis = axis }
    return plain
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) { try plain.infer(&site) }
  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try plain.evaluate(call)
  }
}

/// `DequantizeLinear` of ONNX Runtime's domain.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.DequantizeLinear-1.
public struct ContribDequantizeLinear: Operator {
  public var axis: Int?

  public init() {}

  private static let reals = ElementSet(.float32, .float16)
  private static let quantized = ElementSet(
    .int4, .uint4, .int8, .uint8, .int16, .uint16, .int32)
  public static let signature = Signature(
    "DequantizeLinear", domain: OperatorName.contribDomain,
    [
      .init("x", quantized), .init("x_scale", reals), .init("x_zero_point", quantized, .optional),
    ],
    [.init("y", reals)])
  public static let fields: [Field<ContribDequantizeLinear>] = [Field("axis", \.axis)]

  /// The standard operator that does the same.
  public var plain: DequantizeLinear {
    var plain = DequantizeLinear()
    if let axis { plain.axis = axis }
    return plain
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) { try plain.infer(&site) }
  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try plain.evaluate(call)
  }
}

/// `QLinearConv` of ONNX Runtime's domain, whose image may have its channels last.
///
/// `x: [N, D1 … Dn, C]` and `y: [N, D1 … Dn, M]` when `channelsLast`; weights as in the standard.
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearConv-1.
public struct ContribQLinearConv: Operator {
  public var autoPad = AutoPad.notSet
  public var channelsLast = false
  public var dilations: [Int]?
  public var group = 1
  public var kernelShape: [Int]?
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "QLinearConv", domain: OperatorName.contribDomain, QLinearConv.signature.inputs,
    QLinearConv.signature.outputs)

  public static let fields: [Field<ContribQLinearConv>] = [
    Field("auto_pad", \.autoPad), Field("channels_last", \.channelsLast),
    Field("dilations", \.dilations), Field("group", \.group), Field("kernel_shape", \.kernelShape),
    Field("pads", \.pads), Field("strides", \.strides),
  ]

  /// The standard operator on channels first.
  public var plain: QLinearConv {
    var conv = QLinearConv()
    (conv.autoPad, conv.dilations, conv.group) = (autoPad, dilations, group)
    (conv.kernelShape, conv.pads, conv.strides) = (kernelShape, pads, strides)
    return conv
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let plain = plain
    guard channelsLast else { return try plain.infer(&site) }
    try site.inferChannelsLast { (inner) throws(TypeError) in try plain.infer(&inner) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard channelsLast else { return try plain.evaluate(call) }
    guard let y = try plain.evaluate(try call.channelsFirst()).first??.tensor else { return [nil] }
    return single(try ChannelsLast.last(y))
  }
}
