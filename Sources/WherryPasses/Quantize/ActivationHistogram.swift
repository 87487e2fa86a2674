import WherryBytes
import WherryGraph

/// The distribution of a value over all samples: exact extremes, and counts in at most `capacity` bins.
///
/// Bins are `width` wide and lie at multiples of it; the width is a power of two that doubles when the
/// range outgrows the bins, so that counts stay exact, 0 is always an edge, and the order of samples
/// makes no difference. Zeros are counted apart.
public struct ActivationHistogram: Sendable {
  /// Twice the fewest bins that a range of more than one bin spans.
  static let capacity = 8192

  /// Numbers seen.
  public private(set) var count = 0
  public private(set) var zeros = 0
  /// The extremes; 0 when there was no number at all.
  public private(set) var low: Float = 0
  public private(set) var high: Float = 0
  /// Width of a bin; 0 as long as nothing but zeros was seen.
  private(set) var width = 0.0
  /// The multiple of `width` at which the first bin begins.
  private(set) var origin = 0
  private(set) var bins: [UInt64] = []
  private let keepsBins: Bool

  /// - Parameter keepsBins: false when only the extremes are wanted.
  public init(keepsBins: Bool = true) { self.keepsBins = keepsBins }

  /// Adds the elements of a float32 tensor.
  ///
  /// - Returns: the position of the first element that is NaN or infinite, when nothing is added; else nil.
  public mutating func add(_ tensor: Tensor) -> Int? {
    tensor.bytes.withUnsafeBytes { raw in
      let count = raw.count / 4
      guard count > 0 else { return nil }
      var (low, high) = (Float.infinity, -Float.infinity)
      // NaN fails both comparisons and infinity has a difference of NaN, so one sum finds both.
      var defect: Float = 0
      for index in 0..<count {
        let x = raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        low = x < low ? x : low
        high = x > high ? x : high
        defect += x - x
      }
      guard defect == 0 else {
        return (0..<count).first {
          !raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self).isFinite
        }
      }
      self.low = self.count == 0 ? low : min(self.low, low)
      self.high = self.count == 0 ? high : max(self.high, high)
      self.count += count
      if keepsBins { fill(raw, count) }
      return nil
    }
  }

  /// Adds what another histogram counted.
  public mutating func merge(_ other: ActivationHistogram) {
    guard other.count > 0 else { return }
    low = count == 0 ? other.low : min(low, other.low)
    high = count == 0 ? other.high : max(high, other.high)
    count += other.count
    zeros += other.zeros
    guard keepsBins, other.width > 0 else { return }
    fit(least: other.width)
    for (index, number) in other.bins.enumerated() where number > 0 {
      let edge = Double(other.origin + index) * other.width
      let at = Int((edge / width).rounded(.down)) - origin
      if bins.indices.contains(at) { bins[at] += number }
    }
  }

  private mutating func fill(_ raw: UnsafeRawBufferPointer, _ count: Int) {
    fit(least: 0)
    guard width > 0 else {
      zeros += count
      return
    }
    let (inverse, origin) = (Float(1 / width), Int32(origin))
    let last = Int32(bins.count - 1)
    var zeros = 0
    bins.withUnsafeMutableBufferPointer { bins in
      for index in 0..<count {
        let x = raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        if x == 0 {
          zeros += 1
          continue
        }
        let at = Int32((x * inverse).rounded(.down)) &- origin
        bins[Int(min(max(at, 0), last))] += 1
      }
    }
    self.zeros += zeros
  }

  /// Makes the bins span `low...high`, at least `least` wide.
  private mutating func fit(least: Double) {
    let (first, last) = (Double(min(low, 0)), Double(max(high, 0)))
    guard last > first else { return }
    var wanted = max(width, least)
    if wanted == 0 {
      // The widest power of two that gives at least half the bins.
      wanted = 0x1p-120
      let rough = (last - first) / Double(Self.capacity / 2)
      if rough > wanted { wanted = Double(sign: .plus, exponent: rough.exponent, significand: 1) }
    }
    while (last / wanted).rounded(.down) - (first / wanted).rounded(.down) + 1
      > Double(Self.capacity)
    { wanted *= 2 }
    let from = Int((first / wanted).rounded(.down))
    let to = Int((last / wanted).rounded(.down))
    guard wanted != width || from < origin || to >= origin + bins.count else { return }
    var grown = [UInt64](repeating: 0, count: to - from + 1)
    for (index, number) in bins.enumerated() where number > 0 {
      let edge = Double(origin + index) * width
      let at = Int((edge / wanted).rounded(.down)) - from
      if grown.indices.contains(at) { grown[at] += number }
    }
    (bins, origin, width) = (grown, from, wanted)
  }
}
