import WherryBytes
import WherryGraph
import WherryOperators

/// What the sums of a layer with weights are taken over, at some of its positions.
///
/// A row holds, for each group of outputs, the numbers that one output of it multiplies: `depth` of them,
/// in the order of the weights of one output.
public struct InputRows: Sendable {
  /// Groups of outputs with inputs of their own: those of a convolution, else 1.
  let groups: Int
  /// Weights of one output.
  let depth: Int
  /// `[count, groups, depth]`
  private(set) var numbers: [Float] = []
  private(set) var count = 0
  private let conv: Conv?
  /// Extents of the window; empty for matrix products.
  private let kernel: [Int]
  private var state: UInt64 = 1

  /// - Returns: nil for operators whose rows aren't known: others than matrix products and convolutions
  ///   over two axes with padding that is stated.
  public init?(_ operation: any Operator, _ weights: Tensor) {
    switch operation {
    case let conv as Conv:
      guard weights.rank == 4, conv.autoPad == .notSet || conv.autoPad == .valid, conv.group > 0,
        weights.shape[0] % conv.group == 0
      else { return nil }
      (groups, depth) = (conv.group, weights.shape[1...].reduce(1, *))
      (self.conv, kernel) = (conv, Array(weights.shape[2...]))
    case let gemm as Gemm:
      guard weights.rank == 2, !gemm.transA else { return nil }
      (groups, depth, conv, kernel) = (1, weights.shape[gemm.transB ? 1 : 0], nil, [])
    case is MatMul:
      guard weights.rank == 2 else { return nil }
      (groups, depth, conv, kernel) = (1, weights.shape[0], nil, [])
    default: return nil
    }
    guard depth > 0 else { return nil }
  }

  /// Adds rows of one input: all of them, or `most` at random places.
  public mutating func add(_ input: Tensor, atMost most: Int) {
    guard input.element == .float32, input.count > 0 else { return }
    if let conv { addPatches(of: input, conv, most) } else { addVectors(of: input, most) }
  }

  private mutating func places(_ total: Int, _ most: Int) -> [Int] {
    guard total > most else { return Array(0..<total) }
    return (0..<most).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(total))
    }
  }

  private mutating func addVectors(of input: Tensor, _ most: Int) {
    guard input.shape.last == depth else { return }
    let chosen = places(input.count / depth, most)
    input.bytes.withUnsafeBytes { raw in
      for place in chosen {
        for column in place * depth..<(place + 1) * depth {
          numbers.append(raw.loadUnaligned(fromByteOffset: column * 4, as: Float.self))
        }
      }
    }
    count += chosen.count
  }

  private mutating func addPatches(of input: Tensor, _ conv: Conv, _ most: Int) {
    guard input.rank == 4, input.shape[1] * kernel[0] * kernel[1] == groups * depth,
      let strides = Self.list(conv.strides, 2, 1, 1),
      let steps = Self.list(conv.dilations, 2, 1, 1),
      let pads = Self.list(conv.autoPad == .valid ? nil : conv.pads, 4, 0, 0)
    else { return }
    let (channels, height, width) = (input.shape[1], input.shape[2], input.shape[3])
    let slack: [Int] = (0..<2).map { (axis: Int) -> Int in
      let padded: Int = input.shape[axis + 2] + pads[axis] + pads[axis + 2]
      return padded - (kernel[axis] - 1) * steps[axis] - 1
    }
    guard slack.allSatisfy({ $0 >= 0 }) else { return }
    let (rows, columns) = (slack[0] / strides[0] + 1, slack[1] / strides[1] + 1)
    let chosen = places(input.shape[0] * rows * columns, most)
    let positions: Int = rows * columns
    let (down, across): (Int, Int) = (kernel[0], kernel[1])
    input.bytes.withUnsafeBytes { (raw: UnsafeRawBufferPointer) in
      for place: Int in chosen {
        let first: Int = place / positions * channels
        let top: Int = place % positions / columns * strides[0] - pads[0]
        let left: Int = place % columns * strides[1] - pads[1]
        for channel: Int in first..<first + channels {
          for tap: Int in 0..<down * across {
            let y: Int = top + tap / across * steps[0]
            let x: Int = left + tap % across * steps[1]
            var number: Float = 0
            if y >= 0, y < height, x >= 0, x < width {
              let at: Int = (channel * height + y) * width + x
              number = raw.loadUnaligned(fromByteOffset: at * 4, as: Float.self)
            }
            numbers.append(number)
          }
        }
      }
    }
    count += chosen.count
  }

  /// Attributes of a window, none so large that sums of products could overflow.
  private static func list(
    _ values: [Int]?, _ count: Int, _ fallback: Int, _ least: Int
  ) -> [Int]? {
    guard let values, !values.isEmpty else { return Array(repeating: fallback, count: count) }
    guard values.count == count, values.allSatisfy({ $0 >= least && $0 < 1 << 20 }) else {
      return nil
    }
    return values
  }
}
