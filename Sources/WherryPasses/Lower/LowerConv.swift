import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Convolutions.
  static let convolutions: [Lowering] = [
    Lowering(Conv.self) { (conv, site) throws(CompileProblem) in try site.lower(conv) }
  ]
}

extension LoweringSite {
  fileprivate func lower(_ conv: Conv) throws(CompileProblem) {
    try require(.float32, 0)
    try require(.float32, 1)
    let (x, w, y) = (try shape(0), try shape(1), try outputType(0).shape)
    guard x.count >= 3, w.count == x.count, y.count == x.count else {
      throw CompileProblem(.unsupported("a convolution of \(x)"))
    }
    let window = try SpatialWindow(
      self, input: Array(x[2...]), output: Array(y[2...]), kernel: Array(w[2...]),
      strides: conv.strides, dilations: conv.dilations, pads: conv.pads, autoPad: conv.autoPad)
    let groups = conv.group
    guard groups > 0, w[0] % groups == 0, x[1] == groups * w[1] else {
      throw CompileProblem(.invalid("\(groups) groups of \(w) on \(x)"))
    }
    let order = Order.channelsLast(x.count)
    let input = try value(0, order: order)
    let bias = has(2) ? try rowMajor(2).tensor : nil
    let result = try make(.float32, y, order: order)
    let (taps, own, filters) = (window.taps, w[1], w[0] / groups)
    let isDepthwise = own == 1 && filters == 1 && groups > 1
    let weights =
      isDepthwise
      ? try block(
        1, StridedView(extents: [taps, groups], strides: [1, taps]), [taps, groups]
      ).tensor
      : try panels(
        1,
        PanelView(
          matrices: groups, matrixStride: filters * own * taps, outer: taps, outerStride: 1,
          inner: own, innerStride: taps, columns: filters, columnStride: own * taps))
    let step = wh_conv(window, batch: x[0], groups: groups, channels: own, filters: filters)
    emit(
      isDepthwise ? .depthwise(step) : .conv(step), [input.tensor, weights, bias, nil],
      [result.tensor])
    count(macs: y.reduce(1, *), own, taps)
    try finish(0, result)
  }
}

extension LoweringSite {
  /// A block of a row-major input as a dense value of its own: a reordered constant, or a copy.
  func block(
    _ index: Int, _ view: StridedView, _ shape: [Int]
  ) throws(CompileProblem) -> Lowered {
    let (element, whole) = try type(index)
    let isWhole =
      view.offset == 0 && view.strides == StridedLoop.dense(view.extents)
      && view.extents.reduce(1, *) == whole.reduce(1, *)
    var result = Lowered(
      tensor: 0, element: element, shape: shape, order: Order.rowMajor(shape.count))
    if let tensor = constant(index) {
      let weight = Weight(
        tensor.bytes, width: max(element.width, 1), packing: isWhole ? .plain : .strided(view))
      result.tensor = try builder.weight(weight, element, shape)
      return result
    }
    let source = try rowMajor(index)
    if isWhole { return reshaped(source, shape) }
    result = try make(element, shape)
    try copy(
      view.extents, from: source.tensor, offset: view.offset, strides: view.strides,
      to: result.tensor, targetStrides: StridedLoop.dense(view.extents), element: element)
    return result
  }

  /// A matrix operand in panels: packed once when constant, else by copies at every run.
  func panels(_ index: Int, _ view: PanelView) throws(CompileProblem) -> Int {
    try require(.float32, index)
    if let tensor = constant(index) { return try panels(tensor, view) }
    let source = try rowMajor(index)
    let result = try make(.float32, [view.packedCount])
    let width = Int(WH_PANEL)
    if view.columns % width != 0 { fill(result) }
    let (rows, full) = (view.rows, view.columns / width)
    for (first, panels, wide) in [(0, full, width), (full, 1, view.columns % width)] {
      guard panels > 0, wide > 0 else { continue }
      try copy(
        [view.matrices, panels, view.outer, view.inner, wide], from: source.tensor,
        offset: view.offset + first * width * view.columnStride,
        strides: [
          view.matrixStride, width * view.columnStride, view.outerStride, view.innerStride,
          view.columnStride,
        ],
        to: result.tensor, targetOffset: first * rows * width,
        targetStrides: [view.matrixCount, rows * width, view.inner * width, width, 1],
        element: .float32)
    }
    return result.tensor
  }
}
