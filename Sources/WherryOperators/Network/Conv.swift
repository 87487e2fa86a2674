import WherryGraph

/// Convolution over any number of spatial axes.
///
/// `X: [N, C, D1 … Dn]`, `W: [M, C / group, k1 … kn]`, `B: [M]`, `Y: [N, M, …]`.
/// - Source: ONNX operator specification, Conv-22.
public struct Conv: Operator {
  public var autoPad = AutoPad.notSet
  public var dilations: [Int]?
  public var group = 1
  /// Those of `W` when nil.
  public var kernelShape: [Int]?
  /// Beginnings of all axes, then ends.
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "Conv", [.init("X", .floats), .init("W", .floats), .init("B", .floats, .optional)],
    [.init("Y", .floats)])

  public static let fields: [Field<Conv>] = [
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
      x: 0, w: 1, groups: group, kernel: kernelShape, element: site.element(0), window: window)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, w) = (try call.tensor(0), try call.tensor(1))
    let convolve = try Convolution(x.shape, w.shape, groups: group, window: window)
    let bias = try call.optionalTensor(2)
    if let bias, bias.count != w.shape[0] {
      throw RunError(.badInput("B \(bias.shape) for \(w.shape[0]) filters"))
    }
    let y = convolve(x.doubles, w.doubles, bias: bias?.doubles)
    return [Tensor(x.element, convolve.shape, doubles: y).map { .tensor($0) }]
  }
}

extension InferenceSite {
  /// The type of a convolution's only output.
  mutating func inferConvolution(
    x: Int, w: Int, groups: Int, kernel: [Int]?, element: ElementType?,
    window: ([Int]) throws(TypeError) -> Window
  ) throws(TypeError) {
    guard let input = shape(x)?.dimensions else { return set(0, element, nil) }
    let weights = shape(w)?.dimensions
    if let weights { try Convolution.check(input, weights, groups: groups) }
    var output: [Dimension] = [input.first ?? .unknown, weights?.first ?? .unknown]
    let taps = weights.flatMap { Shape(Array($0.dropFirst(2))).extents } ?? kernel
    if let taps, taps.count == input.count - 2 {
      output += try window(taps).outputs(input.dropFirst(2))
    } else {
      output += input.dropFirst(2).map { _ in .unknown }
    }
    set(0, element, Shape(output))
  }
}
