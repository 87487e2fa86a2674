import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Normalizations by rows, groups and neighbouring channels.
  static let normalizations: [Lowering] = [
    Lowering(LayerNormalization.self) { (norm, site) throws(CompileProblem) in
      if site.wants(1) || site.wants(2) { try site.statistics(norm) }
      try site.normalizeRows(kind: 0, from: norm.axis, epsilon: norm.epsilon)
    },
    Lowering(RMSNormalization.self) { (norm, site) throws(CompileProblem) in
      try site.normalizeRows(kind: 1, from: norm.axis, epsilon: norm.epsilon)
    },
    Lowering(InstanceNormalization.self) { (norm, site) throws(CompileProblem) in
      try site.normalizeGroups(nil, epsilon: norm.epsilon)
    },
    Lowering(GroupNormalization.self) { (norm, site) throws(CompileProblem) in
      try site.normalizeGroups(norm.numGroups, epsilon: norm.epsilon)
    },
    Lowering(MeanVarianceNormalization.self) { (norm, site) throws(CompileProblem) in
      try site.normalizeAxes(norm.axes, kind: 0, epsilon: 0, floor: 1e-9)
    },
    Lowering(LpNormalization.self) { (norm, site) throws(CompileProblem) in
      guard norm.p == 1 || norm.p == 2 else {
        throw CompileProblem(.unsupported("LpNormalization with p = \(norm.p)"))
      }
      try site.normalizeAxes([norm.axis], kind: norm.p == 1 ? 2 : 3, epsilon: 0, floor: nil)
    },
    Lowering(LRN.self) { (norm, site) throws(CompileProblem) in
      try site.require(.float32, 0)
      let shape = try site.shape(0)
      guard shape.count >= 2 else { throw CompileProblem(.unsupported("LRN of \(shape)")) }
      let order = Order.channelsLast(shape.count)
      let x = try site.value(0, order: order)
      let result = try site.make(.float32, shape, order: order)
      var lrn = wh_lrn()
      (lrn.rows, lrn.channels) = (
        Int32(small: shape.reduce(1, *) / max(shape[1], 1)), Int32(small: shape[1])
      )
      lrn.size = Int32(small: try site.small([norm.size])[0])
      (lrn.alpha, lrn.beta, lrn.bias) = (norm.alpha, norm.beta, norm.bias)
      site.emit(.lrn(lrn), [x.tensor], [result.tensor])
      try site.finish(0, result)
    },
  ]
}

extension LoweringSite {
  /// One call of the kernel on a value whose rows are dense.
  private func normalize(
    _ x: Lowered, kind: Int32, count: Int, epsilon: Float, scale: Int? = nil, bias: Int? = nil,
    period: Int = 1, channels: Int = 0, span: Int = 1
  ) throws(CompileProblem) -> Lowered {
    let result = try make(.float32, x.shape, order: x.order)
    var normalize = wh_normalize()
    (normalize.kind, normalize.count) = (kind, Int32(small: count))
    normalize.rows = Int32(small: x.shape.reduce(1, *) / max(count, 1))
    (normalize.period, normalize.channels_per_row) = (Int32(small: period), Int32(small: channels))
    (normalize.span, normalize.epsilon) = (Int32(small: max(span, 1)), epsilon)
    emit(.normalize(normalize), [x.tensor, scale, bias], [result.tensor])
    return result
  }

  fileprivate func normalizeRows(
    kind: Int32, from axis: Int, epsilon: Float
  ) throws(CompileProblem) {
    for index in 0..<inputCount where has(index) { try require(.float32, index) }
    let x = try rowMajor(0)
    let axis = try self.axis(axis, rank: x.shape.count)
    let row = Array(x.shape[axis...])
    let count = row.reduce(1, *)
    let scales = (1...2).allSatisfy { index in
      guard has(index) else { return true }
      let shape = (try? self.shape(index)) ?? []
      // Leading extents of 1 don't matter.
      return Array(shape.drop { $0 == 1 }) == Array(row.drop { $0 == 1 })
        && shape.count <= x.shape.count
    }
    if scales {
      let scale = try rowMajor(1).tensor
      let bias = has(2) ? try rowMajor(2).tensor : nil
      let result = try normalize(
        x, kind: kind, count: count, epsilon: epsilon, scale: scale, bias: bias, channels: count)
      return try finish(0, result)
    }
    var y = try normalize(x, kind: kind, count: count, epsilon: epsilon)
    y = try binary(WH_MUL, y, try value(1), shape: x.shape)
    if has(2) { y = try binary(WH_ADD, y, try value(2), shape: x.shape) }
    try finish(0, y)
  }

  /// Mean and inverse deviation of each row, as outputs of their own.
  fileprivate func statistics(_ norm: LayerNormalization) throws(CompileProblem) {
    try require(.float32, 0)
    let x = try value(0)
    let axes = Array(try axis(norm.axis, rank: x.shape.count)..<x.shape.count)
    let mean = try reduce(WH_REDUCE_MEAN, x, axes: axes, keepAxes: true)
    let centred = try binary(WH_SUB, x, mean, shape: x.shape)
    let square = try binary(WH_MUL, centred, centred, shape: x.shape)
    let variance = try reduce(WH_REDUCE_MEAN, square, axes: axes, keepAxes: true)
    let deviation = try unary(WH_SQRT, try affine(variance, 1, norm.epsilon))
    try finish(1, mean)
    try finish(2, try unary(WH_RECIPROCAL, deviation))
  }

  /// - Parameter groups: how many groups of channels; nil: each channel by itself.
  fileprivate func normalizeGroups(_ groups: Int?, epsilon: Float) throws(CompileProblem) {
    for index in 0...2 { try require(.float32, index) }
    let x = try rowMajor(0)
    guard x.shape.count >= 2 else { throw CompileProblem(.unsupported("a map \(x.shape)")) }
    let channels = x.shape[1]
    let groups = groups ?? channels
    guard groups > 0, channels % groups == 0 else {
      throw CompileProblem(.invalid("\(groups) groups of \(channels) channels"))
    }
    let spatial = x.shape[2...].reduce(1, *)
    let (scale, bias) = (try rowMajor(1), try rowMajor(2))
    guard scale.shape == [channels], bias.shape == [channels] else {
      throw CompileProblem(.unsupported("scales \(scale.shape)"))
    }
    let result = try normalize(
      x, kind: 0, count: channels / groups * spatial, epsilon: epsilon, scale: scale.tensor,
      bias: bias.tensor, period: groups, channels: channels / groups, span: spatial)
    try finish(0, result)
  }

  /// - Parameter floor: added to the deviation instead of to the variance.
  fileprivate func normalizeAxes(
    _ axes: [Int], kind: Int32, epsilon: Float, floor: Float?
  ) throws(CompileProblem) {
    try require(.float32, 0)
    let x = try value(0)
    var chosen: [Int] = []
    for axis in axes { chosen.append(try self.axis(axis, rank: x.shape.count)) }
    let kept = x.order.filter { !chosen.contains($0) }
    let order = kept + x.order.filter { chosen.contains($0) }
    let rows = try value(0, order: order)
    let count = chosen.reduce(1) { $0 * x.shape[$1] }
    // A deviation floor of 1e-9 is far below float32's reach of any variance but zero.
    let tiny = floor.map { $0 * $0 } ?? epsilon
    try finish(0, try normalize(rows, kind: kind, count: count, epsilon: tiny))
  }
}
