import WherryGraph

/// Convolution of an image whose taps are displaced by learned offsets and weighted by a mask.
///
/// `X: [N, C, H, W]`, `W: [M, C / group, kH, kW]`,
/// `offset: [N, offset_group * kH * kW * 2, oH, oW]` (down, then right, for each tap), `B: [M]`,
/// `mask: [N, offset_group * kH * kW, oH, oW]`. Values between pixels are bilinear, outside zero.
/// - Source: ONNX operator specification, DeformConv-22.
public struct DeformConv: Operator {
  public var dilations: [Int]?
  public var group = 1
  public var kernelShape: [Int]?
  public var offsetGroup = 1
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "DeformConv",
    [
      .init("X", .floats), .init("W", .floats), .init("offset", .floats),
      .init("B", .floats, .optional), .init("mask", .floats, .optional),
    ],
    [.init("Y", .floats)])

  public static let fields: [Field<DeformConv>] = [
    Field("dilations", \.dilations), Field("group", \.group), Field("kernel_shape", \.kernelShape),
    Field("offset_group", \.offsetGroup), Field("pads", \.pads), Field("strides", \.strides),
  ]

  func window(_ kernel: [Int]) throws(TypeError) -> Window {
    try Window(
      kernel: kernelShape ?? kernel, strides: strides, dilations: dilations, pads: pads)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferConvolution(
      x: 0, w: 1, groups: group, kernel: kernelShape, element: site.element(0), window: window)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, w) = (try call.tensor(0), try call.tensor(1))
    let convolve = try Convolution(x.shape, w.shape, groups: group, window: window)
    guard x.rank == 4 else { throw RunError(.unsupported("DeformConv of rank \(x.rank)")) }
    let window = convolve.window
    let (taps, positions, channels) = (window.tapCount, window.outputCount, x.shape[1])
    let (offset, mask) = (try call.tensor(2), try call.optionalTensor(4))
    guard offsetGroup > 0, channels % offsetGroup == 0, offsetGroup <= max(channels, 1),
      offset.shape == [convolve.batch, offsetGroup * taps * 2] + window.output,
      mask.map({ $0.shape == [convolve.batch, offsetGroup * taps] + window.output }) ?? true
    else {
      throw RunError(.badInput("offset \(offset.shape) for \(offsetGroup) groups, \(taps) taps"))
    }
    let bias = try call.optionalTensor(3)
    if let bias, bias.count != w.shape[0] {
      throw RunError(.badInput("B \(bias.shape) for \(w.shape[0]) filters"))
    }
    let (values, shifts, weights) = (x.doubles, offset.doubles, mask?.doubles)
    let (height, width) = (window.input[0], window.input[1])
    let y = convolve.apply(w.doubles, bias: bias?.doubles) { image, group, range, panel, step in
      for channel in 0..<convolve.inputChannels {
        let plane = group * convolve.inputChannels + channel
        let base = (image * channels + plane) * window.inputCount
        let shiftGroup = image * offsetGroup + plane / (channels / offsetGroup)
        for tap in 0..<taps {
          let (row, column) = (tap / window.kernel[1], tap % window.kernel[1])
          let shift = (shiftGroup * taps + tap) * 2 * positions
          for position in range {
            let (down, right) = (position / window.output[1], position % window.output[1])
            let top = down * window.strides[0] + row * window.dilations[0] - window.before[0]
            let left = right * window.strides[1] + column * window.dilations[1] - window.before[1]
            let value = bilinear(
              values, base, height, width, Double(top) + shifts[shift + position],
              Double(left) + shifts[shift + positions + position])
            let weight = weights?[(shiftGroup * taps + tap) * positions + position] ?? 1
            panel[(channel * taps + tap) * step + position - range.lowerBound] = value * weight
          }
        }
      }
    }
    return [Tensor(x.element, convolve.shape, doubles: y).map { .tensor($0) }]
  }
}

/// The value between the four pixels around (y, x); pixels outside are zero.
private func bilinear(
  _ values: [Double], _ base: Int, _ height: Int, _ width: Int, _ y: Double, _ x: Double
) -> Double {
  guard y > -1, x > -1, y < Double(height), x < Double(width) else { return 0 }
  let (top, left) = (Int(y.rounded(.down)), Int(x.rounded(.down)))
  let (down, right) = (y - Double(top), x - Double(left))
  func pixel(_ row: Int, _ column: Int) -> Double {
    guard row >= 0, row < height, column >= 0, column < width else { return 0 }
    return values[base + row * width + column]
  }
  return (1 - down) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1))
    + down * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1))
}
