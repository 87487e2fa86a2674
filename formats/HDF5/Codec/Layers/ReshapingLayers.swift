import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

extension LayerBinding {
  static let reshapingLayers: [LayerBinding] = [
    LayerBinding("Flatten") { (site) throws(DecodeError) in [try site.flattening()] },
    LayerBinding("Reshape") { (site) throws(DecodeError) in [try site.reshaping()] },
    LayerBinding("Permute") { (site) throws(DecodeError) in [try site.permuting()] },
    LayerBinding("RepeatVector") { (site) throws(DecodeError) in [try site.repeating()] },
    LayerBinding("ZeroPadding1D") { (site) throws(DecodeError) in [try site.padding(1)] },
    LayerBinding("ZeroPadding2D") { (site) throws(DecodeError) in [try site.padding(2)] },
    LayerBinding("ZeroPadding3D") { (site) throws(DecodeError) in [try site.padding(3)] },
    LayerBinding("Cropping1D") { (site) throws(DecodeError) in [try site.cropping(1)] },
    LayerBinding("Cropping2D") { (site) throws(DecodeError) in [try site.cropping(2)] },
    LayerBinding("Cropping3D") { (site) throws(DecodeError) in [try site.cropping(3)] },
  ]
}

extension LayerSite {
  /// Nothing is done here: the layer behind takes the value as it stands if it can.
  fileprivate func flattening() throws(DecodeError) -> KerasTensor {
    var x = try input()
    if try settings.channelsFirst(), x.rank > 2, !x.isFlat {
      // The channels go behind before everything becomes one axis.
      let channelsLast = [0] + Array(2..<x.rank) + [1]
      x.order = x.order.map { channelsLast.firstIndex(of: $0) ?? $0 }
    }
    x.mask = nil
    if x.rank == 1 {
      return KerasTensor(try emit(Unsqueeze(), [try plain(x), try vector([1])]))
    }
    guard x.rank > 2 else { return x }
    x.isFlat = true
    return x
  }

  /// Other extents; those unknown follow from the others, or from the input's shape as it runs.
  func reshaped(_ wire: Wire, _ target: [Dimension]) throws(DecodeError) -> Wire {
    if wire.shape.dimensions == target { return wire }
    let unknown = target.filter { $0.extent == nil }.count
    guard unknown <= 1 else { throw unsupported("a shape with \(unknown) unknown extents") }
    return try emit(Reshape(), [wire, try vector(target.map { $0.extent ?? -1 })])
  }

  fileprivate func reshaping() throws(DecodeError) -> KerasTensor {
    let x = try input()
    guard let target = try settings.integers("target_shape"),
      target.allSatisfy({ $0 >= -1 }), target.filter({ $0 == -1 }).count <= 1
    else { throw settings.fault("target_shape", "extents are expected") }
    var dimensions: [Dimension] = [x.dimensions[0]] + target.map { $0 < 0 ? .unknown : .fixed($0) }
    let known = Checked.product(x.dimensions.dropFirst().map { $0.extent ?? -1 })
    if let known, let product = Checked.product(target.map { $0 < 0 ? 1 : $0 }), product > 0 {
      guard known % product == 0 else { throw invalid("\(known) elements as \(target)") }
      dimensions = dimensions.enumerated().map { index, dimension in
        index > 0 && dimension == .unknown ? .fixed(known / product) : dimension
      }
    }
    // An image that only loses or gains axes of extent 1 keeps the order of its axes.
    if let kept = try unitReshaping(x, dimensions) { return kept }
    // The batch is given by the other extents where it is the only one unknown.
    let unknown = dimensions.filter { $0.extent == nil }.count
    let wire = try plain(x)
    guard unknown > 1 else { return KerasTensor(try reshaped(wire, dimensions)) }
    let values = dimensions.enumerated().map { $0 == 0 ? 0 : $1.extent ?? -1 }
    return KerasTensor(try emit(Reshape(), [wire, try vector(values)]))
  }

  /// A reshaping of a flat vector into an image of one pixel, which any order of axes can hold.
  private func unitReshaping(
    _ x: KerasTensor, _ target: [Dimension]
  ) throws(DecodeError) -> KerasTensor? {
    guard x.rank == 2, target.count > 2, !x.isFlat, target.last == x.dimensions.last,
      target.dropFirst().dropLast().allSatisfy({ $0 == 1 }), target.last?.extent != nil
    else { return nil }
    let order = KerasTensor.channelsFirst(rank: target.count, channels: target.count - 1)
    let wire = try reshaped(try plain(x), order.map { target[$0] })
    return KerasTensor(wire, order: order)
  }

  /// The axes are only called something else.
  fileprivate func permuting() throws(DecodeError) -> KerasTensor {
    var x = try input()
    guard let axes = try settings.integers("dims"), axes.count == x.rank - 1,
      axes.sorted() == Array(1..<x.rank)
    else { throw settings.fault("dims", "an order of the axes is expected") }
    if x.isFlat { return x }
    let permutation = [0] + axes
    x.order = x.order.map { permutation.firstIndex(of: $0) ?? $0 }
    x.mask = nil
    return x
  }

  /// `[batch, features]` to `[batch, n, features]`.
  fileprivate func repeating() throws(DecodeError) -> KerasTensor {
    let x = try input(rank: 2...2)
    let count = try settings.integer("n")
    guard count > 0 else { throw settings.fault("n", "at least 1 is expected") }
    let wire = try emit(Unsqueeze(), [try plain(x), try vector([1])])
    return KerasTensor(try emit(Expand(), [wire, try vector([1, count, 1])]))
  }

  /// Beginnings and ends of the spatial axes.
  private func margins(_ key: String, _ spatial: Int) throws(DecodeError) -> [(Int, Int)] {
    guard let value = settings[key] else { return Array(repeating: (1, 1), count: spatial) }
    if let single = value.integer, single >= 0 {
      return Array(repeating: (single, single), count: spatial)
    }
    let parts = value.array ?? []
    // One pair for a sequence stands without its list.
    if spatial == 1, let pair = try? settings.integers(key), pair.count == 2, pair[0] >= 0,
      pair[1] >= 0
    {
      return [(pair[0], pair[1])]
    }
    var result: [(Int, Int)] = []
    for part in parts {
      if let single = part.integer, single >= 0 {
        result.append((single, single))
      } else if let pair = part.array?.compactMap(\.integer), pair.count == 2, pair[0] >= 0,
        pair[1] >= 0
      {
        result.append((pair[0], pair[1]))
      }
    }
    guard result.count == spatial, result.allSatisfy({ $0.0 < 1 << 30 && $0.1 < 1 << 30 }) else {
      throw settings.fault(key, "\(spatial) margins are expected")
    }
    return result
  }

  /// Keras's axes that are spatial.
  func spatialAxes(_ spatial: Int) throws(DecodeError) -> [Int] {
    Array(try settings.channelsFirst() ? 2..<2 + spatial : 1..<1 + spatial)
  }

  fileprivate func padding(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let x = try input(rank: spatial + 2...spatial + 2)
    let margins = try margins("padding", spatial)
    let axes = try spatialAxes(spatial).map { x.position($0) }
    // With its axes named, ONNX Runtime (seen in 1.31) leaves the padding apart: it would take it into a
    // maximum behind, whose own padding counts as less than every number, not as 0.
    let wire = try emit(
      Pad(),
      [x.wire, try vector(margins.map(\.0) + margins.map(\.1)), nil, try vector(axes)])
    return KerasTensor(wire, order: x.order)
  }

  fileprivate func cropping(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let x = try input(rank: spatial + 2...spatial + 2)
    let margins = try margins("cropping", spatial)
    let axes = try spatialAxes(spatial).map { x.position($0) }
    for (axis, margin) in zip(axes, margins) {
      guard let extent = x.wire.shape.dimensions[axis].extent else { continue }
      guard margin.0 < extent, margin.1 < extent - margin.0 else {
        throw invalid("cropping leaves nothing of \(extent) elements")
      }
    }
    let ends = margins.map { $0.1 == 0 ? Int(Int32.max) : -$0.1 }
    let wire = try emit(
      SliceOperator(),
      [x.wire, try vector(margins.map(\.0)), try vector(ends), try vector(axes)])
    return KerasTensor(wire, order: x.order)
  }
}
