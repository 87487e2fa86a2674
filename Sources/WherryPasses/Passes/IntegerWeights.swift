import WherryGraph
import WherryOperators

/// Constant weights in 8 bits: `real = scale * q`, zero points taken out.
struct IntegerWeights {
  /// int8, in the shape they are stored in.
  var tensor: Tensor
  /// One scale, or one a step along `axis`.
  var scales: [Float]
  var axis: Int
  /// Names of the constants as stored, when nothing had to change.
  var name: String?
  var scaleName: String

  /// A matrix with its axes exchanged.
  var transposed: IntegerWeights? {
    guard tensor.rank == 2 else { return nil }
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    let values = tensor.integers
    let turned = (0..<tensor.count).map { values[$0 % rows * columns + $0 / rows] }
    guard let other = Tensor(.int8, [columns, rows], integers: turned) else { return nil }
    var result = self
    (result.tensor, result.axis, result.name) = (other, 1 - axis, nil)
    return result
  }

  /// Largest of the sums of magnitudes along everything but `axis`.
  func largestSum(_ axis: Int) -> Int64 {
    let inner = tensor.shape[(axis + 1)...].reduce(1, *)
    let length = max(tensor.shape[axis], 1)
    var sums = [Int64](repeating: 0, count: length)
    for (index, value) in tensor.integers.enumerated() {
      sums[index / max(inner, 1) % length] += abs(value)
    }
    return sums.max() ?? 0
  }
}

extension QDQRewriter {
  /// The weights that a value stands for; nil when it is no dequantized 8-bit constant.
  ///
  /// - Throws: `Refusal` when they are, but can't be said in int8 along `axis`.
  func weights(_ value: String?, axis: Int) throws(Refusal) -> IntegerWeights? {
    if let value, let node = maker(value), let transpose = node.operation as? Transpose,
      extents(value)?.count == 2, transpose.perm ?? [1, 0] == [1, 0], axis < 2
    {
      return try weights(node.inputs.first ?? nil, axis: 1 - axis)?.transposed
    }
    guard let value, let node = maker(value), Quantization.isDequantizing(node.operation),
      node.inputs.count > 1, let source = node.inputs[0], let tensor = constant(source),
      tensor.element == .int8 || tensor.element == .uint8, let scaleName = node.inputs[1],
      let scale = constant(scaleName), scale.element == .float32
    else { return nil }
    guard tensor.rank > 0, axis < tensor.rank else { return nil }
    let own =
      (node.operation as? DequantizeLinear) ?? (node.operation as? ContribDequantizeLinear)?.plain
    guard let own, own.outputType == 0 else { return nil }
    let scales = scale.doubles.map { Float($0) }
    let given = own.axis < 0 ? own.axis + tensor.rank : own.axis
    guard
      scales.count == 1 || scale.rank == 1 && given == axis && scales.count == tensor.shape[axis]
    else {
      throw Refusal(why: "weights with scales of shape \(scale.shape) along axis \(own.axis)")
    }
    guard scales.allSatisfy({ Quantization.isUsable($0) }) else {
      throw Refusal(why: "a scale of the weights is not a normal number above 0")
    }
    let zeros = zeroPoints(node, of: tensor.element)
    guard let zeros, zeros.count == 1 || zeros.count == scales.count else {
      throw Refusal(why: "zero points of the weights that are not constant")
    }
    var result = IntegerWeights(
      tensor: tensor, scales: scales, axis: axis, name: current(source), scaleName: scaleName)
    guard tensor.element != .int8 || zeros.contains(where: { $0 != 0 }) else { return result }
    let inner = tensor.shape[(axis + 1)...].reduce(1, *)
    let shifted = tensor.integers.enumerated().map { index, value in
      value - zeros[zeros.count == 1 ? 0 : index / inner % zeros.count]
    }
    guard shifted.allSatisfy({ $0 >= -128 && $0 <= 127 }),
      let symmetric = Tensor(.int8, tensor.shape, integers: shifted)
    else { throw Refusal(why: "weights less their zero point that don't fit int8") }
    (result.tensor, result.name) = (symmetric, nil)
    return result
  }

  /// The zero points that a node states for a tensor; nil when they are not constant or of another type.
  private func zeroPoints(_ node: Node, of element: ElementType) -> [Int64]? {
    guard node.inputs.count > 2, node.inputs[2] != nil else { return [0] }
    guard let zero = constant(node.inputs[2]), zero.element == element else { return nil }
    return zero.integers
  }

  /// Inputs that state weights: tensor, scale, zero point.
  mutating func operands(_ weights: IntegerWeights, _ base: String) -> [String?] {
    let tensor = weights.name ?? constant(weights.tensor, "\(base)_int8")
    let count = weights.scales.count
    let shape = constant(weights.scaleName)?.shape ?? []
    let zero = Tensor(.int8, shape, integers: Array(repeating: 0, count: count))
    return [
      tensor, current(weights.scaleName), zero.map { constant($0, "\(base)_zero") },
    ]
  }

  /// A bias as int32 at scale `x * weights`.
  ///
  /// - Throws: `Refusal` when it is not constant, not one number a channel, or too large.
  mutating func bias(
    _ value: String?, _ x: Quantization, _ weights: IntegerWeights, channels: Int,
    factor: Float = 1
  ) throws(Refusal) -> String? {
    guard let value else { return nil }
    var reals: [Double]?
    var integers: [Int64]?
    var name: String?
    let scales = (0..<channels).map { channel in
      Double(x.scale) * Double(weights.scales[weights.scales.count == 1 ? 0 : channel])
    }
    if let node = maker(value), Quantization.isDequantizing(node.operation),
      node.inputs.count > 1, let source = node.inputs[0], let tensor = constant(source),
      tensor.element.isInteger, tensor.element.bitWidth <= 32, let scale = constant(node.inputs[1])
    {
      let zeros = zeroPoints(node, of: tensor.element)
      guard let zeros, scale.count == 1 || scale.count == tensor.count,
        zeros.count == 1 || zeros.count == tensor.count
      else { throw Refusal(why: "a bias whose zero point is not constant") }
      let own = scale.doubles
      let centred = tensor.integers.enumerated().map { $1 - zeros[zeros.count == 1 ? 0 : $0] }
      // A scale within a rounding of the product's stands for it.
      let isSame =
        tensor.count == channels && tensor.element == .int32
        && scales.enumerated().allSatisfy { channel, wanted in
          abs(own[own.count == 1 ? 0 : channel] - wanted) <= wanted * 0x1p-22
        }
      if isSame, factor == 1 {
        (integers, name) = (centred, zeros.allSatisfy { $0 == 0 } ? current(source) : nil)
      } else {
        reals = centred.enumerated().map { Double($1) * own[own.count == 1 ? 0 : $0] }
      }
    } else if let tensor = constant(value), tensor.element.isFloat {
      reals = tensor.doubles
    } else {
      throw Refusal(why: "a bias that is not constant")
    }
    if var reals {
      if reals.count == 1, channels > 1 { reals = Array(repeating: reals[0], count: channels) }
      guard reals.count == channels else { throw Refusal(why: "a bias of \(reals.count) numbers") }
      let rounded = zip(reals, scales).map {
        ($0 * Double(factor) / $1).rounded(.toNearestOrEven)
      }
      guard rounded.allSatisfy({ $0.magnitude < 2_147_483_648 }) else {
        throw Refusal(why: "a bias that does not fit int32")
      }
      integers = rounded.map { Int64($0) }
    }
    guard let integers, let tensor = Tensor(.int32, [channels], integers: integers) else {
      throw Refusal(why: "a bias of another length than \(channels)")
    }
    let largest = integers.map { abs($0) }.max() ?? 0
    try check(weights, bias: largest)
    if let name, constant(name)?.shape == [channels] { return name }
    return constant(tensor, "\(value)_int32")
  }

  /// - Throws: `Refusal` when a sum of products could leave int32.
  func check(_ weights: IntegerWeights, bias: Int64) throws(Refusal) {
    guard weights.largestSum(weights.axis) * 255 + bias < 1 << 31 else {
      throw Refusal(why: "sums that may not fit int32")
    }
  }

  /// - Throws: `Refusal` when an accumulator's factor is out of range.
  func check(_ x: Quantization, _ scales: [Float], _ target: Quantization) throws(Refusal) {
    for scale in scales {
      let factor = Float(Double(x.scale) * Double(scale) / Double(target.scale))
      guard Quantization.isUsable(factor), factor <= 0x1p24 else {
        throw Refusal(why: "a factor of \(factor)")
      }
    }
  }
}
