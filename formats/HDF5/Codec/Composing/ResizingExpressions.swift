import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Images of another size.
extension NodeSite {
  func resized(_ operation: Resize) throws(EncodeError) -> Strand {
    let whole = try numbers()
    guard (3...5).contains(whole.rank) else { throw refusal("Resize of rank \(whole.rank)") }
    let shape = try resizedShape(operation, whole)
    // Channels are the axis that keeps its extent, in front or behind.
    let last = whole.rank - 1
    let channels = [1, last].first { axis in
      shape[axis] != nil && shape[axis] == whole.extent(axis)
    }
    guard let channels, whole.batchAxis == 0 else { throw refusal("Resize of channels") }
    let axes = (1...last).filter { $0 != channels }
    let x = try composer.arranged(whole, [0] + axes + [channels], at: place)
    let spatial = x.rank - 2
    var (sizes, factors): ([Int], [Int]) = ([], [])
    for axis in 0..<spatial {
      guard let extent = x.extents[axis + 1], let size = shape[axes[axis]], extent > 0 else {
        throw refusal("Resize over unknown extents")
      }
      sizes.append(size)
      factors.append(size % extent == 0 ? size / extent : 0)
    }
    let isWhole = !factors.contains(0)
    var result: Strand
    switch operation.mode {
    case .nearest:
      guard isWhole, operation.isRepetition else {
        throw refusal("Resize to the nearest element in this way")
      }
      result = composer.layer(
        "UpSampling\(spatial)D",
        [("size", spatial == 1 ? .integer(Int64(factors[0])) : WindowFit.json(factors))]
          + (spatial > 1 ? [("data_format", "channels_last")] : []), [x],
        extents: [x.extents[0]] + sizes + [x.extents.last ?? nil], named: hint)
    case .linear:
      guard spatial == 2, operation.coordinateTransformationMode == .halfPixel,
        !operation.antialias, scalesAreRatios(operation, sizes, x, axes)
      else { throw refusal("Resize in this way") }
      result = composer.layer(
        "Resizing",
        [
          ("height", .integer(Int64(sizes[0]))), ("width", .integer(Int64(sizes[1]))),
          ("interpolation", "bilinear"), ("crop_to_aspect_ratio", false),
        ], [x], extents: [x.extents[0]] + sizes + [x.extents.last ?? nil], named: hint)
    case .cubic: throw refusal("cubic Resize")
    }
    result.axes = x.axes
    result.isNonNegative = x.isNonNegative
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
      guard let extent = x.extents[axis + 1] else { return false }
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
