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
  // A strip of four columns of so many rows stays in the first-level cache while all of `a` passes.
  let depth = 128
  for start in stride(from: 0, to: k, by: depth) {
    let count = min(depth, k - start)
    let (a, b) = (a + start, b + start * bStep)
    var column = 0
    while column + 4 <= n {
      var row = 0
      while row + 4 <= m {
        accumulateTile(
          count, a + row * aStep, aStep, b + column, bStep, c + row * cStep + column, cStep)
        row += 4
      }
      while row < m {
        let (a, c) = (a + row * aStep, c + row * cStep + column)
        var sum = load4(c)
        for inner in 0..<count { sum += load4(b + inner * bStep + column) * a[inner] }
        store4(sum, c)
        row += 1
      }
      column += 4
    }
    while column < n {
      for row in 0..<m {
        var sum = c[row * cStep + column]
        for inner in 0..<count { sum += a[row * aStep + inner] * b[inner * bStep + column] }
        c[row * cStep + column] = sum
      }
      column += 1
    }
  }
}

/// Four rows and four columns of the product.
@inline(__always)
private func accumulateTile(
  _ k: Int, _ a: UnsafePointer<Double>, _ aStep: Int, _ b: UnsafePointer<Double>, _ bStep: Int,
  _ c: UnsafeMutablePointer<Double>, _ cStep: Int
) {
  let (a1, a2, a3) = (a + aStep, a + 2 * aStep, a + 3 * aStep)
  let (c1, c2, c3) = (c + cStep, c + 2 * cStep, c + 3 * cStep)
  var (s0, s1, s2, s3) = (load4(c), load4(c1), load4(c2), load4(c3))
  var source = b
  for inner in 0..<k {
    let x = load4(source)
    s0 += x * a[inner]
    s1 += x * a1[inner]
    s2 += x * a2[inner]
    s3 += x * a3[inner]
    source += bStep
  }
  store4(s0, c)
  store4(s1, c1)
  store4(s2, c2)
  store4(s3, c3)
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
