import Glibc

/// Chooses the range of an activation from its distribution.
enum RangeSelection {
  /// - Returns: a range that holds 0 and lies within the extremes (and 0).
  static func range(
    of histogram: ActivationHistogram, _ method: CalibrationMethod, percentile: Double
  ) -> (low: Double, high: Double) {
    let extremes = (
      low: min(Double(histogram.low), 0), high: max(Double(histogram.high), 0)
    )
    guard histogram.width > 0, extremes.high > extremes.low else { return extremes }
    let chosen: (low: Double, high: Double)
    switch method {
    case .minMax: return extremes
    case .percentile: chosen = share(histogram, percentile / 100)
    case .squaredError, .auto: chosen = SquaredErrorRange(histogram, extremes).best
    case .entropy: chosen = EntropyRange(histogram, extremes).best
    }
    let range = (low: max(chosen.low, extremes.low), high: min(chosen.high, extremes.high))
    return range.high > range.low ? range : extremes
  }

  /// The range that leaves half of `1 - share` out on either side.
  private static func share(
    _ histogram: ActivationHistogram, _ share: Double
  ) -> (low: Double, high: Double) {
    let outside = Double(histogram.count) * (1 - share) / 2
    let edges = histogram.edges
    var (low, high) = (0.0, 0.0)
    var passed = 0.0
    for (index, number) in histogram.counts.enumerated() {
      passed += Double(number)
      if passed > outside {
        low = edges + Double(index) * histogram.width
        break
      }
    }
    passed = 0
    for (index, number) in histogram.counts.enumerated().reversed() {
      passed += Double(number)
      if passed > outside {
        high = edges + Double(index + 1) * histogram.width
        break
      }
    }
    return (min(low, 0), max(high, 0))
  }
}

extension ActivationHistogram {
  /// Where the first bin begins.
  var edges: Double { Double(origin) * width }

  /// The bins with the zeros put where they belong.
  var counts: [UInt64] {
    var counts = bins
    if counts.indices.contains(-origin) { counts[-origin] += UInt64(zeros) }
    return counts
  }
}

/// The range that minimizes the mean squared error of 256 steps: rounding inside, clipping outside.
struct SquaredErrorRange {
  private let centers: [Double]
  private let counts: [Double]
  private let extremes: (low: Double, high: Double)

  init(_ histogram: ActivationHistogram, _ extremes: (low: Double, high: Double)) {
    self.extremes = extremes
    // Four bins in one: still a thousand or more.
    var (centers, counts): ([Double], [Double]) = ([], [])
    let bins = histogram.bins
    for start in stride(from: 0, to: bins.count, by: 4) {
      let number = bins[start..<min(start + 4, bins.count)].reduce(0, +)
      guard number > 0 else { continue }
      centers.append(histogram.edges + (Double(start) + 2) * histogram.width)
      counts.append(Double(number))
    }
    (self.centers, self.counts) = (centers, counts)
  }

  var best: (low: Double, high: Double) {
    var best = extremes
    var least = error(best)
    /// Tries shrinking one or both ends to `from...to` percent of where they could be.
    func search(_ candidates: (Double) -> (low: Double, high: Double)) {
      for step in 1...100 {
        let candidate = candidates(Double(step) / 100)
        let error = error(candidate)
        if error < least { (best, least) = (candidate, error) }
      }
    }
    search { (extremes.low * $0, extremes.high * $0) }
    for _ in 0..<2 {
      let (low, high) = best
      search { (extremes.low * $0, high) }
      let kept = best.low
      search { (kept, extremes.high * $0) }
      if best == (low, high) { break }
    }
    return best
  }

  private func error(_ range: (low: Double, high: Double)) -> Double {
    let step = (range.high - range.low) / 255
    guard step > 0 else { return .infinity }
    let rounding = step * step / 12
    var sum = 0.0
    for (center, count) in zip(centers, counts) {
      if center < range.low {
        sum += count * (range.low - center) * (range.low - center)
      } else if center > range.high {
        sum += count * (center - range.high) * (center - range.high)
      } else {
        sum += count * rounding
      }
    }
    return sum
  }
}

/// The range whose quantized distribution differs least from the whole one, by Kullback-Leibler
/// divergence: 2,048 bins, ranges that grow around 0, 256 steps (128 on each side of 0).
///
/// - Source: S. Migacz, "8-bit Inference with TensorRT", GTC 2017.
struct EntropyRange {
  private static let resolution = 2048
  private let extremes: (low: Double, high: Double)
  /// Counts over `resolution` bins from 0 to the largest magnitude, of each side; `isOneSided` when all
  /// numbers have one sign.
  private let bins: [Double]
  private let top: Double
  private let isOneSided: Bool

  init(_ histogram: ActivationHistogram, _ extremes: (low: Double, high: Double)) {
    self.extremes = extremes
    isOneSided = extremes.low == 0 || extremes.high == 0
    top = max(-extremes.low, extremes.high)
    // Two-sided: magnitudes are folded onto one side, since the range grows evenly around 0.
    var bins = [Double](repeating: 0, count: Self.resolution)
    for (index, number) in histogram.bins.enumerated() where number > 0 {
      let center = (histogram.edges + (Double(index) + 0.5) * histogram.width).magnitude
      let at = Int(center / top * Double(Self.resolution))
      bins[min(at, Self.resolution - 1)] += Double(number)
    }
    self.bins = bins
  }

  var best: (low: Double, high: Double) {
    let levels = isOneSided ? 256 : 128
    var least = Double.infinity
    var chosen = Self.resolution
    var tail = bins.reduce(0, +) - bins[..<levels].reduce(0, +)
    for length in levels...Self.resolution {
      if length > levels { tail -= bins[length - 1] }
      let divergence = divergence(length, levels: levels, tail: max(tail, 0))
      if divergence < least { (least, chosen) = (divergence, length) }
    }
    let threshold = top * Double(chosen) / Double(Self.resolution)
    return (max(extremes.low, -threshold), min(extremes.high, threshold))
  }

  /// Of the first `length` bins, what lies beyond added to the last, against the same bins merged into
  /// `levels` and spread again evenly over those that hold anything.
  private func divergence(_ length: Int, levels: Int, tail: Double) -> Double {
    var (reference, candidate) = (0.0, 0.0)
    var sum = 0.0
    for level in 0..<levels {
      let (from, to) = (level * length / levels, (level + 1) * length / levels)
      var (mass, filled) = (0.0, 0.0)
      for index in from..<to where bins[index] > 0 || index == length - 1 && tail > 0 {
        mass += bins[index]
        filled += 1
      }
      for index in from..<to {
        let p = bins[index] + (index == length - 1 ? tail : 0)
        guard p > 0 else { continue }
        let q = mass / filled
        reference += p
        candidate += q
        // A bin that holds only the tail has no counterpart: a small share stands for it.
        sum += p * log(p / max(q, 1e-4))
      }
    }
    guard reference > 0, candidate > 0 else { return .infinity }
    // Both are normalized: sum p/P log((p/P) / (q/Q)).
    return sum / reference + log(candidate / reference)
  }
}
