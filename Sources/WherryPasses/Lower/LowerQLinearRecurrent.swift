import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// 8-bit recurrent layers with constant weights: one operation a direction.
  static let quantizedRecurrences: [Lowering] = [
    Lowering(QLinearLSTM.self) { (lstm, site) throws(CompileProblem) in
      try QuantizedRecurrentLowering(
        site, gates: 4, direction: lstm.direction, layout: lstm.layout, yScale: QLinearLSTM.yScale
      ).lower { .qLSTM($0) }
    },
    Lowering(QLinearGRU.self) { (gru, site) throws(CompileProblem) in
      try QuantizedRecurrentLowering(
        site, gates: 3, direction: gru.direction, layout: gru.layout, yScale: QLinearGRU.yScale,
        linearBeforeReset: gru.linearBeforeReset
      ).lower { .qGRU($0) }
    },
  ]
}

/// What the lowerings of `QLinearLSTM` and `QLinearGRU` share.
struct QuantizedRecurrentLowering {
  let site: LoweringSite
  let linearBeforeReset: Bool
  private let extents: RecurrentExtents
  private let weights, recurrent: Tensor
  private let x, h: TensorQuantization
  private let element: ElementType

  private var isLSTM: Bool { extents.gates == 4 }
  private var directions: Int { extents.directions }
  private var batch: Int { extents.batch }
  private var hidden: Int { extents.hidden }
  private var rows: Int { extents.rows }

  init(
    _ site: LoweringSite, gates: Int, direction: RecurrentDirection, layout: Int, yScale: Int,
    linearBeforeReset: Bool = false
  ) throws(CompileProblem) {
    (self.site, self.linearBeforeReset) = (site, linearBeforeReset)
    (weights, recurrent) = (try site.requireConstant(3), try site.requireConstant(5))
    for tensor in [weights, recurrent] where tensor.element != .int8 {
      throw CompileProblem(.unsupportedElement(tensor.element))
    }
    extents = try RecurrentExtents(
      x: site.shape(0), w: weights.shape, r: recurrent.shape, gates: gates, direction: direction,
      layout: layout)
    let own = try site.element(0)
    self.x = try site.quantization(1, 2, own)
    element = site.constant(yScale + 1)?.element ?? own
    h = try site.quantization(yScale, yScale + 1, element)
  }

  func lower(_ step: (wh_qrecurrent) -> PlanStep) throws(CompileProblem) {
    let x = try site.q8(0, order: Order.rowMajor(3), self.x)
    var results: [Lowered?] = [nil]
    if site.wants(0) {
      let shape = try site.outputType(0).shape
      results[0] = try site.makeQ8(element, shape, order: Order.rowMajor(4), h)
    }
    for index in 1..<(isLSTM ? 3 : 2) {
      results.append(site.wants(index) ? try site.makeOutput(index) : nil)
    }
    for direction in 0..<directions {
      let biases = try self.biases(direction)
      var inputs: [Int?] = [
        x.tensor, try stream(direction), try hiddenStream(direction), biases.input,
        biases.recurrent, try state(8, direction),
      ]
      inputs.append(isLSTM ? try state(9, direction) : nil)
      let scratch = try site.builder.tensor(.uint8, [ArenaPlanner.aligned(scratchBytes)])
      site.emit(
        step(try parameters(direction)), inputs, results.map { $0?.tensor }, scratch: scratch)
      site.count(macs: extents.steps, batch, rows, extents.input + hidden)
    }
    for (index, result) in results.enumerated() {
      if let result { try site.finish(index, result) }
    }
  }

  private var scratchBytes: Int {
    let pitch = (hidden + 31) / 32 * 32
    return 4 * ((min(extents.steps, 8) + 1) * batch * rows + 64) + 6 * batch * pitch + 64
  }

  private func parameters(_ direction: Int) throws(CompileProblem) -> wh_qrecurrent {
    var p = wh_qrecurrent()
    (p.steps, p.batch) = (Int32(small: extents.steps), Int32(small: batch))
    (p.input, p.hidden) = (Int32(small: extents.input), Int32(small: hidden))
    p.reverse = extents.reverse(direction)
    p.linear_before_reset = linearBeforeReset ? 1 : 0
    p.h_zero = h.zeroPoint
    (p.h_scale, p.h_factor) = (try site.factor(h.scale64), try site.factor(1 / h.scale64))
    let strides = extents.strides(direction)
    (p.x_step, p.x_batch) = (strides.xStep, strides.xBatch)
    (p.y_step, p.y_batch, p.y_offset) = (strides.yStep, strides.yBatch, strides.yOffset)
    (p.h_offset, p.h_batch) = (strides.hOffset, strides.hBatch)
    return p
  }

  // MARK: Constants

  /// Some rows of one direction of `W` or `R` as a stream.
  private func packed(
    _ tensor: Tensor, _ scales: Int, _ direction: Int, _ range: Range<Int>,
    _ quantization: TensorQuantization
  ) throws(CompileProblem) -> Weight {
    let depth = tensor.shape[2]
    let first = direction * rows + range.lowerBound
    let whole = try site.requireConstant(scales).doubles
    guard [1, rows, directions * rows].contains(whole.count), !whole.isEmpty,
      let source = tensor.bytes.slice(first * depth..<(first + range.count) * depth)
    else {
      throw CompileProblem(.invalid("\(whole.count) scales for \(directions * rows) rows"))
    }
    var factors: [Float] = []
    for row in first..<first + range.count {
      let scale = whole[row % whole.count]
      try site.checkScale(Float(scale))
      factors.append(try site.factor(4096 * quantization.scale64 * scale))
    }
    let values = source.withUnsafeBytes { $0.map { Int8(bitPattern: $0) } }
    let kernel = IntegerKernel(
      values: values, source: source, groups: 1, channels: depth, filters: range.count, taps: 1,
      scales: [])
    try kernel.checkBound()
    return kernel.weight(zero: quantization.zeroPoint, factors: factors, rows: 1)
  }

  private func stream(_ direction: Int) throws(CompileProblem) -> Int {
    try site.weight(stream: try packed(weights, 4, direction, 0..<rows, x))
  }

  private func hiddenStream(_ direction: Int) throws(CompileProblem) -> Int {
    let two = 2 * hidden
    // Panels of all gates are those of the two streams when the border falls between panels.
    guard !isLSTM, !linearBeforeReset, two % Int(WH_PANEL) != 0 else {
      return try site.weight(stream: try packed(recurrent, 6, direction, 0..<rows, h))
    }
    var joined: [UInt8] = []
    for range in [0..<two, two..<rows] {
      joined += try packed(recurrent, 6, direction, range, h).packed.array
    }
    return try site.builder.weight(
      Weight(Bytes(joined), width: 1), .int8, [joined.count])
  }

  /// 4096 times the biases of one direction: what is added to `W`'s product, and to `R`'s.
  private func biases(
    _ direction: Int
  ) throws(CompileProblem) -> (input: Int?, recurrent: Int?) {
    guard site.has(7) else { return (nil, nil) }
    let whole = try site.requireConstant(7).doubles
    guard whole.count == directions * 2 * rows else { throw CompileProblem(.invalid("B")) }
    let first = direction * 2 * rows
    // Rows whose two biases stay apart.
    let apart = linearBeforeReset ? 2 * hidden : rows
    let input = (0..<rows).map { row in
      Float(4096 * (whole[first + row] + (row < apart ? whole[first + rows + row] : 0)))
    }
    let recurrent = (0..<rows).map { row in
      row < apart ? 0 : Float(4096 * whole[first + rows + row])
    }
    guard (input + recurrent).allSatisfy(\.isFinite) else {
      throw CompileProblem(.unsupported("a bias that is not finite"))
    }
    let own = try site.weight(input).tensor
    return (own, linearBeforeReset ? try site.weight(recurrent).tensor : nil)
  }

  /// One direction's initial state as [batch, hidden].
  private func state(_ index: Int, _ direction: Int) throws(CompileProblem) -> Int? {
    guard site.has(index) else { return nil }
    try site.require(.float32, index)
    return try site.block(index, extents.state(direction), [batch, hidden]).tensor
  }
}
