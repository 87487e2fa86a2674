import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Convolutions that spread their input, and pixel shuffles.
  static let transposedConvolutions: [Lowering] = [
    Lowering(ConvTranspose.self) { (conv, site) throws(CompileProblem) in try site.lower(conv) },
    Lowering(DepthToSpace.self) { (op, site) throws(CompileProblem) in
      try site.shuffle(block: op.blocksize, order: op.mode, isUnfolding: true)
    },
    Lowering(SpaceToDepth.self) { (op, site) throws(CompileProblem) in
      try site.shuffle(block: op.blocksize, order: op.mode, isUnfolding: false)
    },
  ]
}

extension LoweringSite {
  /// A convolution over the input with zeros between its elements, the window turned around.
  fileprivate func lower(_ conv: ConvTranspose) throws(CompileProblem) {
    try require(.float32, 0)
    try require(.float32, 1)
    let (x, w, y) = (try shape(0), try shape(1), try outputType(0).shape)
    let groups = conv.group
    guard x.count >= 3, w.count == x.count, groups > 0, x[1] == w[0], w[0] % groups == 0 else {
      throw CompileProblem(.unsupported("a transposed convolution of \(x)"))
    }
    // The window as the operator states it, for its strides and dilations.
    var window = try SpatialWindow(
      self, input: Array(x[2...]), output: Array(y[2...]), kernel: Array(w[2...]),
      strides: conv.strides, dilations: conv.dilations, pads: conv.pads, autoPad: .notSet)
    let steps = window.strides
    for axis in window.kernel.indices {
      let span = (window.kernel[axis] - 1) * window.dilations[axis] + 1
      let extra = conv.outputPadding.flatMap { $0.isEmpty ? nil : $0[axis] } ?? 0
      let full = steps[axis] * (window.input[axis] - 1) + extra + span
      let isShaped = conv.outputShape?.isEmpty == false
      if isShaped || conv.autoPad == .sameUpper || conv.autoPad == .sameLower {
        let total = max(0, full - window.output[axis])
        window.before[axis] = conv.autoPad == .sameUpper ? total / 2 : total - total / 2
      } else if conv.autoPad == .valid {
        window.before[axis] = 0
      }
      window.before[axis] = span - 1 - window.before[axis]
      window.input[axis] = max(0, (window.input[axis] - 1) * steps[axis] + 1)
      window.strides[axis] = 1
    }
    guard window.before.allSatisfy({ $0 >= 0 }) else {
      throw CompileProblem(.unsupported("padding of a transposed convolution past its window"))
    }
    let order = Order.channelsLast(x.count)
    var input = try value(0, order: order)
    if steps.contains(where: { $0 != 1 }) {
      let spread = try make(.float32, [x[0], x[1]] + window.input, order: order)
      fill(spread)
      let (from, to) = (input.strides, spread.strides)
      try copy(
        order.map { x[$0] }, from: input.tensor, strides: order.map { from[$0] },
        to: spread.tensor,
        targetStrides: order.map { $0 < 2 ? to[$0] : to[$0] * steps[$0 - 2] }, element: .float32)
      input = spread
    }
    let bias = has(2) ? try rowMajor(2).tensor : nil
    let result = try make(.float32, y, order: order)
    let (taps, own, filters) = (window.taps, w[0] / groups, w[1])
    let isDepthwise = own == 1 && filters == 1 && groups > 1
    let weights =
      isDepthwise
      ? try block(
        1, StridedView(offset: taps - 1, extents: [taps, groups], strides: [-1, taps]),
        [taps, groups]
      ).tensor
      : try panels(
        1,
        PanelView(
          offset: taps - 1, matrices: groups, matrixStride: own * filters * taps, outer: taps,
          outerStride: -1, inner: own, innerStride: filters * taps, columns: filters,
          columnStride: taps))
    let step = wh_conv(window, batch: x[0], groups: groups, channels: own, filters: filters)
    emit(
      isDepthwise ? .depthwise(step) : .conv(step), [input.tensor, weights, bias, nil],
      [result.tensor])
    count(macs: y.reduce(1, *), own, taps)
    try finish(0, result)
  }

  /// Channels to blocks of pixels, or back.
  fileprivate func shuffle(
    block: Int, order: DepthOrder, isUnfolding: Bool
  ) throws(CompileProblem) {
    let x = try form(0)
    let shape = try outputType(0).shape
    guard x.shape.count == 4, shape.count == 4, block > 0, !shape.contains(0) else {
      throw CompileProblem(.unsupported("a pixel shuffle of \(x.shape)"))
    }
    let result = try make(like: x, shape, order: x.order)
    // `deep` has the blocks in its channels, `wide` in its pixels.
    let (deep, wide) = isUnfolding ? (x, result) : (result, x)
    let (d, w) = (deep.strides, wide.strides)
    let depth = wide.shape[1]
    let isDepthLast = order == .depthColumnRow
    let channel = isDepthLast ? d[1] : d[1] * block * block
    let row = isDepthLast ? d[1] * block * depth : d[1] * block
    let column = isDepthLast ? d[1] * depth : d[1]
    let extents = [wide.shape[0], depth, deep.shape[2], block, deep.shape[3], block]
    let deepSteps = [d[0], channel, d[2], row, d[3], column]
    let wideSteps = [w[0], w[1], w[2] * block, w[2], w[3] * block, w[3]]
    try copy(
      extents, from: x.tensor, strides: isUnfolding ? deepSteps : wideSteps, to: result.tensor,
      targetStrides: isUnfolding ? wideSteps : deepSteps, element: x.element)
    try finish(0, result)
  }
}
