import WherryGraph

/// The largest element in each cell of a grid laid over each region.
///
/// `X: [N, C, H, W]`, `rois: [R, 5]` (image, x1, y1, x2, y2, inclusive), `Y: [R, C, pooled…]`. Region corners
/// are scaled and rounded, half away from zero; an empty cell gives 0.
/// - Source: ONNX operator specification, MaxRoiPool-22; Girshick, "Fast R-CNN".
public struct MaxRoiPool: Operator {
  /// Height and width of the grid.
  public var pooledShape: [Int] = []
  public var spatialScale: Float = 1

  public init() {}

  public static let signature = Signature(
    "MaxRoiPool", [.init("X", .floats), .init("rois", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<MaxRoiPool>] = [
    Field("pooled_shape", \.pooledShape, required: true), Field("spatial_scale", \.spatialScale),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard pooledShape.count == 2, pooledShape.allSatisfy({ $0 > 0 }) else {
      throw TypeError(.attribute("pooled_shape", "\(pooledShape)"))
    }
    if let rank = site.rank(0), rank != 4 { throw TypeError(.rank(input: 0, rank, expected: "4")) }
    if let rank = site.rank(1), rank != 2 { throw TypeError(.rank(input: 1, rank, expected: "2")) }
    site.set(
      0, site.element(0),
      Shape(
        [site.shape(1)?[0] ?? .unknown, site.shape(0)?[1] ?? .unknown]
          + pooledShape.map { .fixed($0) }))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, rois) = (try call.tensor(0), try call.tensor(1))
    guard x.rank == 4, rois.rank == 2, rois.shape[1] == 5, pooledShape.count == 2,
      pooledShape.allSatisfy({ $0 > 0 })
    else { throw RunError(.badInput("X \(x.shape), rois \(rois.shape)")) }
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let shape = [rois.shape[0], channels] + pooledShape
    var y = [Double](repeating: 0, count: try RunError.count(shape))
    let (values, corners) = (x.doubles, rois.doubles)
    var target = 0
    for region in 0..<rois.shape[0] {
      let image = Int(exactly: corners[region * 5]) ?? -1
      guard image >= 0, image < x.shape[0] else { throw RunError(.badValue("image \(image)")) }
      let scaled = (1...4).map {
        (corners[region * 5 + $0] * Double(spatialScale)).rounded(.toNearestOrAwayFromZero)
      }
      let rows = cells(from: scaled[1], to: scaled[3], count: pooledShape[0], limit: height)
      let columns = cells(from: scaled[0], to: scaled[2], count: pooledShape[1], limit: width)
      for channel in 0..<channels {
        let base = (image * channels + channel) * height * width
        for row in rows {
          for column in columns {
            var best: Double?
            for down in row {
              for right in column {
                let value = values[base + down * width + right]
                best = max(best ?? value, value)
              }
            }
            y[target] = best ?? 0
            target += 1
          }
        }
      }
    }
    return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
  }

  /// The positions of each cell between two corners.
  private func cells(from start: Double, to end: Double, count: Int, limit: Int) -> [Range<Int>] {
    let size = max(end - start + 1, 1) / Double(count)
    func clamped(_ position: Double) -> Int { Int(min(max(position, 0), Double(limit))) }
    return (0..<count).map { cell in
      let low = clamped((Double(cell) * size).rounded(.down) + start)
      let high = clamped((Double(cell + 1) * size).rounded(.up) + start)
      return low..<max(low, high)
    }
  }
}

/// The mean or largest of bilinear samples in each cell of a grid laid over each region.
///
/// `X: [N, C, H, W]`, `rois: [R, 4]` (x1, y1, x2, y2), `batch_indices: [R]`,
/// `Y: [R, C, output_height, output_width]`. As ONNX's data has it, `max` takes the largest of the weighted
/// corners of the samples.
/// - Source: ONNX operator specification, RoiAlign-22; He et al., "Mask R-CNN".
public struct RoiAlign: Operator {
  public enum Coordinates: String, AttributeConvertible {
    case halfPixel = "half_pixel"
    case outputHalfPixel = "output_half_pixel"
  }

  public enum Mode: String, AttributeConvertible { case avg, max }

  public var coordinateTransformationMode = Coordinates.halfPixel
  public var mode = Mode.avg
  public var outputHeight = 1
  public var outputWidth = 1
  /// Samples a cell and axis; 0: as many as input elements.
  public var samplingRatio = 0
  public var spatialScale: Float = 1

  public init() {}

  public static let signature = Signature(
    "RoiAlign", [.init("X", .floats), .init("rois", .floats), .init("batch_indices", .int64)],
    [.init("Y", .floats)])

  public static let fields: [Field<RoiAlign>] = [
    Field("coordinate_transformation_mode", \.coordinateTransformationMode), Field("mode", \.mode),
    Field("output_height", \.outputHeight), Field("output_width", \.outputWidth),
    Field("sampling_ratio", \.samplingRatio), Field("spatial_scale", \.spatialScale),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 4 { throw TypeError(.rank(input: 0, rank, expected: "4")) }
    for (index, expected) in [(1, 2), (2, 1)] {
      if let rank = site.rank(index), rank != expected {
        throw TypeError(.rank(input: index, rank, expected: "\(expected)"))
      }
    }
    guard outputHeight > 0, outputWidth > 0 else {
      throw TypeError(.attribute("output_height", "\(outputHeight) x \(outputWidth)"))
    }
    let regions = site.shape(1)?[0] ?? site.shape(2)?[0] ?? .unknown
    let channels = site.shape(0)?[1] ?? .unknown
    site.set(
      0, site.element(0), Shape([regions, channels, .fixed(outputHeight), .fixed(outputWidth)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, rois) = (try call.tensor(0), try call.tensor(1))
    let images = try call.tensor(2).integers
    guard x.rank == 4, rois.rank == 2, rois.shape[1] == 4, rois.shape[0] == images.count,
      outputHeight > 0, outputWidth > 0, samplingRatio >= 0, samplingRatio < 1 << 15
    else { throw RunError(.badInput("X \(x.shape), rois \(rois.shape), \(images.count) indices")) }
    let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
    let shape = [images.count, channels, outputHeight, outputWidth]
    let count = try RunError.count(shape)
    let (values, corners) = (x.doubles, rois.doubles)
    var y: [Double] = []
    y.reserveCapacity(count)
    for (region, image) in images.enumerated() {
      guard image >= 0, image < x.shape[0] else { throw RunError(.badValue("image \(image)")) }
      let rows = try samples(
        corners[region * 4 + 1], corners[region * 4 + 3], cells: outputHeight, extent: height)
      let columns = try samples(
        corners[region * 4], corners[region * 4 + 2], cells: outputWidth, extent: width)
      for channel in 0..<channels {
        let base = (Int(image) * channels + channel) * height * width
        for row in rows {
          for column in columns { y.append(reduce(values, base, width, row, column)) }
        }
      }
    }
    return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
  }

  /// Two neighbours and how far a sample is from the first; nil outside the image.
  private typealias Sample = (low: Int, high: Int, ratio: Double)?

  private func samples(
    _ start: Double, _ end: Double, cells: Int, extent: Int
  ) throws(RunError) -> [[Sample]] {
    let shift = coordinateTransformationMode == .halfPixel ? 0.5 : 0
    let low = start * Double(spatialScale) - shift
    var size = end * Double(spatialScale) - shift - low
    if coordinateTransformationMode != .halfPixel { size = Swift.max(size, 1) }
    let cell = size / Double(cells)
    let count = samplingRatio > 0 ? samplingRatio : Int(exactly: cell.rounded(.up)) ?? -1
    guard count < 1 << 20, low.isFinite, size.isFinite else {
      throw RunError(.badValue("a region from \(start) to \(end)"))
    }
    return (0..<cells).map { index in
      (0..<Swift.max(count, 0)).map { sample -> Sample in
        let place = low + (Double(index) + (Double(sample) + 0.5) / Double(count)) * cell
        guard place >= -1, place <= Double(extent), extent > 0 else { return nil }
        let position = Swift.max(place, 0)
        let first = Int(position)
        if first >= extent - 1 { return (extent - 1, extent - 1, 0) }
        return (first, first + 1, position - Double(first))
      }
    }
  }

  private func reduce(
    _ values: [Double], _ base: Int, _ width: Int, _ rows: [Sample], _ columns: [Sample]
  ) -> Double {
    var (sum, best) = (0.0, -Double.infinity)
    for row in rows {
      for column in columns {
        guard let row, let column else {
          best = Swift.max(best, 0)
          continue
        }
        for (line, down) in [(row.low, 1 - row.ratio), (row.high, row.ratio)] {
          for (place, right) in [(column.low, 1 - column.ratio), (column.high, column.ratio)] {
            let value = down * right * values[base + line * width + place]
            sum += value
            best = Swift.max(best, value)
          }
        }
      }
    }
    let count = rows.count * columns.count
    if mode == .avg { return sum / Double(Swift.max(count, 1)) }
    return count == 0 ? 0 : best
  }
}
