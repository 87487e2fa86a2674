import WherryBytes
import WherryGraph

/// What each channel of an activation does, over all samples.
public struct ChannelStatistics: Sendable {
  /// The largest magnitude in each channel.
  public private(set) var largest: [Float] = []
  /// Sums and sums of squares of differences, for `addDifference`.
  private var sums: [Double] = []
  private var squares: [Double] = []
  private var count = 0

  public init() {}

  /// Adds a tensor's magnitudes; channels lie along `axis`, which counts from the end when negative.
  public mutating func add(_ tensor: Tensor, axis: Int) {
    guard let (outer, channels, inner) = Self.runs(tensor, axis) else { return }
    fit(channels)
    tensor.bytes.withUnsafeBytes { raw in
      for block in 0..<outer * channels {
        var most = largest[block % channels]
        for index in block * inner..<(block + 1) * inner {
          most = max(
            most, raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self).magnitude)
        }
        largest[block % channels] = most
      }
    }
  }

  /// Adds the differences `actual - reference`; both of one shape.
  public mutating func addDifference(_ actual: Tensor, _ reference: Tensor, axis: Int) {
    guard actual.shape == reference.shape, reference.element == .float32,
      let (outer, channels, inner) = Self.runs(actual, axis)
    else { return }
    fit(channels)
    count += outer * inner
    actual.bytes.withUnsafeBytes { a in
      reference.bytes.withUnsafeBytes { b in
        for block in 0..<outer * channels {
          var (sum, square) = (0.0, 0.0)
          for index in block * inner..<(block + 1) * inner {
            let x = a.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
            let y = b.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
            let gap = Double(x) - Double(y)
            sum += gap
            square += gap * gap
          }
          sums[block % channels] += sum
          squares[block % channels] += square
        }
      }
    }
  }

  /// The mean difference of each channel as far as it stands out from chance: shrunk by the share that a
  /// mean of so many numbers would have had anyway.
  public var shift: [Double] {
    guard count > 0 else { return [] }
    let n = Double(count)
    return zip(sums, squares).map { sum, square in
      let mean = sum / n
      let variance = max(square / n - mean * mean, 0)
      let power = mean * mean
      return power > 0 ? mean * power / (power + variance / n) : 0
    }
  }

  private mutating func fit(_ channels: Int) {
    guard largest.count != channels else { return }
    largest = [Float](repeating: 0, count: channels)
    sums = [Double](repeating: 0, count: channels)
    squares = sums
    count = 0
  }

  /// Outer extent, channels and elements in a row of one channel; nil for what has no such axis.
  private static func runs(_ tensor: Tensor, _ axis: Int) -> (
    outer: Int, channels: Int, inner: Int
  )? {
    let axis = axis < 0 ? axis + tensor.rank : axis
    guard tensor.element == .float32, tensor.shape.indices.contains(axis) else { return nil }
    return (
      tensor.shape[..<axis].reduce(1, *), tensor.shape[axis],
      tensor.shape[(axis + 1)...].reduce(1, *)
    )
  }
}
