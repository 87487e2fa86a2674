import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

/// 8-bit values of the graph as `WH_Q8` tensors of the plan.
///
/// A value of the graph is int8 or uint8; kernels see the signed view of both, in a storage of the
/// processor's own. Casts stand where a value changes from one to the other.
extension LoweringSite {
  /// A new `WH_Q8` value that stands for `element` values.
  func makeQ8(
    _ element: ElementType, _ shape: [Int], order: [Int]? = nil,
    _ quantization: TensorQuantization? = nil
  ) throws(CompileProblem) -> Lowered {
    let order = order ?? Order.rowMajor(shape.count)
    let tensor = try builder.q8(
      order.map { shape[$0] }, quantization ?? TensorQuantization(scale: 0, zeroPoint: 0))
    return Lowered(tensor: tensor, element: element, shape: shape, order: order, isQ8: true)
  }

  /// A value whose bytes are those of its own element type; `index` is the input it is, if any.
  func plain(_ x: Lowered, _ index: Int? = nil) throws(CompileProblem) -> Lowered {
    guard x.isQ8 else { return x }
    if let index, let known = forms(index).first(where: { !$0.isQ8 }) { return known }
    let result = try make(x.element, x.shape, order: x.order)
    state(builder.tensors[x.tensor].quantization, of: result)
    emit(.cast, [x.tensor], [result.tensor])
    if let index { keep(result, of: index) }
    return result
  }

  /// An 8-bit input as `WH_Q8`, in a given axis order or any.
  func q8(
    _ index: Int, order: [Int]? = nil, _ quantization: TensorQuantization? = nil
  ) throws(CompileProblem) -> Lowered {
    let element = try self.element(index)
    guard element == .int8 || element == .uint8 else {
      throw CompileProblem(.unsupportedElement(element))
    }
    let known = forms(index)
    func fits(_ form: Lowered) -> Bool { order.map { form.isLike($0) } ?? true }
    if let form = known.first(where: { $0.isQ8 && fits($0) }) {
      return order.map { relabel(form, $0) } ?? form
    }
    let result: Lowered
    if let order, let form = known.first(where: { $0.isQ8 }) {
      result = try move(form, order: order)
    } else {
      var source = try value(index)
      state(quantization, of: source)
      if let order { source = try value(index, order: order) }
      result = try cast8(source, quantization)
    }
    keep(result, of: index)
    return result
  }

  /// Says what the bytes of a plain value stand for, given in the signed view.
  func state(
    _ quantization: TensorQuantization?, of x: Lowered, as tensor: Int? = nil
  ) {
    guard var own = quantization, own.scale != 0, !builder.isConstant(x.tensor) else { return }
    own.zeroPoint += x.element == .uint8 ? 128 : 0
    builder.setQuantization(tensor ?? x.tensor, own)
  }

  /// int8 or uint8 as `WH_Q8`.
  private func cast8(
    _ x: Lowered, _ quantization: TensorQuantization?
  ) throws(CompileProblem) -> Lowered {
    let result = try makeQ8(x.element, x.shape, order: x.order, quantization)
    emit(.cast, [x.tensor], [result.tensor])
    return result
  }

  /// The scale and zero point that two constant inputs state, the zero point in the signed view.
  ///
  /// - Throws: `CompileProblem` when they are not one number each, or the scale is of no use.
  func quantization(
    _ scale: Int, _ zeroPoint: Int, _ element: ElementType
  ) throws(CompileProblem) -> TensorQuantization {
    let scales = try requireConstant(scale)
    guard scales.count == 1, let number = scales.doubles.first else {
      throw CompileProblem(.unsupported("\(scales.count) scales of one tensor"))
    }
    try checkScale(Float(number))
    var zero: Int64 = 0
    if has(zeroPoint) {
      let zeros = try requireConstant(zeroPoint)
      guard zeros.count == 1, zeros.element == element, let value = zeros.integers.first else {
        throw CompileProblem(
          .unsupported("\(zeros.count) zero points of \(zeros.element) for one tensor"))
      }
      zero = value
    }
    zero -= element == .uint8 ? 128 : 0
    return TensorQuantization(
      scale: Float(number), zeroPoint: Int32(truncatingIfNeeded: zero))
  }

  /// - Throws: `CompileProblem` unless the scale is finite, normal and above 0.
  func checkScale(_ scale: Float) throws(CompileProblem) {
    guard Quantization.isUsable(scale) else {
      throw CompileProblem(.invalid("a scale of \(scale)"))
    }
  }

  /// A factor of an accumulator.
  ///
  /// - Throws: `CompileProblem` unless it is normal, above 0 and at most `WH_LARGEST_FACTOR`.
  func factor(_ value: Double) throws(CompileProblem) -> Float {
    let factor = Float(value)
    guard Quantization.isUsable(factor), factor <= WH_LARGEST_FACTOR else {
      throw CompileProblem(.invalid("a factor of \(factor) between scales"))
    }
    return factor
  }

  /// Whether everything that a list of inputs states is constant.
  func areConstant(_ indices: Int...) -> Bool {
    indices.allSatisfy { !has($0) || constant($0) != nil }
  }

  /// `x` with its channels named second where the graph has them last, and back.
  func channelsFirst(_ x: Lowered) -> Lowered {
    let rank = x.shape.count
    return rank < 3 ? x : x.permuted([0, rank - 1] + Array(1..<rank - 1))
  }

  func channelsLast(_ x: Lowered) -> Lowered {
    let rank = x.shape.count
    return rank < 3 ? x : x.permuted([0] + Array(2..<rank) + [1])
  }
}

extension TensorQuantization {
  var scale64: Double { Double(scale) }
}
