/// `c += a b` for row-major float64 matrices `a: [m, k]`, `b: [k, n]`, `c: [m, n]` whose rows lie
/// `aStep`, `bStep` and `cStep` elements apart.
///
/// Sums run over `k` in order, so a result does not depend on how the rows and columns are cut.
func accumulateProduct(
  _ m: Int, _ k: Int, _ n: Int,
  _ a: UnsafePointer<Double>, _ aStep: Int,
  _ b: UnsafePointer<Double>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Double>, _ cStep: Int
) {
  var row = 0
  while row + 4 <= m {
    let (a0, c0) = (a + row * aStep, c + row * cStep)
    let (a1, a2, a3) = (a0 + aStep, a0 + 2 * aStep, a0 + 3 * aStep)
    let (c1, c2, c3) = (c0 + cStep, c0 + 2 * cStep, c0 + 3 * cStep)
    var column = 0
    while column + 4 <= n {
      var (s0, s1) = (load4(c0 + column), load4(c1 + column))
      var (s2, s3) = (load4(c2 + column), load4(c3 + column))
      var source = b + column
      for inner in 0..<k {
        let x = load4(source)
        s0 += x * a0[inner]
        s1 += x * a1[inner]
        s2 += x * a2[inner]
        s3 += x * a3[inner]
        source += bStep
      }
      store4(s0, c0 + column)
      store4(s1, c1 + column)
      store4(s2, c2 + column)
      store4(s3, c3 + column)
      column += 4
    }
    for offset in 0..<4 {
      accumulateRow(k, column..<n, a0 + offset * aStep, b, bStep, c0 + offset * cStep)
    }
    row += 4
  }
  while row < m {
    accumulateRow(k, 0..<n, a + row * aStep, b, bStep, c + row * cStep)
    row += 1
  }
}

/// One row of the product, columns `columns`.
private func accumulateRow(
  _ k: Int, _ columns: Range<Int>, _ a: UnsafePointer<Double>,
  _ b: UnsafePointer<Double>, _ bStep: Int, _ c: UnsafeMutablePointer<Double>
) {
  var column = columns.lowerBound
  while column + 8 <= columns.upperBound {
    var (low, high) = (load4(c + column), load4(c + column + 4))
    for inner in 0..<k {
      let source = b + inner * bStep + column
      low += load4(source) * a[inner]
      high += load4(source + 4) * a[inner]
    }
    store4(low, c + column)
    store4(high, c + column + 4)
    column += 8
  }
  while column < columns.upperBound {
    var sum = c[column]
    for inner in 0..<k { sum += a[inner] * b[inner * bStep + column] }
    c[column] = sum
    column += 1
  }
}

@inline(__always)
private func load4(_ pointer: UnsafePointer<Double>) -> SIMD4<Double> {
  UnsafeRawPointer(pointer).loadUnaligned(as: SIMD4<Double>.self)
}

@inline(__always)
private func load4(_ pointer: UnsafeMutablePointer<Double>) -> SIMD4<Double> {
  load4(UnsafePointer(pointer))
}

@inline(__always)
private func store4(_ value: SIMD4<Double>, _ pointer: UnsafeMutablePointer<Double>) {
  UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: SIMD4<Double>.self)
}

/// `a b` for row-major `a: [m, k]` and `b: [k, n]`, or `b: [n, k]` when `transposed`.
func product(
  _ a: ArraySlice<Double>, _ b: ArraySlice<Double>, m: Int, k: Int, n: Int, transposed: Bool = false
) -> [Double] {
  var result = [Double](repeating: 0, count: m * n)
  guard m * k <= a.count, k * n <= b.count, m > 0, n > 0, k > 0 else { return result }
  let right = transposed ? transpose(b, rows: n, columns: k)[...] : b
  a.withUnsafeBufferPointer { a in
    right.withUnsafeBufferPointer { b in
      result.withUnsafeMutableBufferPointer { c in
        guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
        accumulateProduct(m, k, n, a, k, b, n, c, n)
      }
    }
  }
  return result
}

/// The `[columns, rows]` transpose of a row-major `[rows, columns]`.
func transpose(_ a: ArraySlice<Double>, rows: Int, columns: Int) -> [Double] {
  guard a.count >= rows * columns else { return [] }
  return a.withUnsafeBufferPointer { a in
    [Double](unsafeUninitializedCapacity: rows * columns) { target, count in
      for row in 0..<rows {
        for column in 0..<columns { target[column * rows + row] = a[row * columns + column] }
      }
      count = rows * columns
    }
  }
}
