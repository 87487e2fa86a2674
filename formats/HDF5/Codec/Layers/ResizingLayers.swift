import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let resizingLayers: [LayerBinding] =
    (1...3).map { spatial in
      LayerBinding("UpSampling\(spatial)D") { (site) throws(DecodeError) in
        [try site.enlarging(spatial)]
      }
    } + [
      LayerBinding("Resizing") { (site) throws(DecodeError) in [try site.resizing()] },
      LayerBinding("CenterCrop") { (site) throws(DecodeError) in [try site.centerCrop()] },
    ]
}

extension LayerSite {
  /// Where samples are taken from, as TensorFlow 2 has it: at the centers of pixels.
  private func resize(_ interpolation: String) throws(DecodeError) -> Resize {
    var resize = Resize()
    resize.coordinateTransformationMode = .halfPixel
    switch interpolation {
    case "nearest": (resize.mode, resize.nearestMode) = (.nearest, .preferCeil)
    case "bilinear": resize.mode = .linear
    case "bicubic":
      (resize.mode, resize.cubicCoeffA, resize.excludeOutside) = (.cubic, -0.5, true)
    default:
      throw settings.unsupported("interpolation", "interpolation \(interpolation)")
    }
    return resize
  }

  /// Whole multiples of the spatial extents.
  fileprivate func enlarging(_ spatial: Int) throws(DecodeError) -> KerasTensor {
    let x = try input(rank: spatial + 2...spatial + 2)
    let factors = try settings.extents("size", spatial, 2)
    let interpolation = try settings.text("interpolation", "nearest")
    var resize = try resize(interpolation)
    if interpolation == "nearest" {
      // Each element is repeated, which needs no rounding.
      (resize.coordinateTransformationMode, resize.nearestMode) = (.asymmetric, .floor)
    }
    var scales = [Double](repeating: 1, count: x.rank)
    // Sequences keep their channels behind in every release.
    let axes = spatial == 1 ? [1] : try spatialAxes(spatial)
    for (axis, factor) in zip(axes, factors) { scales[x.position(axis)] = Double(factor) }
    let constant = try constant(
      made: "scales/\(x.order)", Tensor(.float32, [x.rank], doubles: scales))
    return KerasTensor(try emit(resize, [x.wire, nil, constant]), order: x.order)
  }

  /// Given extents of an image.
  fileprivate func resizing() throws(DecodeError) -> KerasTensor {
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"]
    where try settings.flag(key) {
      throw settings.unsupported(key, key)
    }
    let x = try floatingImage()
    let sizes = [try settings.integer("height"), try settings.integer("width")]
    guard sizes.allSatisfy({ $0 > 0 }) else { throw settings.fault("height", "\(sizes)") }
    var resize = try resize(try settings.text("interpolation", "bilinear"))
    let axes = try imageAxes(x)
    let positions = axes.map { x.position($0) }
    let ascending = positions[0] < positions[1]
    resize.axes = ascending ? positions : positions.reversed()
    let target = try vector(ascending ? sizes : sizes.reversed())
    return KerasTensor(try emit(resize, [x.wire, nil, nil, target]), order: x.order)
  }

  private func floatingImage() throws(DecodeError) -> KerasTensor {
    let x = try floating()
    guard x.rank == 4 || x.rank == 3 else { throw invalid("an input of rank \(x.rank)") }
    return x
  }

  /// Height and width among Keras's axes; a single image has no batch.
  private func imageAxes(_ x: KerasTensor) throws(DecodeError) -> [Int] {
    let first = (x.rank == 4 ? 1 : 0) + (try settings.channelsFirst() ? 1 : 0)
    return [first, first + 1]
  }

  /// The middle of an image that is at least as large as what is wanted.
  fileprivate func centerCrop() throws(DecodeError) -> KerasTensor {
    let x = try floatingImage()
    let sizes = [try settings.integer("height"), try settings.integer("width")]
    let axes = try imageAxes(x)
    var (starts, ends): ([Int], [Int]) = ([], [])
    for (axis, size) in zip(axes, sizes) {
      guard let extent = x.dimensions[axis].extent, extent >= size, size > 0 else {
        throw unsupported("an image that is smaller than the crop, or of unknown size")
      }
      starts.append((extent - size) / 2)
      ends.append((extent - size) / 2 + size)
    }
    let wire = try emit(
      SliceOperator(),
      [x.wire, try vector(starts), try vector(ends), try vector(axes.map { x.position($0) })])
    return KerasTensor(wire, order: x.order)
  }
}
