import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Pools, means and interpolation of 8-bit tensors.
  static let quantizedPools: [Lowering] = [
    Lowering(QLinearAveragePool.self) { (op, site) throws(CompileProblem) in
      let to = try site.quantization(3, 4, try site.outputType(0).element)
      let from = try site.quantization(1, 2, try site.element(0))
      var step = try site.poolStep(
        WindowForm(
          kernel: op.kernelShape, strides: op.strides, dilations: nil, pads: op.pads,
          autoPad: op.autoPad), isNHWC: op.channelsLast)
      step.kind = 1
      step.count_include_pad = op.countIncludePad ? 1 : 0
      try site.setAverage(&step, from, to)
      try site.emitPool(step, isNHWC: op.channelsLast, from, to)
    },
    Lowering(NhwcMaxPool.self) { (op, site) throws(CompileProblem) in
      try site.lowerMaxPool8(
        WindowForm(
          kernel: op.kernelShape, strides: op.strides, dilations: op.dilations, pads: op.pads,
          autoPad: op.autoPad), isNHWC: true)
    },
    Lowering(QLinearGlobalAveragePool.self) { (op, site) throws(CompileProblem) in
      let rank = try site.shape(0).count
      guard rank > 2 else { throw CompileProblem(.unsupported("pooling of rank \(rank)")) }
      try site.lowerMean8(op.channelsLast ? Array(1..<rank - 1) : Array(2..<rank), keepsAxes: true)
    },
    Lowering(QLinearReduceMean.self) { (op, site) throws(CompileProblem) in
      let rank = try site.shape(0).count
      var axes: [Int] = []
      for axis in op.axes { axes.append(try site.axis(axis, rank: rank)) }
      try site.lowerMean8(axes.isEmpty ? Array(0..<rank) : axes, keepsAxes: op.keepsAxes)
    },
    Lowering(QLinearResize.self) { (op, site) throws(CompileProblem) in try site.lower(op) },
  ]
}

/// A pool's window, whatever operator states it.
struct WindowForm {
  var kernel: [Int]
  var strides: [Int]?
  var dilations: [Int]?
  var pads: [Int]?
  var autoPad: AutoPad
}

extension LoweringSite {
  /// Everything of a pool but its kind and zero points.
  fileprivate func poolStep(
    _ form: WindowForm, isNHWC: Bool
  ) throws(CompileProblem) -> wh_qpool {
    let y = try mapShape(channelsLast: isNHWC)
    var x = try shape(0)
    if isNHWC, x.count > 2 { x = [x[0], x[x.count - 1]] + x[1..<x.count - 1] }
    guard x.count >= 3, y.count == x.count, form.kernel.count == x.count - 2 else {
      throw CompileProblem(.unsupported("pooling of \(x)"))
    }
    let window = try SpatialWindow(
      self, input: Array(x[2...]), output: Array(y[2...]), kernel: form.kernel,
      strides: form.strides, dilations: form.dilations, pads: form.pads, autoPad: form.autoPad)
    var step = wh_qpool()
    (step.batch, step.channels) = (Int32(small: x[0]), Int32(small: x[1]))
    (step.in, step.out) = (
      SpatialWindow.three(window.input, 1), SpatialWindow.three(window.output, 1)
    )
    step.kernel = SpatialWindow.three(window.kernel, 1)
    step.stride = SpatialWindow.three(window.strides, 1)
    step.dilation = SpatialWindow.three(window.dilations, 1)
    step.pad = SpatialWindow.three(window.before, 0)
    step.pad_end = SpatialWindow.three(window.after, 0)
    (step.low, step.high) = (-128, 127)
    return step
  }

  fileprivate func setAverage(
    _ step: inout wh_qpool, _ from: TensorQuantization, _ to: TensorQuantization
  ) throws(CompileProblem) {
    (step.x_zero, step.y_zero) = (from.zeroPoint, to.zeroPoint)
    step.ratio = from.scale64 / to.scale64
    _ = try factor(step.ratio)
  }

  fileprivate func emitPool(
    _ step: wh_qpool, isNHWC: Bool, _ from: TensorQuantization, _ to: TensorQuantization
  ) throws(CompileProblem) {
    let input = try image(channelsLast: isNHWC, from)
    let shape = try mapShape(channelsLast: isNHWC)
    let result = try makeQ8(
      try outputType(0).element, shape, order: Order.channelsLast(shape.count), to)
    emit(.qPool(step), [input.tensor], [result.tensor])
    try finish(0, isNHWC ? channelsLast(result) : result)
  }

  /// The largest of each window of 8-bit values, whatever they stand for.
  func lowerMaxPool8(_ form: WindowForm, isNHWC: Bool) throws(CompileProblem) {
    let step = try poolStep(form, isNHWC: isNHWC)
    let known =
      forms(0).first { $0.isQ8 }.flatMap { builder.tensors[$0.tensor].quantization }
      ?? TensorQuantization(scale: 0, zeroPoint: 0)
    try emitPool(step, isNHWC: isNHWC, known, known)
  }

  /// 8-bit values held within constant bounds: a pool of one element, which fuses into what makes them.
  func lowerClamp8(_ low: Int64, _ high: Int64) throws(CompileProblem) {
    let x = try q8(0)
    let shift: Int64 = x.element == .uint8 ? 128 : 0
    var step = wh_qpool()
    let count = x.shape.reduce(1, *)
    (step.batch, step.channels) = (1, Int32(small: count))
    (step.in, step.out, step.kernel) = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
    (step.stride, step.dilation) = ((1, 1, 1), (1, 1, 1))
    step.low = Int32(truncatingIfNeeded: max(low - shift, -128))
    step.high = Int32(truncatingIfNeeded: min(high - shift, 127))
    guard step.low <= step.high else { throw CompileProblem(.unsupported("bounds that cross")) }
    let result = try make(like: x, x.shape, order: x.order)
    emit(.qPool(step), [x.tensor], [result.tensor])
    try finish(0, result)
  }

  /// The mean over axes: a pool over memory seen as `[outer, count, inner]`.
  fileprivate func lowerMean8(_ axes: [Int], keepsAxes: Bool) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    let from = try quantization(1, 2, try self.element(0))
    let to = try quantization(3, 4, element)
    var x = try q8(0, from)
    let reduced = Set(axes)
    let places = x.order.indices.filter {
      reduced.contains(x.order[$0]) && x.shape[x.order[$0]] != 1
    }
    if let first = places.first, let last = places.last, last - first + 1 != places.count {
      let gaps = x.order[first...last].filter { !reduced.contains($0) && x.shape[$0] != 1 }
      if !gaps.isEmpty {
        let kept = x.order.filter { !reduced.contains($0) }
        x = try q8(0, order: kept + x.order.filter { reduced.contains($0) }, from)
      }
    }
    let at = x.order.indices.filter { reduced.contains(x.order[$0]) && x.shape[x.order[$0]] != 1 }
    let dims = x.dims
    let count = reduced.reduce(1) { $0 * x.shape[$1] }
    let outer = dims.prefix(at.first ?? 0).reduce(1, *)
    let inner = x.shape.reduce(1, *) / max(count * outer, 1)
    var step = wh_qpool()
    (step.kind, step.batch, step.channels) = (1, Int32(small: outer), Int32(small: inner))
    (step.in, step.kernel) = ((1, 1, Int32(small: count)), (1, 1, Int32(small: count)))
    (step.out, step.stride, step.dilation) = ((1, 1, 1), (1, 1, 1), (1, 1, 1))
    (step.low, step.high) = (-128, 127)
    guard count > 0, count <= 1 << 23 else {
      throw CompileProblem(.unsupported("a mean of \(count) elements"))
    }
    try setAverage(&step, from, to)
    let kept = x.shape.indices.filter { !reduced.contains($0) }
    let order =
      keepsAxes
      ? x.order : x.order.compactMap { axis in kept.firstIndex(of: axis) }
    let result = try makeQ8(element, shape, order: order, to)
    emit(.qPool(step), [x.tensor], [result.tensor])
    try finish(0, result)
  }

  fileprivate func lower(_ resize: QLinearResize) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    let from = try quantization(1, 2, try self.element(0))
    let to = try quantization(3, 4, element)
    let scales = has(6) ? try requireConstant(6).doubles.map { Float($0) } : nil
    let sizes = has(7) ? try requireConstant(7).integers.map { Int($0) } : nil
    var x = try q8(0, from)
    let changed: [QLinearResize.Axis]
    do throws(RunError) {
      changed = try resize.axes(x.shape, scales: scales, sizes: sizes).changed
    } catch {
      throw CompileProblem(.run(error.reason))
    }
    // Both axes side by side in memory, the first of them first.
    let axes = changed.map(\.axis)
    let places = axes.compactMap { x.order.firstIndex(of: $0) }.sorted()
    if places.count == 2, places[1] != places[0] + 1 {
      x = try q8(0, order: x.order.filter { !axes.contains($0) } + axes, from)
    }
    let at = x.order.firstIndex { axes.contains($0) } ?? x.shape.count
    let lines = (0..<2).map { side -> QLinearResize.Axis? in
      let missing = 2 - changed.count
      guard side >= missing, at + side - missing < x.order.count else { return nil }
      return changed.first { $0.axis == x.order[at + side - missing] }
    }
    let dims = x.dims
    var step = wh_qresize()
    step.outer = Int32(small: dims.prefix(at).reduce(1, *))
    step.inner = Int32(small: dims.dropFirst(at + changed.count).reduce(1, *))
    func pair(_ values: [Int]) -> (Int32, Int32) {
      (Int32(small: values[0]), Int32(small: values[1]))
    }
    step.in = pair(lines.map { $0.map { x.shape[$0.axis] } ?? 1 })
    step.out = pair(lines.map { $0.map { $0.taps.count } ?? 1 })
    let widths = lines.map { max($0?.taps.map(\.count).max() ?? 1, 1) }
    step.taps = pair(widths)
    (step.x_zero, step.y_zero) = (from.zeroPoint, to.zeroPoint)
    step.factor = try factor(
      Double(QLinearResize.factor(from.scale, to.scale, axes: changed.count)))
    var operands: [Int?] = [x.tensor]
    var most = 1
    for (line, width) in zip(lines, widths) {
      let taps = line?.taps ?? [[QLinearResize.Tap(place: 0, weight: 1)]]
      let largest = taps.map { $0.reduce(0) { $0 + Int(abs($1.weight)) } }.max() ?? 1
      most = Checked.multiply(most, largest) ?? .max
      let padded = taps.map { list in
        list + Array(repeating: QLinearResize.Tap(place: 0, weight: 0), count: width - list.count)
      }.flatMap { $0 }
      for numbers in [padded.map { Int64($0.place) }, padded.map(\.weight)] {
        guard let table = Tensor(.int32, [taps.count, width], integers: numbers) else { return }
        operands.append(try weight(table).tensor)
      }
    }
    guard most < 1 << 23 else { throw CompileProblem(.unsupported("weights of a sum of \(most)")) }
    let result = try makeQ8(element, shape, order: x.order, to)
    emit(.qResize(step), operands, [result.tensor])
    try finish(0, result)
  }
}
