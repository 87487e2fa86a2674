import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  private static func binary<O: QuantizedBinary>(_ type: O.Type, _ kind: Int) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in try site.lowerBinary8(kind) }
  }

  private static func unary<O: QuantizedUnary>(_ type: O.Type) -> Lowering {
    Lowering(type) { (op, site) throws(CompileProblem) in
      let table = try site.table(of: op)
      try site.lookup(try site.form(0), table)
    }
  }

  /// Element by element on 8-bit tensors.
  static let quantizedElements: [Lowering] = [
    binary(QLinearAdd.self, WH_ADD), binary(QLinearSub.self, WH_SUB),
    binary(QLinearMul.self, WH_MUL), unary(QLinearSigmoid.self), unary(QLinearLeakyRelu.self),
    Lowering(Lookup.self) { (_, site) throws(CompileProblem) in
      try site.lookup(try site.form(0), try site.requireConstant(1))
    },
    Lowering(QLinearConcat.self) { (op, site) throws(CompileProblem) in
      try site.lowerConcat8(op)
    },
    Lowering(QLinearWhere.self) { (_, site) throws(CompileProblem) in try site.lowerWhere8() },
    Lowering(QLinearSoftmax.self) { (op, site) throws(CompileProblem) in
      try site.lower(op)
    },
    Lowering(ContribQuantizeLinear.self) { (op, site) throws(CompileProblem) in
      try site.lower(op.plain)
    },
    Lowering(ContribDequantizeLinear.self) { (op, site) throws(CompileProblem) in
      try site.lower(op.plain)
    },
    Lowering(QuantizeLinear.self) { (op, site) throws(CompileProblem) in try site.lower(op) },
    Lowering(DequantizeLinear.self) { (op, site) throws(CompileProblem) in try site.lower(op) },
  ]
}

extension LoweringSite {
  fileprivate func lowerBinary8(_ kind: Int) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    let from = try quantization(1, 2, try self.element(0))
    let other = try quantization(4, 5, try self.element(3))
    let to = try quantization(6, 7, element)
    let operands = [try q8(0, from), try q8(3, other)]
    let result = try makeQ8(element, shape, order: broadcastOrder(operands, shape), to)
    let loop = try loop(over: result, operands)
    var step = wh_qbinary()
    step.kind = Int32(small: kind)
    step.rank = Int32(small: loop.extents.count)
    step.shape = CArray.int32(loop.extents)
    step.a_strides = CArray.int64(loop.strides[1])
    step.b_strides = CArray.int64(loop.strides[2])
    (step.a_zero, step.b_zero, step.y_zero) = (from.zeroPoint, other.zeroPoint, to.zeroPoint)
    (step.low, step.high) = (-128, 127)
    if kind == WH_MUL {
      step.a_factor = try factor(from.scale64 * other.scale64 / to.scale64)
    } else {
      step.a_factor = try factor(from.scale64 / to.scale64)
      step.b_factor = try factor(other.scale64 / to.scale64)
    }
    emit(.qBinary(step), operands.map(\.tensor), [result.tensor])
    try finish(0, result)
  }

  /// The results of the node's operator for every value of input 0, its other inputs constant.
  fileprivate func table(of operation: any Operator) throws(CompileProblem) -> Tensor {
    let element = try self.element(0)
    guard let values = ByteTable.values(element) else {
      throw CompileProblem(.unsupportedElement(element))
    }
    var operands: [Value?] = [.tensor(values)]
    for index in 1..<max(inputCount, 1) {
      operands.append(has(index) ? .tensor(try requireConstant(index)) : nil)
    }
    let call = OperatorCall(
      inputs: operands, wanted: [true],
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    do throws(RunError) {
      guard let table = try operation.evaluate(call).first??.tensor else {
        throw RunError(.badInput("no result"))
      }
      return table
    } catch {
      throw CompileProblem(.run(error.reason))
    }
  }

  /// `table[x]` as output 0.
  func lookup(_ x: Lowered, _ table: Tensor) throws(CompileProblem) {
    let result = try looked(x, table, isOutput: isOnlyOutput(0))
    try finish(0, result)
  }

  /// `table[x]`, stored as a model's output wants it or as kernels do.
  func looked(
    _ x: Lowered, _ table: Tensor, isOutput: Bool = false, _ quantization: TensorQuantization? = nil
  ) throws(CompileProblem) -> Lowered {
    guard table.shape == [256], x.element == .int8 || x.element == .uint8 else {
      throw CompileProblem(.unsupported("a table of \(table.shape) for \(x.element)"))
    }
    guard table.element != .float32 else {
      let result = try make(.float32, x.shape, order: x.order)
      emit(.qLookup, [x.tensor, try weight(table).tensor], [result.tensor])
      return result
    }
    let signed = table.integers.map { $0 - (table.element == .uint8 ? 128 : 0) }
    if x.isQ8, !isOutput, signed == Array(-128...127) {
      var same = x
      same.element = table.element
      return same
    }
    if isOutput {
      let result = try make(table.element, x.shape, order: x.order)
      emit(.qLookup, [x.tensor, try weight(table).tensor], [result.tensor])
      return result
    }
    guard let entries = Tensor(.int8, [256], integers: signed) else {
      throw CompileProblem(.invalid("a table"))
    }
    let result = try makeQ8(table.element, x.shape, order: x.order, quantization)
    emit(.qLookup, [x.tensor, try weight(entries).tensor], [result.tensor])
    return result
  }

  fileprivate func lowerConcat8(_ concat: QLinearConcat) throws(CompileProblem) {
    let to = try quantization(0, 1, try outputType(0).element)
    let element = try outputType(0).element
    var parts: [Lowered] = []
    for index in stride(from: 2, to: inputCount - 2, by: 3) {
      parts.append(try requantized(index, index + 1, index + 2, element, to))
    }
    try join(parts, concat.axis)
  }

  /// An 8-bit input at another scale: its own bytes where scale and zero point stay, else a table.
  private func requantized(
    _ index: Int, _ scale: Int, _ zeroPoint: Int, _ element: ElementType, _ to: TensorQuantization
  ) throws(CompileProblem) -> Lowered {
    let own = try self.element(index)
    let from = try quantization(scale, zeroPoint, own)
    var part = try q8(index, from)
    if from != to {
      let reals = Quantization(from, own)
      let wanted = Quantization(to, element)
      let entries = own.integerRange.map { wanted.quantize(reals.dequantize($0)) }
      guard let table = Tensor(element, [256], integers: entries) else {
        throw CompileProblem(.unsupportedElement(element))
      }
      part = try looked(part, table, to)
    }
    part.element = element
    return part
  }

  fileprivate func lowerWhere8() throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    let to = try quantization(7, 8, element)
    let a = try requantized(1, 2, 3, element, to)
    let b = try requantized(4, 5, 6, element, to)
    try finish(0, try select(try value(0), a, b, shape: shape))
  }

  fileprivate func lower(_ softmax: QLinearSoftmax) throws(CompileProblem) {
    let element = try outputType(0).element
    let from = try quantization(1, 2, try self.element(0))
    let to = try quantization(3, 4, element)
    let rank = try shape(0).count
    let axis = try self.axis(softmax.axis, rank: max(rank, 1))
    let isFlat = softmax.operatorSet < 13
    let x = try q8(0, order: isFlat ? Order.rowMajor(rank) : nil, from)
    var step = wh_qsoftmax()
    if isFlat || rank == 0 {
      step.outer = Int32(small: x.shape.prefix(axis).reduce(1, *))
      step.count = Int32(small: x.shape.dropFirst(axis).reduce(1, *))
      step.inner = 1
    } else {
      let view = along(x, axis)
      (step.outer, step.count) = (Int32(small: view.outer), Int32(small: view.count))
      step.inner = Int32(small: view.inner)
    }
    step.y_zero = to.zeroPoint
    step.inverse = 1 / to.scale64
    _ = try factor(step.inverse)
    guard
      let table = Tensor(
        .uint32, [256], elements: QLinearSoftmax.exponentials(from.scale))
    else { return }
    let result = try makeQ8(element, x.shape, order: x.order, to)
    emit(.qSoftmax(step), [x.tensor, try weight(table).tensor], [result.tensor])
    try finish(0, result)
  }

  fileprivate func lower(_ op: QuantizeLinear) throws(CompileProblem) {
    guard op.blockSize == 0 else { throw CompileProblem(.unsupported("blocks")) }
    try require(.float32, 0)
    try require(.float32, 1)
    let x = try value(0)
    let (element, shape) = try outputType(0)
    let isByte = element == .int8 || element == .uint8
    let (step, scale) = try quantize(axis: op.axis, x, shape)
    guard isByte, scale.shape.reduce(1, *) == 1, !isOnlyOutput(0) else {
      let zero = has(2) ? try rowMajor(2) : nil
      let result = try make(element, shape, order: x.order)
      if isByte { state(known(1, 2, element), of: result) }
      emit(.quantize(step), [x.tensor, scale.tensor, zero?.tensor], [result.tensor])
      return try finish(0, result)
    }
    let result = try makeQ8(element, shape, order: x.order, known(1, 2, element))
    emit(
      .quantize(step), [x.tensor, scale.tensor, try zeroPoint(2, element).tensor], [result.tensor])
    try finish(0, result)
  }

  fileprivate func lower(_ op: DequantizeLinear) throws(CompileProblem) {
    guard op.blockSize == 0 else { throw CompileProblem(.unsupported("blocks")) }
    let (element, shape) = try outputType(0)
    guard element == .float32 else { throw CompileProblem(.unsupportedElement(element)) }
    try require(.float32, 1)
    if constant(0) != nil, areConstant(1, 2) { return try hold(weights: op) }
    let x = try form(0)
    let (step, scale) = try quantize(axis: op.axis, x, shape)
    if x.element == .int8 || x.element == .uint8, !x.isQ8 {
      state(known(1, 2, x.element), of: x)
    }
    let zero: Lowered? =
      x.isQ8 ? try zeroPoint(2, x.element) : has(2) ? try rowMajor(2) : nil
    let result = try make(element, shape, order: x.order)
    emit(.dequantize(step), [x.tensor, scale.tensor, zero?.tensor], [result.tensor])
    try finish(0, result)
  }

  /// A scale and zero point of one number each that are constant.
  private func known(
    _ scale: Int, _ zeroPoint: Int, _ element: ElementType
  ) -> TensorQuantization? {
    areConstant(scale, zeroPoint) ? try? quantization(scale, zeroPoint, element) : nil
  }

  /// The zero point of a `WH_Q8` tensor: stated even where the graph leaves it out.
  private func zeroPoint(_ index: Int, _ element: ElementType) throws(CompileProblem) -> Lowered {
    if has(index) { return try rowMajor(index) }
    guard let zero = Tensor(element, [], integers: [0]) else {
      throw CompileProblem(.unsupportedElement(element))
    }
    return try weight(zero)
  }

  private func quantize(
    axis: Int, _ x: Lowered, _ shape: [Int]
  ) throws(CompileProblem) -> (step: wh_quantize, scale: Lowered) {
    let scale = try rowMajor(1)
    var step = wh_quantize()
    if scale.shape.reduce(1, *) == 1 {
      (step.outer, step.count) = (1, 1)
      step.inner = Int32(small: shape.reduce(1, *))
    } else {
      let axis = try self.axis(axis, rank: shape.count)
      guard scale.shape == [shape[axis]] else {
        throw CompileProblem(.unsupported("a scale of \(scale.shape) for \(shape)"))
      }
      let view = along(x, axis)
      (step.outer, step.count) = (Int32(small: view.outer), Int32(small: view.count))
      step.inner = Int32(small: view.inner)
    }
    return (step, scale)
  }
}

extension Quantization {
  /// What is stated in the signed view, for values of `element`.
  fileprivate init(_ signed: TensorQuantization, _ element: ElementType) {
    self.init(
      element: element, scale: signed.scale,
      zeroPoint: Int64(signed.zeroPoint) + (element == .uint8 ? 128 : 0), scaleName: "")
  }
}
