import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Cutting, joining, repeating and padding: strided copies.
  static let movements: [Lowering] = [
    Lowering(SliceOperator.self) { (_, site) throws(CompileProblem) in try site.lowerSlice() },
    Lowering(Split.self) { (op, site) throws(CompileProblem) in
      let x = try site.form(0)
      let axis = try site.axis(op.axis, rank: x.shape.count)
      var start = 0
      for index in site.node.outputs.indices {
        guard site.wants(index) else {
          throw CompileProblem(.unsupported("a part of Split that is left out"))
        }
        let shape = try site.outputType(index).shape
        try site.finish(index, try site.cut(x, shape, starts: [axis: start]))
        start += shape[axis]
      }
    },
    Lowering(Concat.self) { (op, site) throws(CompileProblem) in
      try site.lowerConcat(op.axis)
    },
    Lowering(Expand.self) { (_, site) throws(CompileProblem) in
      let x = try site.form(0)
      let shape = try site.outputType(0).shape
      if shape == x.shape { return try site.finish(0, x) }
      let order = shape.count == x.shape.count ? x.order : nil
      let result = try site.make(like: x, shape, order: order)
      let loop = try site.loop(over: result, [x])
      try site.copy(
        loop.extents, from: x.tensor, strides: loop.strides[1], to: result.tensor,
        targetStrides: loop.strides[0], element: x.element)
      try site.finish(0, result)
    },
    Lowering(Tile.self) { (_, site) throws(CompileProblem) in try site.lowerTile() },
    Lowering(Pad.self) { (op, site) throws(CompileProblem) in try site.lowerPad(op.mode) },
  ]
}

extension LoweringSite {
  /// A regular part of `x`, in its axis order.
  func cut(
    _ x: Lowered, _ shape: [Int], starts: [Int: Int], steps: [Int: Int] = [:]
  ) throws(CompileProblem) -> Lowered {
    if shape == x.shape, steps.values.allSatisfy({ $0 == 1 }) { return x }
    let result = try make(like: x, shape, order: x.order)
    let strides = x.strides
    var offset = 0
    for (axis, start) in starts { offset += start * strides[axis] }
    try copy(
      result.dims, from: x.tensor, offset: offset,
      strides: x.order.map { strides[$0] * (steps[$0] ?? 1) }, to: result.tensor,
      targetStrides: StridedLoop.dense(result.dims), element: x.element)
    return result
  }

  fileprivate func lowerSlice() throws(CompileProblem) {
    let x = try form(0)
    let shape = try outputType(0).shape
    guard let starts = try integers(1) else { throw CompileProblem(.notConstant(input: 1)) }
    let axes = try integers(3) ?? Array(starts.indices)
    let steps = try integers(4) ?? Array(repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count else {
      throw CompileProblem(.invalid("Slice's axes"))
    }
    var (from, by): ([Int: Int], [Int: Int]) = ([:], [:])
    for (index, axis) in axes.enumerated() {
      let axis = try self.axis(axis, rank: x.shape.count)
      let extent = x.shape[axis]
      var start = starts[index] < 0 ? max(starts[index], -extent) + extent : starts[index]
      start = steps[index] < 0 ? min(start, extent - 1) : min(start, extent)
      from[axis] = max(start, 0)
      by[axis] = min(max(steps[index], -extent - 1), extent + 1)
    }
    if shape.contains(0) { return try finish(0, try make(like: x, shape)) }
    try finish(0, try cut(x, shape, starts: from, steps: by))
  }

  fileprivate func lowerConcat(_ axis: Int) throws(CompileProblem) {
    var parts: [Lowered] = []
    let isQ8 = (0..<inputCount).contains { forms($0).first?.isQ8 ?? false }
    for index in 0..<inputCount { parts.append(isQ8 ? try q8(index) : try value(index)) }
    try join(parts, axis)
  }

  /// Values of one storage one after another along an axis.
  func join(_ parts: [Lowered], _ axis: Int) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    let axis = try self.axis(axis, rank: shape.count)
    let computed = parts.filter { !builder.isConstant($0.tensor) }
    let model = computed.first { !$0.isRowMajor } ?? computed.first
    let result: Lowered
    if let model, model.isQ8 {
      result = try make(like: model, shape, order: model.order)
    } else {
      result = try make(element, shape, order: model?.order)
    }
    let strides = result.strides
    var start = 0
    for part in parts {
      let from = part.strides
      try copy(
        result.order.map { part.shape[$0] }, from: part.tensor,
        strides: result.order.map { from[$0] }, to: result.tensor,
        targetOffset: start * strides[axis], targetStrides: result.order.map { strides[$0] },
        element: element)
      start += part.shape[axis]
    }
    try finish(0, result)
  }

  fileprivate func lowerTile() throws(CompileProblem) {
    let x = try rowMajorForm(0)
    let shape = try outputType(0).shape
    let result = try make(like: x, shape)
    let (from, to) = (x.strides, result.strides)
    var (extents, source, target): ([Int], [Int], [Int]) = ([], [], [])
    for axis in shape.indices where shape[axis] > 0 {
      extents += [shape[axis] / x.shape[axis], x.shape[axis]]
      source += [0, from[axis]]
      target += [x.shape[axis] * to[axis], to[axis]]
    }
    if !shape.contains(0) {
      try copy(
        extents, from: x.tensor, strides: source, to: result.tensor, targetStrides: target,
        element: x.element)
    }
    try finish(0, result)
  }

  fileprivate func lowerPad(_ mode: PadMode) throws(CompileProblem) {
    var x = !has(2) || constant(2) != nil ? try form(0) : try value(0)
    let rank = x.shape.count
    guard let pads = try integers(1) else { throw CompileProblem(.notConstant(input: 1)) }
    let axes = try integers(3) ?? Array(0..<rank)
    guard pads.count == 2 * axes.count else { throw CompileProblem(.invalid("pads \(pads)")) }
    _ = try small(pads)
    var (before, after) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
    for (index, axis) in axes.enumerated() {
      let axis = try self.axis(axis, rank: rank)
      (before[axis], after[axis]) = (pads[index], pads[index + axes.count])
    }
    let shape = try outputType(0).shape
    if mode != .constant {
      for axis in 0..<rank where before[axis] != 0 || after[axis] != 0 {
        let table = PadTable.indices(mode, x.shape[axis], before[axis], after[axis])
        guard let table else { throw CompileProblem(.unsupported("padding an empty axis")) }
        x = try take(x, axis: axis, table)
      }
      return try finish(0, x)
    }
    // What negative padding leaves, put where positive padding wants it.
    let left = x.shape.indices.map { x.shape[$0] + min(before[$0], 0) + min(after[$0], 0) }
    guard left.allSatisfy({ $0 >= 0 }) else { throw CompileProblem(.invalid("pads \(pads)")) }
    let result = try make(like: x, shape, order: x.order)
    if result.dims.reduce(1, *) != left.reduce(1, *) { try fillPadding(result) }
    let (from, to) = (x.strides, result.strides)
    let offset = x.shape.indices.reduce(0) { $0 + max(-before[$1], 0) * from[$1] }
    let target = x.shape.indices.reduce(0) { $0 + max(before[$1], 0) * to[$1] }
    try copy(
      x.order.map { left[$0] }, from: x.tensor, offset: offset, strides: x.order.map { from[$0] },
      to: result.tensor, targetOffset: target, targetStrides: x.order.map { to[$0] },
      element: x.element)
    try finish(0, result)
  }

  private func fillPadding(_ result: Lowered) throws(CompileProblem) {
    guard has(2) else {
      return fill(result, result.isQ8 && result.element == .uint8 ? 0x80 : 0)
    }
    if let number = constant(2) {
      var bits: UInt64 = 0
      for (index, byte) in number.bytes.array.prefix(8).enumerated() {
        bits |= UInt64(byte) << UInt64(8 * index)
      }
      // A byte of WH_Q8 is filled in the signed view.
      if result.isQ8, result.element == .uint8 { bits ^= 0x80 }
      return fill(result, bits)
    }
    let number = try value(2)
    try copy(
      result.dims, from: number.tensor, strides: result.dims.map { _ in 0 }, to: result.tensor,
      targetStrides: StridedLoop.dense(result.dims), element: result.element)
  }

  /// The elements at `indices` along one axis.
  func take(_ x: Lowered, axis: Int, _ indices: [Int]) throws(CompileProblem) -> Lowered {
    let view = along(x, axis)
    guard let table = Tensor(.int32, [indices.count], integers: indices.map { Int64($0) }) else {
      throw CompileProblem(.invalid("indices"))
    }
    var shape = x.shape
    shape[axis] = indices.count
    let result = try make(like: x, shape, order: x.order)
    var gather = wh_gather()
    gather.element_size = Int32(small: x.element.width)
    (gather.outer, gather.count) = (Int32(small: view.outer), Int32(small: view.count))
    (gather.inner, gather.indices) = (Int32(small: view.inner), Int32(small: indices.count))
    emit(.gather(gather), [x.tensor, try weight(table).tensor], [result.tensor])
    return result
  }
}

/// Which element of an axis stands at each position of the padded axis.
enum PadTable {
  /// - Returns: nil when there is nothing to repeat.
  static func indices(_ mode: PadMode, _ extent: Int, _ before: Int, _ after: Int) -> [Int]? {
    let (first, last) = (max(-before, 0), extent - max(-after, 0))
    let count = last - first
    guard extent + after >= -before else { return nil }
    let positions = -before..<extent + after
    if positions.isEmpty { return [] }
    guard count > 0 else { return nil }
    return positions.map { position in
      let at = position - first
      switch mode {
      case .edge, .constant: return first + min(max(at, 0), count - 1)
      case .wrap: return first + ((at % count) + count) % count
      case .reflect:
        if count == 1 { return first }
        let period = 2 * (count - 1)
        let phase = ((at % period) + period) % period
        return first + (phase < count ? phase : period - phase)
      }
    }
  }
}
