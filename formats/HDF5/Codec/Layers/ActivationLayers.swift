import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let activationLayers: [LayerBinding] = [
    LayerBinding("Activation") { (site) throws(DecodeError) in
      [try site.activated(try site.input())]
    },
    LayerBinding("ReLU") { (site) throws(DecodeError) in [try site.rectified()] },
    LayerBinding("LeakyReLU") { (site) throws(DecodeError) in
      var operation = LeakyRelu()
      operation.alpha = Float(
        try site.settings.number("negative_slope", try site.settings.number("alpha", 0.3)))
      return [try site.map(operation, try site.input())]
    },
    LayerBinding("ELU") { (site) throws(DecodeError) in
      var operation = Elu()
      operation.alpha = Float(try site.settings.number("alpha", 1))
      return [try site.map(operation, try site.input())]
    },
    LayerBinding("ThresholdedReLU") { (site) throws(DecodeError) in
      var operation = ThresholdedRelu()
      operation.alpha = Float(try site.settings.number("theta", 1))
      return [try site.map(operation, try site.input())]
    },
    LayerBinding("Softmax") { (site) throws(DecodeError) in
      let axes = try site.settings.integers("axis") ?? [-1]
      guard site.arguments.count == 1 else { throw site.unsupported("softmax with a mask") }
      guard axes.count == 1 else { return [try site.softmaxOverAxes()] }
      return [try site.softmax(try site.input(), axis: axes[0])]
    },
    LayerBinding("PReLU", slots: { (_) throws(DecodeError) in WeightSlot.list(["alpha"]) }) {
      (site) throws(DecodeError) in [try site.parametric()]
    },
  ]
}

extension LayerSite {
  /// - Source: Keras, `ReLU`: `x` above `threshold` and at most `max_value`, `negative_slope · (x -
  ///   threshold)` below.
  fileprivate func rectified() throws(DecodeError) -> KerasTensor {
    let x = try input()
    let highest = settings["max_value"] == nil ? nil : try settings.number("max_value")
    let slope = try settings.number("negative_slope", 0)
    let threshold = try settings.number("threshold", 0)
    guard threshold == 0 else {
      let limit = try scalar(threshold, x.element, "threshold")
      let passes = try emit(Greater(), [x.wire, limit])
      guard slope == 0 else {
        let below = try map(Mul(), x.with(try emit(Sub(), [x.wire, limit])), slope, "slope")
        let result = x.with(try emit(Where(), [passes, x.wire, below.wire]))
        guard let highest else { return result }
        return x.with(try emit(Min(), [result.wire, try scalar(highest, x.element, "highest")]))
      }
      // What is not above the threshold is 0, and at most the highest value.
      let zero = try scalar(0, x.element, "zero")
      let result = x.with(try emit(Where(), [passes, x.wire, zero]))
      guard let highest else { return result }
      return try clipped(result, 0, highest)
    }
    if slope == 0 {
      guard let highest else { return try map(Relu(), x) }
      return try clipped(x, 0, highest)
    }
    var operation = LeakyRelu()
    operation.alpha = Float(slope)
    let leaky = try map(operation, x)
    guard let highest else { return leaky }
    let limit = try scalar(highest, x.element, "highest")
    return leaky.with(try emit(Min(), [leaky.wire, limit]))
  }

  /// `exp(x - max) / Σ exp(x - max)` over several axes.
  fileprivate func softmaxOverAxes() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if x.isFlat { x = KerasTensor(try plain(x), mask: x.mask) }
    let axes = try vector(try positions("axis", x))
    let largest = try emit(ReduceMax(), [x.wire, axes])
    let powers = try emit(Exp(), [try emit(Sub(), [x.wire, largest])])
    return x.with(try emit(Div(), [powers, try emit(ReduceSum(), [powers, axes])]))
  }

  /// A slope for each element, or for each channel where axes share one.
  fileprivate func parametric() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if x.isFlat { x = KerasTensor(try plain(x), mask: x.mask) }
    let rank = x.order.count
    let order = x.order
    // The slopes have all axes but the batch.
    let alpha = try constant("alpha", rank: rank - 1, form: x.isInOrder ? "" : "\(order)") {
      tensor in
      tensor.reshaped([1] + tensor.shape)?.permuted(order).flatMap { moved in
        order.first == 0 ? moved.reshaped(Array(moved.shape.dropFirst())) : moved
      }
    }
    return x.with(try emit(PRelu(), [x.wire, alpha]))
  }
}
