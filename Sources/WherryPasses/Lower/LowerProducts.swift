import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Gemm and matrix products.
  static let matrixProducts: [Lowering] = [
    Lowering(Gemm.self) { (gemm, site) throws(CompileProblem) in
      try site.lower(gemm)
    }
  ]
}

extension LoweringSite {
  fileprivate func lower(_ gemm: Gemm) throws(CompileProblem) {
    try require(.float32, 0)
    let (a, b) = (try shape(0), try shape(1))
    guard a.count == 2, b.count == 2 else {
      throw CompileProblem(.invalid("Gemm of \(a) and \(b)"))
    }
    if !gemm.transA, gemm.alpha == 1 {
      let bias = try biasVector(gemm, n: gemm.transB ? b[0] : b[1])
      if !has(2) || gemm.beta == 0 || bias != nil,
        let product = try product8(isTransposed: gemm.transB, bias: bias)
      {
        return try finish(0, product)
      }
    }
    let left = try value(0, order: gemm.transA ? [1, 0] : [0, 1])
    let (m, k) = gemm.transA ? (a[1], a[0]) : (a[0], a[1])
    let n = gemm.transB ? b[0] : b[1]
    var right = try matrix(1, columns: n, rows: k, transposed: gemm.transB, scale: gemm.alpha)
    if constant(1) == nil, gemm.alpha != 1 { right.isScaled = false }
    var result = try make(.float32, [m, n])
    let bias = try biasVector(gemm, n: n)
    let alpha = right.isScaled ? 1 : gemm.alpha
    // A bias inside the product is scaled with it, so it goes outside when alpha is applied after.
    let inside = alpha == 1 ? bias : nil
    emitProduct(
      m: m, k: k, n: n, left: left, aRow: k, right: right, bias: inside, to: result)
    if alpha != 1 { result = try affine(result, alpha, 0) }
    if has(2), gemm.beta != 0, inside == nil {
      var c = try scaledInput(2, gemm.beta)
      if c.shape.isEmpty { c = reshaped(c, [1]) }
      result = try binary(WH_ADD, result, c, shape: [m, n])
    }
    try finish(0, result)
  }

  /// C as a vector that the product's kernel adds; nil when it is another shape or not constant.
  private func biasVector(_ gemm: Gemm, n: Int) throws(CompileProblem) -> Int? {
    guard gemm.beta != 0, let c = constant(2), c.element == .float32 else { return nil }
    guard c.count == n || c.count == 1, (c.shape.last ?? 1) == c.count else { return nil }
    let numbers = c.doubles.map { Float(Double(gemm.beta) * $0) }
    return try weight(c.count == n ? numbers : Array(repeating: numbers[0], count: n)).tensor
  }

  /// Input `index` times `factor`.
  func scaledInput(_ index: Int, _ factor: Float) throws(CompileProblem) -> Lowered {
    if factor == 1 { return try value(index) }
    if let tensor = constant(index), tensor.element == .float32 {
      return try weight(tensor.doubles.map { Float($0 * Double(factor)) }, tensor.shape)
    }
    return try affine(try value(index), factor, 0)
  }
}

/// The right side of a product as the kernel takes it.
struct RightMatrix {
  var tensor: Int
  var isPacked: Bool
  /// Distance of rows when not packed.
  var row: Int
  /// Elements of one matrix.
  var count: Int
  var isScaled = true
}

extension LoweringSite {
  /// Input `index`, [rows, columns] or transposed: packed when constant, else row-major.
  func matrix(
    _ index: Int, columns: Int, rows: Int, transposed: Bool, scale: Float = 1
  ) throws(CompileProblem) -> RightMatrix {
    try require(.float32, index)
    if let tensor = constant(index) {
      var source = tensor
      if scale != 1 {
        let numbers = tensor.doubles.map { Float($0 * Double(scale)) }
        source = Tensor(.float32, tensor.shape, elements: numbers) ?? tensor
      }
      let view = PanelView(
        inner: rows, innerStride: transposed ? 1 : columns, columns: columns,
        columnStride: transposed ? rows : 1)
      let packed = try panels(source, view)
      return RightMatrix(tensor: packed, isPacked: true, row: 0, count: view.matrixCount)
    }
    let value = try value(index, order: transposed ? [1, 0] : [0, 1])
    return RightMatrix(
      tensor: value.tensor, isPacked: false, row: columns, count: rows * columns,
      isScaled: scale == 1)
  }

  /// A constant's panels.
  func panels(_ tensor: Tensor, _ view: PanelView) throws(CompileProblem) -> Int {
    guard tensor.element == .float32 else {
      throw CompileProblem(.unsupportedElement(tensor.element))
    }
    let weight = Weight(tensor.bytes, width: 4, packing: .panels(view))
    return try builder.weight(weight, .float32, [view.packedCount])
  }

  /// One product [m, k] x [k, n], or a batch of them.
  func emitProduct(
    m: Int, k: Int, n: Int, left: Lowered, aRow: Int, right: RightMatrix, bias: Int?,
    to result: Lowered, batch: [Int] = [1, 1, 1], aBatch: [Int] = [0, 0, 0],
    bBatch: [Int] = [0, 0, 0]
  ) {
    var product = wh_matmul()
    (product.m, product.k, product.n) = (Int32(small: m), Int32(small: k), Int32(small: n))
    product.packed = right.isPacked ? 1 : 0
    product.batch = CArray.int32x3(batch)
    product.a_batch = CArray.int64x3(aBatch)
    product.b_batch = CArray.int64x3(bBatch)
    (product.a_row, product.b_row) = (Int64(aRow), Int64(right.row))
    (product.low, product.high) = (-.infinity, .infinity)
    emit(.matmul(product), [left.tensor, right.tensor, bias], [result.tensor])
    count(macs: batch.reduce(1, *), m, k, n)
  }
}
