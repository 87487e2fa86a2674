import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Images of another size.
extension NodeSite {
  func resized(_ operation: Resize) throws(EncodeError) -> Strand {
    let whole = try numbers()
    let shape = try resizedShape(operation, whole)
    if let layer = try magnified(operation, whole, shape) { return layer }
    guard operation.coordinateTransformationMode != .cropAndResize else {
      throw refusal("Resize of a region")
    }
    // Every axis is a product with a matrix of its own.
    var result = whole
    let scales = has(2) ? try known(2).doubles : []
    let axes = operation.axes ?? Array(0..<whole.rank)
    for (index, named) in axes.enumerated() {
      let axis = try axis(named, whole.rank)
      guard let extent = whole.extent(axis), let size = shape[axis], size > 0,
        extent <= 1 << 11, size <= 1 << 13
      else {
        if whole.extent(axis) == shape[axis] { continue }
        throw refusal("Resize over unknown extents")
      }
      let scale = index < scales.count ? scales[index] : 1
      if extent == size, scale == 1 { continue }
      var single = operation
      (single.axes, single.keepAspectRatioPolicy) = (nil, .stretch)
      let factors = Tensor(.float32, [2], doubles: [1, scale])
      let amounts: [Tensor?] =
        scales.isEmpty ? [nil, nil, Tensor(vector: [1, size])] : [nil, factors]
      if operation.mode == .nearest {
        // Which element stands where.
        let places = Tensor(.float32, [1, extent], doubles: (0..<extent).map { Double($0) })
        let found = try evaluated(single, [places] + amounts)
        result = try chosen(result, axis: axis, found.doubles.map { Int($0) })
      } else {
        let rows: [Tensor?] =
          scales.isEmpty ? [nil, nil, Tensor(vector: [extent, size])] : amounts
        let matrix = try evaluated(single, [try unit(.float32, extent)] + rows)
        result = try contracted(
          result, axis: axis,
          with: try exact(Tensor(whole.element, matrix.shape, doubles: matrix.doubles)))
      }
    }
    return result
  }

  /// The layer for images of another size; nil where it samples elsewhere than the operator.
  private func magnified(
    _ operation: Resize, _ whole: Strand, _ shape: [Int?]
  ) throws(EncodeError) -> Strand? {
    guard (3...5).contains(whole.rank), whole.batchAxis == 0 else { return nil }
    // Channels are the axis that keeps its extent, in front or behind.
    let last = whole.rank - 1
    let channels = [1, last].first { axis in
      shape[axis] != nil && shape[axis] == whole.extent(axis)
    }
    guard let channels else { return nil }
    let axes = (1...last).filter { $0 != channels }
    let spatial = axes.count
    var (sizes, factors): ([Int], [Int]) = ([], [])
    for axis in axes {
      guard let extent = whole.extent(axis), let size = shape[axis], extent > 0 else { return nil }
      sizes.append(size)
      factors.append(size % extent == 0 ? size / extent : 0)
    }
    let className: String
    var settings: [(String, JSONValue)]
    switch operation.mode {
    case .nearest:
      guard !factors.contains(0), operation.isRepetition else { return nil }
      className = "UpSampling\(spatial)D"
      settings = [("size", spatial == 1 ? .integer(Int64(factors[0])) : WindowFit.json(factors))]
      if spatial > 1 { settings.append(("data_format", "channels_last")) }
    case .linear:
      guard spatial == 2, operation.coordinateTransformationMode == .halfPixel,
        !operation.antialias, scalesAreRatios(operation, sizes, whole, axes)
      else { return nil }
      className = "Resizing"
      settings = [
        ("height", .integer(Int64(sizes[0]))), ("width", .integer(Int64(sizes[1]))),
        ("interpolation", "bilinear"), ("crop_to_aspect_ratio", false),
      ]
    case .cubic: return nil
    }
    let x = try composer.arranged(whole, [0] + axes + [channels], at: place)
    var result = composer.layer(
      className, settings, [x], extents: [x.extents[0]] + sizes + [x.extents.last ?? nil],
      named: hint)
    (result.axes, result.isNonNegative) = (x.axes, x.isNonNegative)
    return result
  }

  /// The extents that sizes or scales ask for.
  private func resizedShape(_ operation: Resize, _ x: Strand) throws(EncodeError) -> [Int?] {
    var shape = x.shape
    var axes: [Int] = []
    for axis in operation.axes ?? Array(0..<x.rank) { axes.append(try self.axis(axis, x.rank)) }
    if let sizes = try integers(3), !sizes.isEmpty {
      guard sizes.count == axes.count, operation.keepAspectRatioPolicy == .stretch else {
        throw refusal("Resize that keeps the aspect ratio")
      }
      for (axis, size) in zip(axes, sizes) where axis != x.batchAxis { shape[axis] = size }
      return shape
    }
    let scales = try known(2).doubles
    guard scales.count == axes.count, scales.allSatisfy({ $0 > 0 && $0 < 1e6 }) else {
      throw refusal("Resize by \(scales)")
    }
    for (axis, scale) in zip(axes, scales) {
      if axis == x.batchAxis, scale != 1 { throw refusal("Resize of the batch") }
      if let extent = shape[axis] {
        shape[axis] = Int(exactly: (Double(extent) * scale).rounded(.down))
      }
    }
    return shape
  }

  /// Scales other than those of the extents would move the sampling points.
  private func scalesAreRatios(
    _ operation: Resize, _ sizes: [Int], _ x: Strand, _ axes: [Int]
  ) -> Bool {
    guard has(2), let scales = constant(2)?.doubles, !scales.isEmpty else { return true }
    let named = (operation.axes ?? Array(0..<x.rank)).map { $0 < 0 ? $0 + x.rank : $0 }
    return sizes.indices.allSatisfy { axis in
      guard let extent = x.extent(axes[axis]) else { return false }
      let scale = named.firstIndex(of: axes[axis]).flatMap { $0 < scales.count ? scales[$0] : nil }
      return abs((scale ?? 1) * Double(extent) - Double(sizes[axis])) < 1e-4
    }
  }
}

extension Resize {
  /// Whether whole factors repeat every element as often.
  fileprivate var isRepetition: Bool {
    switch coordinateTransformationMode {
    case .asymmetric: nearestMode == .floor
    case .halfPixel, .halfPixelSymmetric:
      nearestMode == .preferFloor || nearestMode == .preferCeil
    default: false
    }
  }
}
