import WherryGraph
import WherryOperators

/// Where the output channels of a layer lie in its weights.
struct WeightLayout: Sendable, Hashable {
  /// The axis along which scales differ.
  let axis: Int
  /// Extent of that axis.
  let channels: Int
  /// Output channels of the layer; a multiple of `channels`, which repeat for each group of a
  /// transposed convolution.
  let outputs: Int

  init(_ operation: any Operator, _ weights: Tensor) {
    var groups = 1
    switch operation {
    case let transposed as ConvTranspose: (axis, groups) = (1, transposed.group)
    case let gemm as Gemm: axis = gemm.transB ? 0 : 1
    case is MatMul: axis = weights.rank - 1
    case is LSTM, is GRU: axis = min(1, weights.rank - 1)
    case is Gather: axis = 0
    default: axis = 0
    }
    channels = weights.shape.indices.contains(axis) ? weights.shape[axis] : 1
    outputs = channels * max(groups, 1)
  }

  /// Calls `body` with every run of consecutive elements of one channel: channel and positions.
  func forEachRun(_ shape: [Int], _ body: (Int, Range<Int>) -> Void) {
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    var start = 0
    for _ in 0..<outer {
      for channel in 0..<channels {
        body(channel, start..<start + inner)
        start += inner
      }
    }
  }
}
