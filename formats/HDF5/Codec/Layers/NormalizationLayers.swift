import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension LayerBinding {
  static let normalizationLayers: [LayerBinding] = [
    LayerBinding(
      "BatchNormalization",
      slots: { (settings) throws(DecodeError) in
        WeightSlot.list(
          [
            try settings.flag("scale", true) ? "gamma" : nil,
            try settings.flag("center", true) ? "beta" : nil, "moving_mean", "moving_variance",
          ], fixed: ["moving_mean", "moving_variance"])
      }
    ) { (site) throws(DecodeError) in [try site.batchNormalization()] },
    LayerBinding("LayerNormalization", slots: scaleAndShift) { (site) throws(DecodeError) in
      [try site.layerNormalization()]
    },
    LayerBinding("GroupNormalization", slots: scaleAndShift) { (site) throws(DecodeError) in
      [try site.groupNormalization()]
    },
  ]

  private static let scaleAndShift: Slots = { (settings) throws(DecodeError) in
    WeightSlot.list([
      try settings.flag("scale", true) ? "gamma" : nil,
      try settings.flag("center", true) ? "beta" : nil,
    ])
  }
}

extension LayerSite {
  /// The axes that are normalized go behind the others, and stay there.
  fileprivate func layerNormalization() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if x.isFlat { x = KerasTensor(try plain(x), mask: x.mask) }
    guard try !settings.flag("rms_scaling") else {
      throw settings.unsupported("rms_scaling", "rms_scaling")
    }
    let axes = (try settings.integers("axis") ?? [-1]).map { $0 < 0 ? $0 + x.rank : $0 }
    guard !axes.isEmpty, axes == axes.sorted(), Set(axes).count == axes.count,
      axes.allSatisfy({ $0 > 0 && $0 < x.rank })
    else { throw settings.fault("axis", "axes \(axes)") }
    // Whatever stands in front may stand in any order.
    let order = x.order.filter { !axes.contains($0) } + axes
    let wire = try arranged(x, order)
    let extents = axes.compactMap { x.dimensions[$0].extent }
    guard extents.count == axes.count else { throw unsupported("axes of unknown extent") }
    let gamma =
      try settings.flag("scale", true)
      ? try constant("gamma", rank: axes.count)
      : try constant(made: "gamma", .filled(x.element, extents, 1))
    let beta = try settings.flag("center", true) ? try constant("beta", rank: axes.count) : nil
    var operation = LayerNormalization()
    operation.axis = axes.count == 1 ? -1 : x.rank - axes.count
    operation.epsilon = Float(try settings.number("epsilon", 1e-3))
    let result = try emit(operation, beta == nil ? [wire, gamma] : [wire, gamma, beta])
    return KerasTensor(result, order: order, mask: x.mask)
  }

  fileprivate func groupNormalization() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if x.isFlat { x = KerasTensor(try plain(x), mask: x.mask) }
    let axes = (try settings.integers("axis") ?? [-1]).map { $0 < 0 ? $0 + x.rank : $0 }
    guard axes.count == 1, axes[0] > 0, axes[0] < x.rank,
      let channels = x.dimensions[axes[0]].extent
    else { throw settings.fault("axis", "axes \(axes)") }
    let groups = try settings.integer("groups", 32)
    let order = KerasTensor.channelsFirst(rank: x.rank, channels: axes[0])
    let wire = try arranged(x, order)
    let gamma =
      try settings.flag("scale", true)
      ? try constant("gamma", rank: 1)
      : try constant(made: "gamma", .filled(x.element, [channels], 1))
    let beta =
      try settings.flag("center", true)
      ? try constant("beta", rank: 1)
      : try constant(made: "beta", .filled(x.element, [channels], 0))
    var operation = GroupNormalization()
    operation.numGroups = groups == -1 ? channels : groups
    operation.epsilon = Float(try settings.number("epsilon", 1e-3))
    return KerasTensor(try emit(operation, [wire, gamma, beta]), order: order, mask: x.mask)
  }
}

extension LayerSite {
  /// `gamma (x - mean) / sqrt(variance + epsilon) + beta` for each channel.
  fileprivate func batchNormalization() throws(DecodeError) -> KerasTensor {
    let x = try input()
    guard generation != .one || settings["mode"]?.integer ?? 0 == 0 else {
      throw settings.unsupported("mode", "statistics of the batch")
    }
    let mean = try constant("moving_mean", rank: 1)
    let count = mean.shape.dimensions.first?.extent ?? 0
    let element = mean.element
    let gamma =
      try settings.flag("scale", true)
      ? try constant("gamma", rank: 1)
      : try constant(made: "gamma", .filled(element, [count], 1))
    let beta =
      try settings.flag("center", true)
      ? try constant("beta", rank: 1)
      : try constant(made: "beta", .filled(element, [count], 0))
    let variance = try constant("moving_variance", rank: 1)
    let axes = try settings.integers("axis") ?? [-1]
    guard axes.count == 1 else {
      throw settings.unsupported("axis", "several axes")
    }
    var operation = BatchNormalization()
    operation.epsilon = Float(try settings.number("epsilon", 1e-3))
    let parameters = [gamma, beta, mean, variance]
    let axis = axes[0] < 0 ? axes[0] + x.rank : axes[0]
    guard axis > 0, axis < x.rank else { throw settings.fault("axis", "axis \(axes[0])") }
    if !x.isFlat, x.position(axis) == 1, x.position(0) == 0 {
      return x.with(try emit(operation, [x.wire] + parameters))
    }
    if axis == x.rank - 1, x.rank > 2, let result = try asMatrix(x, operation, parameters) {
      return result
    }
    if x.rank == 2 {
      return KerasTensor(try emit(operation, [try plain(x)] + parameters), mask: x.mask)
    }
    let order = KerasTensor.channelsFirst(rank: x.rank, channels: axis)
    let wire = try arranged(x, order)
    return KerasTensor(try emit(operation, [wire] + parameters), order: order, mask: x.mask)
  }

  /// A sequence whose channels stand last is normalized as a matrix, which moves nothing.
  private func asMatrix(
    _ x: KerasTensor, _ operation: BatchNormalization, _ parameters: [Wire]
  ) throws(DecodeError) -> KerasTensor? {
    let dimensions = x.wire.shape.dimensions
    guard !x.isFlat, x.position(x.rank - 1) == x.rank - 1, x.rank == 3,
      dimensions.filter({ $0.extent == nil }).count <= 1, let channels = dimensions.last?.extent
    else { return nil }
    let matrix = try emit(Reshape(), [x.wire, try vector([-1, channels])])
    let result = try emit(operation, [matrix] + parameters)
    return x.with(
      try emit(Reshape(), [result, try vector(dimensions.map { $0.extent ?? -1 })]))
  }
}
