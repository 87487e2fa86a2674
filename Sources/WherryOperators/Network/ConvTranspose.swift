import WherryGraph

/// The transpose of a convolution: every input element adds its weighted window to the output.
///
/// `X: [N, C, D1 … Dn]`, `W: [C, M / group, k1 … kn]`, `B: [M]`, `Y: [N, M, …]`. An output extent is
/// `stride * (input - 1) + output_padding + span - pads`, or what `output_shape` says.
/// - Source: ONNX operator specification, ConvTranspose-22.
public struct ConvTranspose: Operator {
  public var autoPad = AutoPad.notSet
  public var dilations: [Int]?
  public var group = 1
  /// Those of `W` when nil.
  public var kernelShape: [Int]?
  public var outputPadding: [Int]?
  /// Spatial extents from which the padding follows.
  public var outputShape: [Int]?
  /// Beginnings of all axes, then ends.
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "ConvTranspose", [.init("X", .floats), .init("W", .floats), .init("B", .floats, .optional)],
    [.init("Y", .floats)])

  public static let fields: [Field<ConvTranspose>] = [
    Field("auto_pad", \.autoPad), Field("dilations", \.dilations), Field("group", \.group),
    Field("kernel_shape", \.kernelShape), Field("output_padding", \.outputPadding),
    Field("output_shape", \.outputShape), Field("pads", \.pads), Field("strides", \.strides),
  ]

  private func window(_ kernel: [Int]) throws(TypeError) -> Window {
    for (name, list) in [("output_padding", outputPadding), ("output_shape", outputShape)] {
      guard let list, !list.isEmpty else { continue }
      guard list.count == kernel.count, list.allSatisfy({ $0 >= 0 && $0 < 1 << 30 }) else {
        throw TypeError(.attribute(name, "\(list) for \(kernel.count) spatial axes"))
      }
    }
    return try Window(
      kernel: kernelShape ?? kernel, strides: strides, dilations: dilations, pads: pads,
      autoPad: autoPad)
  }

  /// Padding before and after `axis`, and the output's extent.
  private func place(
    _ axis: Int, _ window: Window, on input: Int
  ) throws(TypeError) -> (before: Int, after: Int, output: Int) {
    guard input < 1 << 30 else { throw TypeError(.shape("an extent of \(input)")) }
    let extra = outputPadding.flatMap { $0.isEmpty ? nil : $0[axis] } ?? 0
    let full = window.strides[axis] * (input - 1) + extra + window.span(axis)
    var wanted = outputShape.flatMap { $0.isEmpty ? nil : $0[axis] }
    if wanted == nil, autoPad == .sameUpper || autoPad == .sameLower {
      wanted = input * window.strides[axis]
    }
    if let wanted {
      let total = max(0, full - wanted)
      let before = autoPad == .sameUpper ? total / 2 : total - total / 2
      return (before, total - before, wanted)
    }
    let before = autoPad == .valid ? 0 : window.pads[axis]
    let after = autoPad == .valid ? 0 : window.pads[axis + window.kernel.count]
    guard full - before - after >= 0 else {
      throw TypeError(.shape("padding of \(before) and \(after) on an output of \(full)"))
    }
    return (before, after, full - before - after)
  }

  private func check(_ x: [Dimension], _ w: [Dimension]) throws(TypeError) {
    guard x.count >= 3 else { throw TypeError(.rank(input: 0, x.count, expected: "at least 3")) }
    guard w.count == x.count else {
      throw TypeError(.rank(input: 1, w.count, expected: "\(x.count)"))
    }
    guard group > 0 else { throw TypeError(.attribute("group", "\(group)")) }
    guard Dimension.merge(x[1], w[0]) != nil, (w[0].extent ?? 0) % group == 0 else {
      throw TypeError(.shape("\(x[1]) channels, weights for \(w[0]), \(group) groups"))
    }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let x = site.shape(0)?.dimensions else { return site.set(0, site.element(0), nil) }
    let w = site.shape(1)?.dimensions
    if let w { try check(x, w) }
    let filters = w.flatMap { $0[1].extent }.flatMap { $0 < 1 << 30 ? $0 * group : nil }
    var output: [Dimension] = [x.first ?? .unknown, filters.map { .fixed($0) } ?? .unknown]
    let kernel = w.flatMap { Shape(Array($0.dropFirst(2))).extents } ?? kernelShape
    if let kernel, kernel.count == x.count - 2 {
      let window = try window(kernel)
      for (axis, dimension) in x.dropFirst(2).enumerated() {
        if let extent = dimension.extent {
          output.append(.fixed(try place(axis, window, on: extent).output))
        } else {
          output.append(outputShape.map { $0.isEmpty ? .unknown : .fixed($0[axis]) } ?? .unknown)
        }
      }
    } else {
      output += x.dropFirst(2).map { _ in .unknown }
    }
    site.set(0, site.element(0), Shape(output))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, w) = (try call.tensor(0), try call.tensor(1))
    let window = try RunError.typed { () throws(TypeError) -> Window in
      try check(x.shape.map { .fixed($0) }, w.shape.map { .fixed($0) })
      return try self.window(Array(w.shape.dropFirst(2)))
    }
    guard window.kernel == Array(w.shape.dropFirst(2)) else {
      throw RunError(.badInput("kernel_shape \(window.kernel) for weights of shape \(w.shape)"))
    }
    let input = Array(x.shape.dropFirst(2))
    var (before, after, output): ([Int], [Int], [Int]) = ([], [], [])
    for (axis, extent) in input.enumerated() {
      let place = try RunError.typed { () throws(TypeError) in
        try self.place(axis, window, on: extent)
      }
      before.append(place.before)
      after.append(place.after)
      output.append(place.output)
    }
    // Seen from the output, this is the window of the convolution that is transposed.
    let placed = PlacedWindow(window, before: before, after: after, input: output, output: input)
    let (batch, channels, filters) = (x.shape[0], x.shape[1] / group, w.shape[1])
    _ = try RunError.count([group, filters])
    let shape = [batch, filters * group] + output
    var y = [Double](repeating: 0, count: try RunError.count(shape))
    let taps = placed.tapCount
    let (positions, size) = (placed.outputCount, placed.inputCount)
    _ = try RunError.count([taps, positions])
    let (values, weights) = (x.doubles, w.doubles)
    let step = placed.strides.last ?? 1
    for plane in 0..<group * filters where channels * positions * taps > 0 {
      let (ownGroup, filter) = (plane / filters, plane % filters)
      // [taps, channels] of this filter
      var kernel = [Double](repeating: 0, count: taps * channels)
      for channel in 0..<channels {
        let start = ((ownGroup * channels + channel) * filters + filter) * taps
        for tap in 0..<taps { kernel[tap * channels + channel] = weights[start + tap] }
      }
      for image in 0..<batch {
        let start = (image * group + ownGroup) * channels * positions
        let columns = product(
          kernel[...], values[start..<start + channels * positions], m: taps, k: channels,
          n: positions)
        let target = (image * group * filters + plane) * size
        placed.forEachRun(in: 0..<positions) { tap, position, offset, count in
          let source = tap * positions + position
          for index in 0..<count { y[target + offset + index * step] += columns[source + index] }
        }
      }
    }
    if let bias = try call.optionalTensor(2) {
      let bias = bias.doubles
      guard bias.count == group * filters else {
        throw RunError(.badInput("B has \(bias.count) values for \(group * filters) filters"))
      }
      for index in y.indices { y[index] += bias[index / size % bias.count] }
    }
    return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
  }
}
