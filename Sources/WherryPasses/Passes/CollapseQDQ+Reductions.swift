import WherryBytes
import WherryGraph
import WherryOperators

extension QDQRewriter {
  /// Inputs of an operator on one 8-bit tensor: tensor, scale, zero point, the result's scale and zero
  /// point.
  private mutating func unary(_ work: Work) -> [String?]? {
    guard let name = work.core.inputs.first ?? nil, let x = eight(name) else { return nil }
    return [
      x.name, current(x.quantization.scaleName), zeroName(x.quantization),
      current(work.target.scaleName), zeroName(work.target),
    ]
  }

  /// - Throws: `Refusal` when the ratio of scales is out of a factor's range for `count` elements.
  private func checkMean(_ work: Work, count: Int) throws(Refusal) {
    guard let name = work.core.inputs.first ?? nil, let x = known(name) else { return }
    let factor = Float(
      Double(x.quantization.scale) / Double(work.target.scale) / Double(max(count, 1)))
    guard Quantization.isUsable(factor), factor <= 0x1p24, count <= 1 << 23 else {
      throw Refusal(why: "a mean of \(count) with a factor of \(factor)")
    }
  }

  mutating func collapse(_ pool: AveragePool, _ work: Work) throws(Refusal) -> Bool {
    guard let inputs = unary(work) else { return false }
    guard pool.dilations?.allSatisfy({ $0 == 1 }) ?? true else {
      throw Refusal(why: "dilations of an average")
    }
    try checkMean(
      work,
      count: Checked.product(pool.kernelShape) ?? .max)
    var integer = QLinearAveragePool()
    (integer.autoPad, integer.ceilMode) = (pool.autoPad, pool.ceilMode)
    (integer.countIncludePad, integer.kernelShape) = (pool.countIncludePad, pool.kernelShape)
    (integer.pads, integer.strides) = (pool.pads, pool.strides)
    emit(integer, inputs, for: work)
    return true
  }

  mutating func collapseGlobalPool(_ work: Work) throws(Refusal) -> Bool {
    guard let inputs = unary(work), let name = work.core.inputs.first ?? nil,
      let shape = extents(name), shape.count > 2
    else { return false }
    try checkMean(work, count: Checked.product(shape.dropFirst(2)) ?? .max)
    emit(QLinearGlobalAveragePool(), inputs, for: work)
    return true
  }

  mutating func collapse(_ mean: ReduceMean, _ work: Work) throws(Refusal) -> Bool {
    guard let inputs = unary(work), let name = work.core.inputs.first ?? nil,
      let shape = extents(name)
    else { return false }
    var axes: [Int] = []
    if work.core.inputs.count > 1, let given = work.core.inputs[1] {
      guard let tensor = constant(given) else { throw Refusal(why: "axes that are not constant") }
      axes = tensor.integers.map { Int($0) }
    }
    if axes.isEmpty, mean.skipsEmptyAxes { return false }
    let reduced = axes.isEmpty ? Array(shape.indices) : axes.map { $0 < 0 ? $0 + shape.count : $0 }
    guard reduced.allSatisfy({ shape.indices.contains($0) }) else { return false }
    try checkMean(work, count: Checked.product(Set(reduced).map { shape[$0] }) ?? .max)
    var integer = QLinearReduceMean()
    (integer.axes, integer.keepsAxes) = (axes, mean.keepsAxes)
    emit(integer, inputs, for: work)
    return true
  }

  mutating func collapse(_ softmax: Softmax, _ work: Work) throws(Refusal) -> Bool {
    guard let inputs = unary(work) else { return false }
    var integer = QLinearSoftmax()
    (integer.axis, integer.operatorSet) = (softmax.axis, 13)
    emit(integer, inputs, for: work)
    return true
  }

  mutating func collapse(_ concat: Concat, _ work: Work) throws(Refusal) -> Bool {
    var parts: [EightBit] = []
    for name in work.core.inputs {
      guard let name, let part = eight(name) else { return false }
      parts.append(part)
    }
    var integer = QLinearConcat()
    integer.axis = concat.axis
    var inputs: [String?] = [current(work.target.scaleName), zeroName(work.target)]
    for part in parts {
      inputs += [part.name, current(part.quantization.scaleName), zeroName(part.quantization)]
    }
    emit(integer, inputs, for: work)
    return true
  }

  mutating func collapseWhere(_ work: Work) throws(Refusal) -> Bool {
    let inputs = work.core.inputs
    guard inputs.count == 3, let condition = inputs[0], let left = inputs[1],
      let right = inputs[2], let a = eight(left), let b = eight(right)
    else { return false }
    emit(
      QLinearWhere(),
      [
        current(condition), a.name, current(a.quantization.scaleName), zeroName(a.quantization),
        b.name, current(b.quantization.scaleName), zeroName(b.quantization),
        current(work.target.scaleName), zeroName(work.target),
      ],
      for: work)
    return true
  }

  /// Interpolation; choosing the nearest element needs no arithmetic.
  mutating func collapse(_ resize: Resize, _ work: Work) throws(Refusal) -> Bool {
    guard resize.mode != .nearest else { return false }
    guard resize.coordinateTransformationMode != .cropAndResize else {
      throw Refusal(why: "a cropped region")
    }
    guard let inputs = unary(work), let source = work.core.inputs.first ?? nil,
      let from = extents(source), let to = extents(work.coreName), from.count == to.count
    else { return false }
    guard zip(from, to).count(where: { $0 != $1 }) <= 2 else {
      throw Refusal(why: "interpolation along more than two axes")
    }
    var integer = QLinearResize()
    integer.resize = resize
    emit(integer, inputs + work.core.inputs.dropFirst().map { $0.map { current($0) } }, for: work)
    return true
  }
}
