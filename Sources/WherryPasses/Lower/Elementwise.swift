import CWherryABI
import WherryBytes
import WherryGraph

extension LoweringSite {
  /// y = f(x) element by element, in x's axis order.
  func unary(
    _ kind: Int, _ x: Lowered, alpha: Float = 0, beta: Float = 0, gamma: Float = 0,
    gives element: ElementType? = nil
  ) throws(CompileProblem) -> Lowered {
    let result = try make(element ?? x.element, x.shape, order: x.order)
    var unary = wh_unary()
    unary.kind = Int32(small: kind)
    unary.element = x.element.rawValue
    (unary.alpha, unary.beta, unary.gamma) = (alpha, beta, gamma)
    emit(.unary(unary), [x.tensor], [result.tensor])
    return result
  }

  /// alpha x + beta
  func affine(_ x: Lowered, _ alpha: Float, _ beta: Float) throws(CompileProblem) -> Lowered {
    try unary(WH_AFFINE, x, alpha: alpha, beta: beta)
  }

  func cast(_ x: Lowered, to element: ElementType) throws(CompileProblem) -> Lowered {
    if x.element == element { return x }
    let result = try make(element, x.shape, order: x.order)
    emit(.cast, [x.tensor], [result.tensor])
    return result
  }

  /// y = f(a, b) with both broadcast to `shape`.
  func binary(
    _ kind: Int, _ a: Lowered, _ b: Lowered, shape: [Int], gives element: ElementType? = nil
  ) throws(CompileProblem) -> Lowered {
    guard a.element == b.element else { throw CompileProblem(.unsupportedElement(b.element)) }
    let result = try make(element ?? a.element, shape, order: broadcastOrder([a, b], shape))
    let loop = try loop(over: result, [a, b])
    var binary = wh_binary()
    binary.kind = Int32(small: kind)
    binary.element = a.element.rawValue
    binary.rank = Int32(small: loop.extents.count)
    binary.shape = CArray.int32(loop.extents)
    binary.a_strides = CArray.int64(loop.strides[1])
    binary.b_strides = CArray.int64(loop.strides[2])
    (binary.low, binary.high) = (-.infinity, .infinity)
    emit(.binary(binary), [a.tensor, b.tensor], [result.tensor])
    return result
  }

  func select(
    _ condition: Lowered, _ a: Lowered, _ b: Lowered, shape: [Int]
  ) throws(CompileProblem) -> Lowered {
    guard a.element == b.element else { throw CompileProblem(.unsupportedElement(b.element)) }
    let order = broadcastOrder([a, b, condition], shape)
    let result = try make(like: a, shape, order: order)
    let loop = try loop(over: result, [condition, a, b])
    var select = wh_select()
    select.element_size = Int32(small: a.element.width)
    select.rank = Int32(small: loop.extents.count)
    select.shape = CArray.int32(loop.extents)
    select.condition_strides = CArray.int64(loop.strides[1])
    select.a_strides = CArray.int64(loop.strides[2])
    select.b_strides = CArray.int64(loop.strides[3])
    emit(.select(select), [condition.tensor, a.tensor, b.tensor], [result.tensor])
    return result
  }

  /// The axis order of a broadcast result: that of the first computed operand of its full size whose
  /// order is not the plain one, else of the first computed one.
  func broadcastOrder(_ operands: [Lowered], _ shape: [Int]) -> [Int] {
    let whole = operands.filter { $0.shape == shape && !builder.isConstant($0.tensor) }
    return (whole.first { !$0.isRowMajor } ?? whole.first)?.order ?? Order.rowMajor(shape.count)
  }

  /// The loop that visits a dense result in memory order with the operands' strides; 0 where they
  /// broadcast. The first strides are the result's.
  func loop(over result: Lowered, _ operands: [Lowered]) throws(CompileProblem) -> StridedLoop {
    var strides = [StridedLoop.dense(result.dims)]
    for operand in operands {
      strides.append(result.order.map { broadcastStrides(operand, rank: result.shape.count)[$0] })
    }
    let loop = StridedLoop(result.dims, strides)
    guard loop.extents.count <= Int(WH_MAX_RANK) else {
      throw CompileProblem(.unsupported("a loop over \(loop.extents.count) axes"))
    }
    return loop
  }

  /// Strides of an operand along the axes of a result of `rank`; 0 where it broadcasts.
  func broadcastStrides(_ operand: Lowered, rank: Int) -> [Int] {
    let own = zip(operand.shape, operand.strides).map { $0 == 1 ? 0 : $1 }
    return [Int](repeating: 0, count: max(rank - own.count, 0)) + own
  }
}
