import WherryGraph

/// Resampling along one axis: where each output element lies on the input, and its weights.
///
/// - Source: ONNX operator specification, Resize-19; the weights of its reference implementation.
public struct ResizeAxis: Sendable {
  public enum Coordinates: String, AttributeConvertible {
    case halfPixel = "half_pixel"
    case halfPixelSymmetric = "half_pixel_symmetric"
    case pytorchHalfPixel = "pytorch_half_pixel"
    case alignCorners = "align_corners"
    case asymmetric
    case cropAndResize = "tf_crop_and_resize"
  }

  public enum Rounding: String, AttributeConvertible {
    case preferFloor = "round_prefer_floor"
    case preferCeil = "round_prefer_ceil"
    case floor
    case ceil
  }

  let input: Int
  let output: Int
  let scale: Double
  /// Start and end of the region, as fractions of the input.
  let crop: (start: Double, end: Double)
  let coordinates: Coordinates

  /// Whether every element stays where it is.
  var isIdentity: Bool {
    scale == 1 && input == output && (coordinates != .cropAndResize || crop == (0, 1))
  }

  /// Where output element `index` lies on the input; nil when outside a cropped region's input.
  private func origin(_ index: Int) -> Double? {
    let (x, last) = (Double(index), Double(input - 1))
    // Not a whole number when the scale does not divide.
    let width = scale * Double(input)
    switch coordinates {
    case .asymmetric: return x / scale
    case .halfPixel: return (x + 0.5) / scale - 0.5
    case .pytorchHalfPixel: return output == 1 ? 0 : (x + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let offset = Double(input) / 2 * (1 - Double(output) / width)
      return offset + (x + 0.5) / scale - 0.5
    case .alignCorners: return width == 1 ? 0 : x * last / (width - 1)
    case .cropAndResize:
      let span = (crop.end - crop.start) * last
      let origin = crop.start * last + (width == 1 ? span / 2 : x * span / (width - 1))
      return origin >= 0 && origin <= last ? origin : nil
    }
  }

  /// The input element nearest to each output element; -1 outside.
  func nearest(_ rounding: Rounding) -> [Int] {
    (0..<output).map { index in
      guard let origin = origin(index) else { return -1 }
      let rounded =
        switch rounding {
        case .preferFloor: (origin - 0.5).rounded(.up)
        case .preferCeil: (origin + 0.5).rounded(.down)
        case .floor: origin.rounded(.down)
        case .ceil: origin.rounded(.up)
        }
      return min(max(Int(exactly: rounded) ?? 0, 0), input - 1)
    }
  }

  /// The weights of linear interpolation, or of cubic with coefficient `cubic`.
  func filter(cubic: Double?, antialias: Bool, excludeOutside: Bool) -> ResizeFilter {
    let narrowing = antialias ? min(scale, 1) : 1
    let support = cubic == nil ? 1.0 : 2.0
    let half = 1 - (Int(exactly: (-support / narrowing).rounded(.down)) ?? 0) - 1
    var taps: [[(Int, Double)]?] = []
    for index in 0..<output {
      guard let origin = origin(index), let left = Int(exactly: origin.rounded(.up) - 1) else {
        taps.append(nil)
        continue
      }
      let ratio = origin - Double(left)
      var weights: [(Int, Double)] = []
      for step in 1 - half...half {
        let weight = Self.kernel((Double(step) - ratio) * narrowing, cubic)
        let place = left + step
        if excludeOutside, place < 0 || place >= input { continue }
        weights.append((min(max(place, 0), input - 1), weight))
      }
      let sum = weights.reduce(0) { $0 + $1.1 }
      let divisor = (antialias || excludeOutside) && sum != 0 ? sum : 1
      taps.append(weights.map { ($0.0, $0.1 / divisor) })
    }
    return ResizeFilter(taps: taps)
  }

  /// The weight of an element at `distance`.
  private static func kernel(_ distance: Double, _ cubic: Double?) -> Double {
    let d = distance.magnitude
    guard let a = cubic else { return max(0, 1 - d) }
    if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
  }
}

/// The input elements and weights that make each output element of one axis; nil for extrapolated ones.
struct ResizeFilter: Sendable {
  let taps: [[(place: Int, weight: Double)]?]

  init(taps: [[(Int, Double)]?]) { self.taps = taps.map { $0.map { $0.map { ($0.0, $0.1) } } } }

  /// `values` of shape `shape` resampled along `axis`.
  func apply(
    _ values: [Double], _ shape: [Int], _ axis: Int, count: Int, extrapolation: Double
  ) -> [Double] {
    let (inner, outer) = (shape.dropFirst(axis + 1).reduce(1, *), shape.prefix(axis).reduce(1, *))
    var result = [Double](repeating: 0, count: count)
    var target = 0
    for block in 0..<outer {
      let base = block * shape[axis] * inner
      for tap in taps {
        if let tap {
          for (place, weight) in tap {
            let source = base + place * inner
            for index in 0..<inner { result[target + index] += weight * values[source + index] }
          }
        } else {
          for index in 0..<inner { result[target + index] = extrapolation }
        }
        target += inner
      }
    }
    return result
  }
}
