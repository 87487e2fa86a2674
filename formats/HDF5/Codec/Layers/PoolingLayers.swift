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
    let (wire, order) = try image(spatial)
    let pooled = try emit(pool, [wire])
    if try settings.flag("keepdims") { return KerasTensor(pooled, order: order) }
    return KerasTensor(try emit(Flatten(), [pooled]))
  }
}
