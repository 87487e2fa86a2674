import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Stacked matrix products.
  static let stackedProducts: [Lowering] = [
    Lowering(MatMul.self) { (_, site) throws(CompileProblem) in
      try site.require(.float32, 0)
      try site.require(.float32, 1)
      let (a, b) = (try site.shape(0), try site.shape(1))
      if let product = try site.product8() { return try site.finish(0, product) }
      guard !a.isEmpty, !b.isEmpty else { throw CompileProblem(.invalid("MatMul of a scalar")) }
      // A vector is a matrix of one row or one column.
      let left = a.count == 1 ? [1] + a : a
      let right = b.count == 1 ? b + [1] : b
      var x = try site.value(0)
      if a.count == 1 { x = try site.reshape(x, left) }
      let result: Lowered
      if let tensor = site.constant(1)?.reshaped(right) {
        result = try site.product(x, constant: tensor)
      } else {
        let y = try site.value(1)
        result = try site.product(x, b.count == 1 ? try site.reshape(y, right) : y)
      }
      try site.finish(0, try site.reshape(result, try site.outputType(0).shape))
    }
  ]
}

extension LoweringSite {
  /// x [..., M, K] times a constant [..., K, N].
  func product(_ x: Lowered, constant tensor: Tensor) throws(CompileProblem) -> Lowered {
    let rank = tensor.rank
    let (k, n) = (tensor.shape[rank - 2], tensor.shape[rank - 1])
    let matrices = tensor.shape.dropLast(2).reduce(1, *)
    let view = PanelView(
      matrices: matrices, matrixStride: k * n, inner: k, innerStride: n, columns: n,
      columnStride: 1)
    let right = RightMatrix(
      tensor: try panels(tensor, view), isPacked: true, row: 0, count: view.matrixCount)
    let steps = StridedLoop.dense(Array(tensor.shape.dropLast(2))).map { $0 * view.matrixCount }
    return try product(x, right, shape: tensor.shape, batchStrides: steps)
  }

  /// x [..., M, K] times y [..., K, N], both computed.
  func product(_ x: Lowered, _ y: Lowered) throws(CompileProblem) -> Lowered {
    let rank = y.shape.count
    var y = y
    if y.strides[rank - 1] != 1, y.shape[rank - 1] != 1 {
      y = try move(y, order: Order.rowMajor(rank))
    }
    let strides = y.strides
    let right = RightMatrix(
      tensor: y.tensor, isPacked: false, row: strides[rank - 2],
      count: y.shape[rank - 2] * y.shape[rank - 1])
    return try product(x, right, shape: y.shape, batchStrides: Array(strides.dropLast(2)))
  }

  private func product(
    _ x: Lowered, _ right: RightMatrix, shape other: [Int], batchStrides: [Int]
  ) throws(CompileProblem) -> Lowered {
    let rank = x.shape.count
    var x = x
    // The kernel wants rows whose elements are neighbours.
    if x.strides[rank - 1] != 1, x.shape[rank - 1] != 1 {
      x = try move(x, order: Order.rowMajor(rank))
    }
    let (m, k, n) = (x.shape[rank - 2], x.shape[rank - 1], other[other.count - 1])
    guard k == other[other.count - 2] else {
      throw CompileProblem(.invalid("a product of \(x.shape) and \(other)"))
    }
    let (own, theirs) = (Array(x.shape.dropLast(2)), Array(other.dropLast(2)))
    guard
      let batch = Shape.broadcast(Shape(fixed: own), Shape(fixed: theirs))?.extents
    else { throw CompileProblem(.invalid("a product of \(x.shape) and \(other)")) }
    let result = try make(.float32, batch + [m, n])
    func spread(_ extents: [Int], _ strides: [Int]) -> [Int] {
      Array(repeating: 0, count: batch.count - extents.count)
        + zip(extents, strides).map { $0 == 1 ? 0 : $1 }
    }
    let loop = StridedLoop(
      batch,
      [
        StridedLoop.dense(batch).map { $0 * m * n }, spread(own, Array(x.strides.dropLast(2))),
        spread(theirs, batchStrides),
      ])
    guard loop.extents.count <= 3 else {
      throw CompileProblem(.unsupported("a product over \(loop.extents.count) batch axes"))
    }
    let missing = 3 - loop.extents.count
    let zeros = Array(repeating: 0, count: missing)
    emitProduct(
      m: m, k: k, n: n, left: x, aRow: m == 1 ? k : x.strides[rank - 2], right: right, bias: nil,
      to: result, batch: Array(repeating: 1, count: missing) + loop.extents,
      aBatch: zeros + loop.strides[1], bBatch: zeros + loop.strides[2])
    return result
  }
}
