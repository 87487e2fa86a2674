import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Products of 8-bit matrices.
  static let quantizedProducts: [Lowering] = [
    Lowering(QGemm.self) { (op, site) throws(CompileProblem) in try site.lower(op) },
    Lowering(QLinearMatMul.self) { (op, site) throws(CompileProblem) in
      try site.lower(op)
    },
    Lowering(MatMulIntegerToFloat.self) { (_, site) throws(CompileProblem) in
      try site.lowerDynamicProduct(
        try site.q8(0), weights: 1, weightScale: 3, weightZero: 5, scale: 2, zeroPoint: 4, bias: 6)
    },
    Lowering(DynamicQuantizeLinear.self) { (_, site) throws(CompileProblem) in
      try site.require(.float32, 0)
      let x = try site.value(0)
      let y = try site.makeQ8(.uint8, x.shape, order: x.order)
      let (scale, zero) = (try site.make(.float32, []), try site.make(.uint8, []))
      site.emit(.dynamicQuantize, [x.tensor], [y.tensor, scale.tensor, zero.tensor])
      try site.finish(0, y)
      try site.finish(1, scale)
      try site.finish(2, zero)
    },
    Lowering(DynamicQuantizeMatMul.self) { (_, site) throws(CompileProblem) in
      try site.lowerDynamicQuantizeMatMul()
    },
  ]
}

extension LoweringSite {
  /// Rows of an 8-bit input as `WH_Q8`, its last axis the one that is summed over.
  private func rows(
    _ index: Int, _ quantization: TensorQuantization?, isTransposed: Bool = false
  ) throws(CompileProblem) -> Lowered {
    let rank = try shape(index).count
    guard isTransposed else { return try q8(index, order: Order.rowMajor(rank), quantization) }
    return try q8(index, order: Array((0..<rank).reversed()), quantization).permuted([1, 0])
  }

  /// A matrix of constant weights as a dense layer; nil when the kernels don't take them.
  private func dense(
    _ index: Int, scale: Int, zeroPoint: Int, isTransposed: Bool = false
  ) -> IntegerKernel? {
    guard let whole = constant(index), whole.rank == 2, let scales = constant(scale),
      let tensor = int8Weights(index, zeroPoint: zeroPoint, axis: isTransposed ? 0 : 1)
    else { return nil }
    let (outer, inner) = (tensor.shape[0], tensor.shape[1])
    var values = tensor.int8Values
    if !isTransposed {
      let source = values
      for column in 0..<inner {
        for row in 0..<outer { values[column * outer + row] = source[row * inner + column] }
      }
    }
    let numbers = scales.doubles.map { Float($0) }
    let (depth, columns) = isTransposed ? (inner, outer) : (outer, inner)
    guard numbers.count == 1 || numbers.count == columns else { return nil }
    return IntegerKernel(
      values: values, source: tensor.bytes, isTransposed: !isTransposed, groups: 1, channels: depth,
      filters: columns, taps: 1, scales: numbers)
  }

  fileprivate func lower(_ gemm: QGemm) throws(CompileProblem) {
    guard
      var kernel = dense(3, scale: 4, zeroPoint: 5, isTransposed: gemm.transB)
    else { throw CompileProblem(.unsupported("QGemm without constant int8 weights")) }
    let from = try quantization(1, 2, try element(0))
    let shape = try outputType(0).shape
    let a = try rows(0, from, isTransposed: gemm.transA)
    guard shape.count == 2, a.shape == [shape[0], kernel.channels], shape[1] == kernel.filters
    else { throw CompileProblem(.invalid("QGemm of \(a.shape)")) }
    var added: Lowered?
    if let c = try bias32(6) {
      if c.count == 1, let number = c.integers.first {
        kernel.bias = Array(repeating: number, count: kernel.outputs)
      } else if c.count == kernel.outputs, c.shape.last == c.count {
        kernel.bias = c.integers
      } else {
        throw CompileProblem(.unsupported("a bias \(c.shape) of QGemm"))
      }
    }
    try kernel.checkBound()
    let outer = Double(gemm.alpha) * from.scale64
    if has(7) {
      let to = try quantization(7, 8, try outputType(0).element)
      added = try product(a, kernel, from, to, outer)
    } else {
      added = try scaled(try sums(a, kernel, from), kernel, outer)
    }
    count(macs: shape[0], kernel.outputs, kernel.channels)
    if let added { try finish(0, reshaped(added, shape)) }
  }

  /// Requantized rows times weights, `[rows, outputs]`.
  private func product(
    _ a: Lowered, _ kernel: IntegerKernel, _ from: TensorQuantization, _ to: TensorQuantization,
    _ outer: Double
  ) throws(CompileProblem) -> Lowered {
    var factors: [Float] = []
    for output in 0..<kernel.outputs {
      try checkScale(Float(kernel.scale(output)))
      factors.append(try factor(outer * kernel.scale(output) / to.scale64))
    }
    let rows = a.shape.dropLast().reduce(1, *)
    var step = wh_qconv(rows: rows, kernel)
    (step.result, step.x_zero) = (Int32(WH_RESULT_Q8), from.zeroPoint)
    (step.y_zero, step.low, step.high) = (to.zeroPoint, -128, 127)
    let stream = try weight(
      stream: kernel.weight(zero: from.zeroPoint, factors: factors, rows: 1))
    let result = try makeQ8(try outputType(0).element, [rows, kernel.outputs], to)
    emit(.qConv(step), [a.tensor, stream, nil], [result.tensor])
    return result
  }

  /// The exact sums, `[rows, outputs]`.
  private func sums(
    _ a: Lowered, _ kernel: IntegerKernel, _ from: TensorQuantization
  ) throws(CompileProblem) -> Lowered {
    let rows = a.shape.dropLast().reduce(1, *)
    var step = wh_qconv(rows: rows, kernel)
    (step.result, step.x_zero) = (Int32(WH_RESULT_INT32), from.zeroPoint)
    let zeros = [Float](repeating: 0, count: kernel.outputs)
    let stream = try weight(stream: kernel.weight(zero: from.zeroPoint, factors: zeros, rows: 1))
    let result = try make(.int32, [rows, kernel.outputs])
    emit(.qConv(step), [a.tensor, stream, nil], [result.tensor])
    return result
  }

  private func scaled(
    _ sums: Lowered, _ kernel: IntegerKernel, _ outer: Double
  ) throws(CompileProblem) -> Lowered {
    let factors = (0..<kernel.outputs).map { Float(outer * kernel.scale($0)) }
    let real = try cast(sums, to: .float32)
    return try binary(WH_MUL, real, try weight(factors), shape: sums.shape)
  }

  fileprivate func lower(_ product: QLinearMatMul) throws(CompileProblem) {
    let elements = [try element(0), try element(3), try outputType(0).element]
    let isBytes = elements.allSatisfy { $0 == .int8 || $0 == .uint8 }
    guard isBytes, areConstant(1, 2, 4, 5, 6, 7), constant(1)?.count == 1, constant(6)?.count == 1,
      constant(2)?.count == 1, constant(7)?.count == 1, try shape(0).count > 0
    else { return try lowerExactly(product) }
    let from = try quantization(1, 2, elements[0])
    let to = try quantization(6, 7, elements[2])
    let shape = try outputType(0).shape
    if let kernel = dense(3, scale: 4, zeroPoint: 5) {
      try kernel.checkBound()
      let a = try rows(0, from)
      let result = try self.product(a, kernel, from, to, from.scale64)
      count(macs: result.shape[0], kernel.outputs, kernel.channels)
      return try finish(0, reshaped(result, shape))
    }
    guard constant(3) == nil, constant(4)?.count == 1, constant(5)?.count == 1,
      try self.shape(0).count > 1, try self.shape(3).count > 1,
      try self.shape(0).last ?? 0 <= Int(WH_QMATMUL_DEPTH)
    else { return try lowerExactly(product) }
    try lowerActivations(from, try quantization(4, 5, elements[1]), to)
  }

  /// a `[..., M, K]` times b `[..., K, N]`, both computed.
  private func lowerActivations(
    _ from: TensorQuantization, _ other: TensorQuantization, _ to: TensorQuantization
  ) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    var a = try q8(0, from)
    let b = try q8(3, other)
    let rank = a.shape.count
    if a.strides[rank - 1] != 1, a.shape[rank - 1] != 1 { a = try rows(0, from) }
    let (m, k, n) = (a.shape[rank - 2], a.shape[rank - 1], b.shape[b.shape.count - 1])
    let batch = Array(shape.dropLast(2))
    let result = try makeQ8(element, shape, to)
    func spread(_ x: Lowered) -> [Int] {
      let own = zip(x.shape, x.strides).map { $0 == 1 ? 0 : $1 }.dropLast(2)
      return Array(repeating: 0, count: batch.count - own.count) + own
    }
    let loop = StridedLoop(
      batch, [StridedLoop.dense(batch).map { $0 * m * n }, spread(a), spread(b)])
    guard loop.extents.count <= 3 else {
      throw CompileProblem(.unsupported("a product over \(loop.extents.count) batch axes"))
    }
    let missing = 3 - loop.extents.count
    let zeros = Array(repeating: 0, count: missing)
    var step = wh_qmatmul()
    (step.m, step.k, step.n) = (Int32(small: m), Int32(small: k), Int32(small: n))
    step.batch = CArray.int32x3(Array(repeating: 1, count: missing) + loop.extents)
    step.a_batch = CArray.int64x3(zeros + loop.strides[1])
    step.b_batch = CArray.int64x3(zeros + loop.strides[2])
    let (left, right) = (a.strides, b.strides)
    step.a_row = Int64(m == 1 ? k : left[rank - 2])
    step.b_row = Int64(right[b.shape.count - 2])
    step.b_column = Int64(right[b.shape.count - 1])
    (step.a_zero, step.b_zero, step.y_zero) = (from.zeroPoint, other.zeroPoint, to.zeroPoint)
    (step.low, step.high) = (-128, 127)
    step.factor = try factor(from.scale64 * other.scale64 / to.scale64)
    let panel = (k + 3) / 4 * 64 + Int(WH_QCONV_HEAD)
    let scratch = try builder.tensor(.uint8, [(n + 15) / 16 * panel + 64])
    emit(.qMatMul(step), [a.tensor, b.tensor], [result.tensor], scratch: scratch)
    count(macs: shape.reduce(1, *), k)
    try finish(0, result)
  }

  /// An 8-bit tensor of a scale known at run time times constant weights, as float32.
  fileprivate func lowerDynamicProduct(
    _ input: Lowered, weights: Int, weightScale: Int, weightZero: Int, scale: Int, zeroPoint: Int,
    bias: Int
  ) throws(CompileProblem) {
    let (element, shape) = try outputType(0)
    guard element == .float32 else { throw CompileProblem(.unsupportedElement(element)) }
    guard let kernel = dense(weights, scale: weightScale, zeroPoint: weightZero) else {
      throw CompileProblem(.unsupported("a product without constant int8 weights"))
    }
    try kernel.checkBound()
    let order = Order.rowMajor(input.shape.count)
    let a = input.isLike(order) ? relabel(input, order) : try move(input, order: order)
    let rows = a.shape.dropLast().reduce(1, *)
    let result = try make(.float32, [rows, kernel.outputs])
    try emitDynamic(
      wh_qconv(rows: rows, kernel), kernel, 1, a, scale: scale, zeroPoint: zeroPoint, bias: bias,
      result)
    count(macs: rows, kernel.outputs, kernel.channels)
    try finish(0, reshaped(result, shape))
  }

  /// The input quantized, then the product: two operators on inputs of this site's own.
  fileprivate func lowerDynamicQuantizeMatMul() throws(CompileProblem) {
    let outer = node
    let names = (0..<3).map { "\u{0}dynamic\($0)" }
    enter(
      Node(DynamicQuantizeLinear(), name: outer.name, inputs: [outer.inputs[0]], outputs: names))
    guard let quantize = Lowering.table[DynamicQuantizeLinear.signature.name] else { return }
    try quantize.apply(DynamicQuantizeLinear(), self)
    func input(_ index: Int) -> String? {
      index < outer.inputs.count ? outer.inputs[index] : nil
    }
    enter(
      Node(
        MatMulIntegerToFloat(), name: outer.name,
        inputs: [names[0], input(1), names[1], input(2), names[2], input(3), input(4)],
        outputs: outer.outputs))
    try lowerDynamicProduct(
      try q8(0), weights: 1, weightScale: 3, weightZero: 5, scale: 2, zeroPoint: 4, bias: 6)
  }
}
