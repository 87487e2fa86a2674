import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let coreLayers: [LayerBinding] = [
    LayerBinding("InputLayer") { (site) throws(DecodeError) in site.inputs },
    LayerBinding(
      "Dense",
      slots: { (settings) throws(DecodeError) in
        WeightSlot.list(["kernel", try settings.flag("use_bias", true) ? "bias" : nil])
      }
    ) { (site) throws(DecodeError) in [try site.dense()] },
    LayerBinding("Dropout") { (site) throws(DecodeError) in
      let rate = try site.settings.number("rate", 0)
      return [try site.map(Dropout(), try site.input(), rate, "rate")]
    },
    LayerBinding(
      "Identity", "ActivityRegularization", "GaussianNoise", "GaussianDropout", "AlphaDropout",
      "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "RandomFlip", "RandomRotation",
      "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomHeight",
      "RandomWidth", "RandomGrayscale", "RandomHue", "RandomSaturation", "RandomSharpness",
      "RandomShear", "RandomColorJitter", "RandomColorDegeneration", "RandomErasing",
      "RandomGaussianBlur", "RandomInvert", "RandomPosterization", "RandomPerspective",
      "RandomElasticTransform", "RandAugment", "AugMix", "MixUp", "CutMix"
    ) { (site) throws(DecodeError) in [try site.map(Identity(), try site.input())] },
  ]
}

extension LayerSite {
  /// `activation(x · kernel + bias)` over the last axis.
  fileprivate func dense() throws(DecodeError) -> KerasTensor {
    let input = try floating()
    let kernel = try weight("kernel", rank: 2).tensor
    let units = kernel.shape[1]
    let hasBias = try settings.flag("use_bias", true)
    let bias = hasBias ? try constant("bias", rank: 1) : nil
    if let extent = input.dimensions.last?.extent, extent != kernel.shape[0] {
      throw invalid("\(extent) inputs for a kernel of \(kernel.shape)")
    }
    let output: KerasTensor
    if input.rank == 2 {
      output = try product(input, bias)
    } else if input.position(input.rank - 1) == 1, (3...5).contains(input.rank),
      input.position(0) == 0
    {
      output = try pointwise(input, units, bias)
    } else {
      // The product runs over the last axis, wherever the others stand.
      let last = input.rank - 1
      let order = input.order.filter { $0 != last } + [last]
      let wire = try arranged(input, order)
      var result = try emit(MatMul(), [wire, try constant("kernel")])
      if let bias { result = try emit(Add(), [result, bias]) }
      output = KerasTensor(result, order: order, mask: input.mask)
    }
    return try activated(output)
  }

  /// The product of a matrix, whose columns may stand in the order of a flattened image.
  private func product(_ input: KerasTensor, _ bias: Wire?) throws(DecodeError) -> KerasTensor {
    var wire = input.wire
    let kernel: Wire
    if input.isFlat {
      wire = try flattened(wire)
      let extents = input.unflattened.dropFirst().compactMap(\.extent)
      guard extents.count == input.order.count - 1 else {
        throw unsupported("a dense layer on an image of unknown size")
      }
      let order = input.order.dropFirst().map { $0 - 1 }
      let isMoved =
        input.order.filter { input.unflattened[$0] != 1 }
        != input.order.sorted().filter {
          input.unflattened[$0] != 1
        }
      kernel = try constant(
        "kernel", form: isMoved ? "channels first" : ""
      ) { tensor in
        guard isMoved else { return tensor }
        return tensor.reshaped(extents + [tensor.shape[1]])?
          .permuted(order + [extents.count])?.reshaped(tensor.shape)
      }
    } else {
      wire = try plain(input)
      kernel = try constant("kernel")
    }
    if let bias { return KerasTensor(try emit(Gemm(), [wire, kernel, bias])) }
    return KerasTensor(try emit(MatMul(), [wire, kernel]))
  }

  /// A dense layer on the channels of an image whose channels stand in front: a convolution of size 1.
  private func pointwise(
    _ input: KerasTensor, _ units: Int, _ bias: Wire?
  ) throws(DecodeError) -> KerasTensor {
    let spatial = input.rank - 2
    let kernel = try constant("kernel", form: "pointwise") { tensor in
      tensor.permuted([1, 0])?.reshaped(
        [tensor.shape[1], tensor.shape[0]] + Array(repeating: 1, count: spatial))
    }
    var conv = Conv()
    conv.kernelShape = Array(repeating: 1, count: spatial)
    let wire = try emit(conv, [input.wire, kernel, bias])
    return KerasTensor(wire, order: input.order, mask: input.mask)
  }
}
