import CWherryABI
import Glibc
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Batch normalization that no layer before it could take in.
  static let batchNormalizations: [Lowering] = [
    Lowering(BatchNormalization.self) { (norm, site) throws(CompileProblem) in
      try site.lower(norm)
    }
  ]
}

extension LoweringSite {
  /// y = x * factor + offset, each one number a channel.
  fileprivate func lower(_ norm: BatchNormalization) throws(CompileProblem) {
    guard !norm.trainingMode else { throw CompileProblem(.unsupported("training")) }
    try require(.float32, 0)
    let x = try value(0)
    let channels = x.shape.count > 1 ? x.shape[1] : 1
    let spread = [channels] + Array(repeating: 1, count: max(x.shape.count - 2, 0))
    let product: Lowered
    let offset: Lowered
    if let affine = ChannelAffine(norm, (1...4).map { constant($0) }) {
      let factor = try weight(affine.factors.map { Float($0) }, spread)
      product = try binary(WH_MUL, x, factor, shape: x.shape)
      offset = try weight(affine.offsets.map { Float($0) }, spread)
    } else {
      var parts: [Lowered] = []
      for index in 1...4 {
        try require(.float32, index)
        parts.append(reshaped(try rowMajor(index), spread))
      }
      let (scale, bias, mean, variance) = (parts[0], parts[1], parts[2], parts[3])
      let deviation = try unary(WH_SQRT, try affine(variance, 1, norm.epsilon))
      let factor = try binary(WH_DIV, scale, deviation, shape: spread)
      let centred = try binary(WH_SUB, x, mean, shape: x.shape)
      product = try binary(WH_MUL, centred, factor, shape: x.shape)
      offset = bias
    }
    try finish(0, try binary(WH_ADD, product, offset, shape: x.shape))
  }
}

/// A batch normalization at inference as one multiplication and one addition a channel, in float64.
struct ChannelAffine {
  var factors: [Double]
  var offsets: [Double]

  /// - Parameter constants: scale, bias, mean, variance.
  /// - Returns: nil when one is not constant or they differ in length.
  init?(_ norm: BatchNormalization, _ constants: [Tensor?]) {
    let known = constants.compactMap { $0?.doubles }
    guard known.count == 4, known.allSatisfy({ $0.count == known[0].count }) else { return nil }
    (factors, offsets) = ([], [])
    for channel in known[0].indices {
      let factor = known[0][channel] / sqrt(known[3][channel] + Double(norm.epsilon))
      factors.append(factor)
      offsets.append(known[1][channel] - known[2][channel] * factor)
    }
  }
}
