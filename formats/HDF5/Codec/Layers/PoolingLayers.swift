import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let poolingLayers: [LayerBinding] = (1...3).flatMap { spatial in
    [
      LayerBinding("MaxPooling\(spatial)D") { (site) throws(DecodeError) in
        [try site.maxPool(spatial)]
      },
      LayerBinding("AveragePooling\(spatial)D") { (site) throws(DecodeError) in
        [try site.averagePool(spatial)]
      },
      LayerBinding("GlobalMaxPooling\(spatial)D") { (site) throws(DecodeError) in
        [try site.globalPool(spatial, GlobalMaxPool())]
      },
      LayerBinding("GlobalAveragePooling\(spatial)D") { (site) throws(DecodeError) in
        [try site.globalPool(spatial, GlobalAveragePool())]
      },
    ]
  }
}

extension LayerSite {
  private func poolWindow(_ spatial: Int) throws(DecodeError) -> SpatialPadding {
    let size = try settings.extents("pool_size", spatial, 2)
    let strides = settings["strides"] == nil ? size : try settings.extents("strides", spatial)
    return try SpatialPadding(
      self, kernel: size, strides: strides, dilations: Array(repeating: 1, count: spatial))
  }

  fileprivate func maxPool(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let (wire, order) = try image(spatial)
    let window = try poolWindow(spatial)
    var pool = MaxPool()
    (pool.kernelShape, pool.strides) = (window.kernel, window.strides)
    (pool.pads, pool.autoPad) = window.attributes(Array(wire.shape.dimensions.dropFirst(2)))
    return KerasTensor(try emit(pool, [wire]), order: order)
  }

  /// Padding does not count in the average.
  fileprivate func averagePool(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let (wire, order) = try image(spatial)
    let window = try poolWindow(spatial)
    var pool = AveragePool()
    (pool.kernelShape, pool.strides) = (window.kernel, window.strides)
    (pool.pads, pool.autoPad) = window.attributes(Array(wire.shape.dimensions.dropFirst(2)))
    return KerasTensor(try emit(pool, [wire]), order: order)
  }

  fileprivate func globalPool(
    _ spatial: Int, _ pool: some Operator
  ) throws(DecodeError) -> KerasTensor {
    if spatial == 1, pool is GlobalAveragePool, let mask = stepMask() {
      return try maskedAverage(try input(), mask)
    }
    let (wire, order) = try image(spatial)
    let pooled = try emit(pool, [wire])
    if try settings.flag("keepdims") { return KerasTensor(pooled, order: order) }
    return KerasTensor(try emit(Flatten(), [pooled]))
  }

  /// The average of the steps that count.
  private func maskedAverage(
    _ x: KerasTensor, _ mask: SequenceMask
  ) throws(DecodeError) -> KerasTensor {
    guard try !settings.channelsFirst() else {
      throw settings.unsupported("data_format", "a mask over channels in front")
    }
    var cast = Cast()
    cast.target = x.element
    let weights = try emit(
      Unsqueeze(), [try emit(cast, [try mask.wire()]), try vector([2])])
    let keeps = try settings.flag("keepdims")
    var sum = ReduceSum()
    sum.keepsAxes = keeps
    let total = try emit(
      sum, [try emit(Mul(), [try plain(x), weights]), try vector([1])], "Total")
    let count = try emit(sum, [weights, try vector([1])], "Count")
    return KerasTensor(try emit(Div(), [total, count]))
  }
}
