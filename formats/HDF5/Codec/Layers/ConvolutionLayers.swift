import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  private static let kernelAndBias: Slots = { (settings) throws(DecodeError) in
    WeightSlot.list(["kernel", try settings.flag("use_bias", true) ? "bias" : nil])
  }

  static let convolutionLayers: [LayerBinding] =
    (1...3).flatMap { spatial in
      [
        LayerBinding("Conv\(spatial)D", slots: kernelAndBias) { (site) throws(DecodeError) in
          [try site.convolution(spatial)]
        },
        LayerBinding("Conv\(spatial)DTranspose", slots: kernelAndBias) {
          (site) throws(DecodeError) in
          [try site.transposedConvolution(spatial)]
        },
      ]
    }
    + (1...2).flatMap { spatial in
      [
        LayerBinding(
          "DepthwiseConv\(spatial)D",
          slots: { (settings) throws(DecodeError) in
            WeightSlot.list([
              "depthwise_kernel", try settings.flag("use_bias", true) ? "bias" : nil,
            ])
          }
        ) { (site) throws(DecodeError) in [try site.depthwise(spatial)] },
        LayerBinding(
          "SeparableConv\(spatial)D",
          slots: { (settings) throws(DecodeError) in
            WeightSlot.list([
              "depthwise_kernel", "pointwise_kernel",
              try settings.flag("use_bias", true) ? "bias" : nil,
            ])
          }
        ) { (site) throws(DecodeError) in [try site.separable(spatial)] },
      ]
    }
}

extension LayerSite {
  private func bias() throws(DecodeError) -> Wire? {
    try settings.flag("use_bias", true) ? try constant("bias", rank: 1) : nil
  }

  private func window(_ spatial: Int, kernel: [Int]) throws(DecodeError) -> SpatialPadding {
    try SpatialPadding(
      self, kernel: kernel, strides: try settings.extents("strides", spatial, 1),
      dilations: try settings.extents("dilation_rate", spatial, 1))
  }

  private func conv(_ window: SpatialPadding, on wire: Wire, groups: Int) -> Conv {
    var conv = Conv()
    conv.kernelShape = window.kernel
    if window.strides.contains(where: { $0 != 1 }) { conv.strides = window.strides }
    if window.dilations.contains(where: { $0 != 1 }) { conv.dilations = window.dilations }
    (conv.pads, conv.autoPad) = window.attributes(Array(wire.shape.dimensions.dropFirst(2)))
    conv.group = groups
    return conv
  }

  /// Kernels are `[k1 …, in / groups, out]`.
  fileprivate func convolution(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let (wire, order) = try image(spatial)
    let extents = Array(try weight("kernel", rank: spatial + 2).shape.prefix(spatial))
    let kernel = try constant("kernel", form: "filters first") { tensor in
      tensor.permuted([spatial + 1, spatial] + Array(0..<spatial))
    }
    let operation = conv(
      try window(spatial, kernel: extents), on: wire, groups: try settings.integer("groups", 1))
    let result = try emit(operation, [wire, kernel, try bias()])
    return try activated(KerasTensor(result, order: order))
  }

  /// `[k1 …, in, multiplier]` as `[in · multiplier, 1, k1 …]`.
  private func depthwise(
    _ spatial: Int, on wire: Wire, bias: Wire?
  ) throws(DecodeError) -> Wire {
    let shape = try weight("depthwise_kernel", rank: spatial + 2).shape
    let extents = Array(shape.prefix(spatial))
    let kernel = try constant("depthwise_kernel", form: "filters first") { tensor in
      tensor.permuted([spatial, spatial + 1] + Array(0..<spatial))?
        .reshaped([shape[spatial] * shape[spatial + 1], 1] + extents)
    }
    let operation = conv(try window(spatial, kernel: extents), on: wire, groups: shape[spatial])
    return try emit(operation, [wire, kernel, bias], "Depthwise")
  }

  fileprivate func depthwise(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let (wire, order) = try image(spatial)
    let result = try depthwise(spatial, on: wire, bias: try bias())
    return try activated(KerasTensor(result, order: order))
  }

  fileprivate func separable(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let (wire, order) = try image(spatial)
    let middle = try depthwise(spatial, on: wire, bias: nil)
    let kernel = try constant("pointwise_kernel", rank: spatial + 2, form: "filters first") {
      tensor in tensor.permuted([spatial + 1, spatial] + Array(0..<spatial))
    }
    var operation = Conv()
    operation.kernelShape = Array(repeating: 1, count: spatial)
    let result = try emit(operation, [middle, kernel, try bias()], "Pointwise")
    return try activated(KerasTensor(result, order: order))
  }

  /// Kernels are `[k1 …, out, in]`; the output's extent is that whose convolution gives the input's.
  fileprivate func transposedConvolution(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let (wire, order) = try image(spatial)
    let extents = Array(try weight("kernel", rank: spatial + 2).shape.prefix(spatial))
    let kernel = try constant("kernel", form: "inputs first") { tensor in
      tensor.permuted([spatial + 1, spatial] + Array(0..<spatial))
    }
    let window = try window(spatial, kernel: extents)
    let additions =
      settings["output_padding"] == nil
      ? nil : try settings.extents("output_padding", spatial, least: 0)
    var operation = ConvTranspose()
    (operation.kernelShape, operation.strides) = (extents, window.strides)
    if window.dilations.contains(where: { $0 != 1 }) { operation.dilations = window.dilations }
    var (before, after, extra): ([Int], [Int], [Int]) = ([], [], [])
    for axis in 0..<spatial {
      let span = (extents[axis] - 1) * window.dilations[axis] + 1
      let stride = window.strides[axis]
      let pads = try transposedPads(
        span: span, stride: stride, isSame: window.mode == .same, addition: additions?[axis])
      before.append(pads.before)
      after.append(pads.after)
      extra.append(pads.extra)
    }
    if (before + after).contains(where: { $0 != 0 }) { operation.pads = before + after }
    if extra.contains(where: { $0 != 0 }) { operation.outputPadding = extra }
    let result = try emit(operation, [wire, kernel, try bias()])
    return try activated(KerasTensor(result, order: order))
  }

  /// What is cut from a transposed convolution's ends and added behind.
  ///
  /// - Source: Keras 3, `backend/common/backend_utils.py`, `compute_conv_transpose_output_shape`.
  private func transposedPads(
    span: Int, stride: Int, isSame: Bool, addition: Int?
  ) throws(DecodeError) -> (before: Int, after: Int, extra: Int) {
    // The full extent is (input - 1) * stride + span; the wanted one differs by this much.
    let surplus: Int
    if let addition {
      surplus = isSame ? 2 * (span / 2) - addition : -addition
    } else {
      surplus = isSame ? span - stride : -max(0, stride - span)
    }
    guard surplus > 0 else { return (0, 0, -surplus) }
    return isSame && addition == nil
      ? (surplus / 2, surplus - surplus / 2, 0) : (surplus / 2, surplus - surplus / 2, 0)
  }
}
