import WherryGraph
import WherryOperators

extension QDQRewriter {
  /// `Q(Conv(DQ(x), DQ(w), bias))` as `QLinearConv`.
  mutating func collapse(_ conv: Conv, _ work: Work) throws(Refusal) -> Bool {
    let inputs = work.core.inputs
    guard inputs.count > 1, let name = inputs[0], let x = eight(name),
      let weights = try weights(inputs[1], axis: 0)
    else { return false }
    try check(x.quantization, weights.scales, work.target)
    try check(weights, bias: 0)
    let bias = try bias(
      inputs.count > 2 ? inputs[2] : nil, x.quantization, weights,
      channels: weights.tensor.shape[0])
    var integer = QLinearConv()
    (integer.autoPad, integer.dilations, integer.group) = (conv.autoPad, conv.dilations, conv.group)
    (integer.kernelShape, integer.pads, integer.strides) = (
      conv.kernelShape, conv.pads, conv.strides
    )
    emit(
      integer,
      [x.name, current(x.quantization.scaleName), zeroName(x.quantization)]
        + operands(weights, work.coreName)
        + [current(work.target.scaleName), zeroName(work.target)] + (bias == nil ? [] : [bias]),
      for: work)
    return true
  }

  /// `Q(Gemm(DQ(a), DQ(b), c))` as `QGemm`.
  mutating func collapse(_ gemm: Gemm, _ work: Work) throws(Refusal) -> Bool {
    let inputs = work.core.inputs
    guard inputs.count > 1, let name = inputs[0], let a = eight(name),
      let weights = try weights(inputs[1], axis: gemm.transB ? 0 : 1), weights.tensor.rank == 2
    else { return false }
    guard Quantization.isUsable(gemm.alpha) else { throw Refusal(why: "alpha \(gemm.alpha)") }
    // alpha stands in the factor, so the accumulator's scale is that of the operands.
    let bias = inputs.count > 2 ? inputs[2] : nil
    let factor = gemm.beta / gemm.alpha
    var integer = QGemm()
    (integer.alpha, integer.transA, integer.transB) = (gemm.alpha, gemm.transA, gemm.transB)
    return try emitGemm(integer, a, weights, bias: bias, factor: factor, work)
  }

  private mutating func emitGemm(
    _ gemm: QGemm, _ a: EightBit, _ weights: IntegerWeights, bias: String?, factor: Float,
    _ work: Work
  ) throws(Refusal) -> Bool {
    let columns = weights.tensor.shape[weights.axis]
    try check(a.quantization, weights.scales.map { $0 * gemm.alpha }, work.target)
    try check(weights, bias: 0)
    let shape = extents(work.coreName)
    let isMatrix = shape?.count == 2
    // QGemm multiplies matrices: other tensors are one for it.
    guard let shape, isMatrix || !gemm.transA, shape.last == columns else { return false }
    let c = try self.bias(
      bias, a.quantization, weights, channels: columns, factor: factor)
    var left = a.name
    var inner = work
    if !isMatrix {
      left = emitReshape(a.name, [-1, weights.tensor.shape[1 - weights.axis]], work)
      inner = Work(
        core: work.core, coreName: work.coreName, target: work.target, low: work.low,
        high: work.high, output: fresh("\(work.output)_matrix"))
    }
    emit(
      gemm,
      [left, current(a.quantization.scaleName), zeroName(a.quantization)]
        + operands(weights, work.coreName)
        + [c, current(work.target.scaleName), zeroName(work.target)],
      for: inner)
    if !isMatrix { emitReshape(inner.output, shape, work, output: work.output) }
    return true
  }

  /// The same elements under other extents.
  @discardableResult
  private mutating func emitReshape(
    _ source: String, _ shape: [Int], _ work: Work, output: String? = nil
  ) -> String {
    let extents = constant(Tensor(vector: shape), "\(work.output)_shape")
    let result = output ?? fresh("\(source)_rows")
    emit(
      Node(Reshape(), name: work.core.name, inputs: [source, extents], outputs: [result]))
    return result
  }

  /// `Q(MatMul(DQ(a), DQ(b)))` as `QGemm` with constant weights, else as `QLinearMatMul`.
  mutating func collapseMatMul(_ work: Work) throws(Refusal) -> Bool {
    try collapseProduct(work.core, bias: nil, work)
  }

  private mutating func collapseProduct(
    _ product: Node, bias: String?, _ work: Work
  ) throws(Refusal) -> Bool {
    let inputs = product.inputs
    guard inputs.count > 1, let left = inputs[0], let right = inputs[1], let a = eight(left) else {
      return false
    }
    if let weights = try weights(right, axis: 1), weights.tensor.rank == 2,
      extents(left)?.count ?? 0 > 1
    {
      return try emitGemm(QGemm(), a, weights, bias: bias, factor: 1, work)
    }
    guard bias == nil, let b = eight(right), let depth = extents(left)?.last else { return false }
    guard depth <= 32768 else { throw Refusal(why: "sums that may not fit int32") }
    try check(a.quantization, [b.quantization.scale], work.target)
    emit(
      QLinearMatMul(),
      [
        a.name, current(a.quantization.scaleName), zeroName(a.quantization), b.name,
        current(b.quantization.scaleName), zeroName(b.quantization),
        current(work.target.scaleName), zeroName(work.target),
      ],
      for: work)
    return true
  }

  /// A sum: of a matrix product and its bias, or of two 8-bit tensors.
  mutating func collapseSum(_ work: Work, _ sum: QLinearAdd) throws(Refusal) -> Bool {
    let inputs = work.core.inputs
    for side in 0..<2 where inputs.count == 2 {
      guard let value = inputs[side], let bias = inputs[1 - side], isReadOnce(value),
        let product = maker(value), product.operation is MatMul, isVector(bias),
        extents(value) == extents(work.coreName)
      else { continue }
      return try collapseProduct(product, bias: bias, work)
    }
    return try collapseBinary(work, sum)
  }

  /// Whether a value is constant and runs along the last axis only.
  private func isVector(_ value: String) -> Bool {
    let source = maker(value).flatMap { Quantization.isDequantizing($0.operation) ? $0 : nil }
    guard let tensor = constant(source?.inputs.first ?? value) else { return false }
    return tensor.shape.dropLast().allSatisfy { $0 == 1 }
  }

  /// `Q(DQ(a) op DQ(b))` as an operator on both 8-bit tensors.
  mutating func collapseBinary(
    _ work: Work, _ operation: any QuantizedBinary
  ) throws(Refusal) -> Bool {
    let inputs = work.core.inputs
    guard inputs.count == 2, let left = inputs[0], let right = inputs[1], let a = eight(left),
      let b = eight(right)
    else { return false }
    if operation is QLinearMul {
      try check(a.quantization, [b.quantization.scale], work.target)
    } else {
      for scale in [a.quantization.scale, b.quantization.scale] {
        let factor = Float(Double(scale) / Double(work.target.scale))
        guard Quantization.isUsable(factor), factor <= 0x1p24 else {
          throw Refusal(why: "a factor of \(factor)")
        }
      }
    }
    emit(
      operation,
      [
        a.name, current(a.quantization.scaleName), zeroName(a.quantization), b.name,
        current(b.quantization.scaleName), zeroName(b.quantization),
        current(work.target.scaleName), zeroName(work.target),
      ],
      for: work)
    return true
  }
}
