import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let convolutionalRecurrentLayers: [LayerBinding] = (1...3).map { spatial in
    LayerBinding("ConvLSTM\(spatial)D", slots: RecurrentNet.slots) { (site) throws(DecodeError) in
      try site.convolutionalRecurrence(spatial)
    }
  }
}

extension LayerSite {
  /// Steps written out at most.
  private static let mostSteps = 256

  /// An LSTM whose products are convolutions, step after step: the graph has no operator for it.
  ///
  /// - Source: Keras 3, `layers/rnn/conv_lstm.py`.
  fileprivate func convolutionalRecurrence(_ spatial: Int) throws(DecodeError) -> [KerasTensor] {
    let x = try input(rank: spatial + 3...spatial + 3)
    guard stepMask() == nil else { throw unsupported("a mask") }
    let channels = try settings.channelsFirst() ? 2 : spatial + 2
    let image = KerasTensor.channelsFirst(rank: spatial + 2, channels: channels - 1)
    let order = [0] + image.map { $0 + 1 }.filter { $0 != 1 }
    // Batch and time in front, then channels, then the image.
    let sequenceOrder = [0, 1] + order.dropFirst()
    let wire = try arranged(x, sequenceOrder)
    guard let count = wire.shape[1].extent, count > 0, count <= Self.mostSteps else {
      throw unsupported("an unknown or large number of steps")
    }
    let (gates, extents) = try inputGates(wire, spatial)
    let kernel = try constant("recurrent_kernel", rank: spatial + 2, form: "filters first") {
      tensor in tensor.permuted([spatial + 1, spatial] + Array(0..<spatial))
    }
    let reverses = try settings.flag("go_backwards")
    var hidden: Wire?
    var cell: Wire?
    var all: [Wire] = []
    for step in 0..<count {
      let index = try constant(
        made: "step \(step)",
        Tensor(.int64, [], integers: [Int64(reverses ? count - 1 - step : step)]))
      var gather = Gather()
      gather.axis = 1
      var sums = try emit(gather, [gates, index], "Step")
      if let hidden {
        sums = try emit(
          Add(), [sums, try emit(recurrentConvolution(extents), [hidden, kernel], "Recurrent")])
      }
      (hidden, cell) = try stepped(sums, cell)
      if let hidden { all.append(hidden) }
    }
    guard let hidden, let cell else { throw invalid("no steps") }
    var outputs: [KerasTensor] = []
    if try settings.flag("return_sequences") {
      var concat = Concat()
      concat.axis = 1
      let axes = try vector([1])
      let steps = try all.map { (wire) throws(DecodeError) in
        try emit(Unsqueeze(), [wire, axes])
      }
      outputs.append(KerasTensor(try emit(concat, steps), order: sequenceOrder))
    } else {
      outputs.append(KerasTensor(hidden, order: image))
    }
    if try settings.flag("return_state") {
      outputs += [KerasTensor(hidden, order: image), KerasTensor(cell, order: image)]
    }
    return outputs
  }

  /// The convolution of every step's image, all gates at once: `[batch, time, 4 · filters, …]`.
  private func inputGates(
    _ wire: Wire, _ spatial: Int
  ) throws(DecodeError) -> (gates: Wire, extents: [Int]) {
    let extents = Array(try weight("kernel", rank: spatial + 2).shape.prefix(spatial))
    let kernel = try constant("kernel", form: "filters first") { tensor in
      tensor.permuted([spatial + 1, spatial] + Array(0..<spatial))
    }
    let bias = try settings.flag("use_bias", true) ? try constant("bias", rank: 1) : nil
    let window = try SpatialPadding(
      self, kernel: extents, strides: try settings.extents("strides", spatial, 1),
      dilations: try settings.extents("dilation_rate", spatial, 1))
    let folded = try reshaped(wire, [.unknown] + wire.shape.dimensions.dropFirst(2))
    var conv = Conv()
    (conv.kernelShape, conv.strides, conv.dilations) = (extents, window.strides, window.dilations)
    (conv.pads, conv.autoPad) = window.attributes(Array(folded.shape.dimensions.dropFirst(2)))
    let sums = try emit(conv, [folded, kernel, bias], "Input")
    let target = Array(wire.shape.dimensions.prefix(2)) + sums.shape.dimensions.dropFirst()
    return (
      try reshaped(sums, target),
      Array(try weight("recurrent_kernel", rank: spatial + 2).shape.prefix(spatial))
    )
  }

  private func recurrentConvolution(_ extents: [Int]) -> Conv {
    var conv = Conv()
    conv.kernelShape = extents
    let before = extents.map { ($0 - 1) / 2 }
    conv.pads = before + zip(extents, before).map { $0 - 1 - $1 }
    return conv
  }

  /// One step: the gates' sums and the old cell to the new state. Keras's gates are input, forget, cell,
  /// output; the first step has no old cell.
  private func stepped(_ sums: Wire, _ cell: Wire?) throws(DecodeError) -> (Wire, Wire) {
    var split = Split()
    (split.axis, split.numOutputs) = (1, 4)
    let parts = try emit(split, [sums], outputs: 4).map { KerasTensor($0) }
    func gate(_ x: KerasTensor) throws(DecodeError) -> Wire {
      try activated(x, key: "recurrent_activation").wire
    }
    let candidate = try emit(
      Mul(), [try gate(parts[0]), try activated(parts[2]).wire], "Candidate")
    var new = candidate
    if let cell {
      new = try emit(
        Add(), [try emit(Mul(), [try gate(parts[1]), cell], "Kept"), candidate], "Cell")
    }
    let shown = try activated(KerasTensor(new)).wire
    return (try emit(Mul(), [try gate(parts[3]), shown], "Hidden"), new)
  }
}
