import WherryGraph

/// A number whose products can be summed without trapping.
protocol ProductSum: Sendable {
  static var zero: Self { get }
  static func add(_ total: Self, _ x: Self) -> Self
  static func add(_ total: Self, _ x: Self, _ y: Self) -> Self
}

extension Double: ProductSum {
  @inline(__always) static func add(_ total: Double, _ x: Double) -> Double { total + x }
  @inline(__always) static func add(_ total: Double, _ x: Double, _ y: Double) -> Double {
    total + x * y
  }
}

extension Int64: ProductSum {
  @inline(__always) static func add(_ total: Int64, _ x: Int64) -> Int64 { total &+ x }
  @inline(__always) static func add(_ total: Int64, _ x: Int64, _ y: Int64) -> Int64 {
    total &+ x &* y
  }
}

/// The shapes of `numpy.matmul`: matrices in the last two axes, the axes before them broadcast, a
/// vector taken as one row on the left and as one column on the right.
struct MatrixProduct: Sendable {
  let rows: Int
  let inner: Int
  let columns: Int
  /// The result's shape.
  let shape: [Int]
  private let batch: Broadcast
  private let batchA: [Int]
  private let batchB: [Int]

  /// - Throws: `RunError.badInput` when the shapes don't fit.
  init(_ a: [Int], _ b: [Int]) throws(RunError) {
    guard let innerA = a.last, !b.isEmpty else {
      throw RunError(.badInput("a scalar can't be multiplied as a matrix"))
    }
    rows = a.count == 1 ? 1 : a[a.count - 2]
    inner = innerA
    columns = b.count == 1 ? 1 : b[b.count - 1]
    guard inner == (b.count == 1 ? b[0] : b[b.count - 2]) else {
      throw RunError(.badInput("inner extents of \(a) and \(b) differ"))
    }
    batchA = Array(a.dropLast(2))
    batchB = Array(b.dropLast(2))
    batch = try Broadcast([batchA, batchB])
    shape = batch.shape + (a.count == 1 ? [] : [rows]) + (b.count == 1 ? [] : [columns])
    _ = try checkedCount(shape)
  }

  /// The product of row-major operands.
  func multiply<T: ProductSum>(_ a: [T], _ b: [T]) -> [T] {
    guard batch.count > 0 else { return [] }
    let size = rows * columns
    var result = [T](repeating: .zero, count: batch.count * size)
    guard size > 0, inner > 0 else { return result }
    let walk = RowWalk(batch.shape, [batch.strides(of: batchA), batch.strides(of: batchB)])
    var done = 0
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        result.withUnsafeMutableBufferPointer { c in
          walk.forEachRow { offsets in
            for index in 0..<walk.rowLength {
              let x = (offsets[0] + index * walk.rowSteps[0]) * rows * inner
              let y = (offsets[1] + index * walk.rowSteps[1]) * inner * columns
              Self.accumulate(
                UnsafeBufferPointer(rebasing: a[x..<x + rows * inner]),
                UnsafeBufferPointer(rebasing: b[y..<y + inner * columns]),
                UnsafeMutableBufferPointer(rebasing: c[done..<done + size]),
                rows, inner, columns)
              done += size
            }
          }
        }
      }
    }
    return result
  }

  /// `c += a * b` for row-major matrices.
  static func accumulate<T: ProductSum>(
    _ a: UnsafeBufferPointer<T>, _ b: UnsafeBufferPointer<T>, _ c: UnsafeMutableBufferPointer<T>,
    _ rows: Int, _ inner: Int, _ columns: Int
  ) {
    let fours = inner - inner % 4
    for row in 0..<rows {
      let (line, to) = (row * inner, row * columns)
      // Four steps a pass, in their order, so that each sum is loaded and stored a quarter as
      // often.
      for step in stride(from: 0, to: fours, by: 4) {
        let (x, y, z, w) = (
          a[line + step], a[line + step + 1], a[line + step + 2], a[line + step + 3]
        )
        let from = step * columns
        for column in 0..<columns {
          var sum = T.add(c[to + column], x, b[from + column])
          sum = T.add(sum, y, b[from + columns + column])
          sum = T.add(sum, z, b[from + 2 * columns + column])
          c[to + column] = T.add(sum, w, b[from + 3 * columns + column])
        }
      }
      for step in fours..<inner {
        let x = a[line + step]
        let from = step * columns
        for column in 0..<columns { c[to + column] = T.add(c[to + column], x, b[from + column]) }
      }
    }
  }

  /// The shape of the result as far as it is known.
  ///
  /// - Throws: `TypeError` when the operands don't fit.
  static func shape(_ a: Shape, _ b: Shape) throws(TypeError) -> Shape {
    for (index, shape) in [a, b].enumerated() where shape.rank == 0 {
      throw TypeError(.rank(input: index, 0, expected: "at least 1"))
    }
    guard Dimension.merge(a[a.rank - 1], b[max(b.rank - 2, 0)]) != nil,
      let batch = Shape.broadcast(
        Shape(a.dimensions.dropLast(2)), Shape(b.dimensions.dropLast(2)))
    else { throw TypeError(.shape("\(a) and \(b) can't be multiplied")) }
    return Shape(
      batch.dimensions + (a.rank == 1 ? [] : [a[a.rank - 2]]) + (b.rank == 1 ? [] : [b[b.rank - 1]])
    )
  }
}

extension Shape {
  init(_ dimensions: ArraySlice<Dimension>) { self.init(Array(dimensions)) }
}

/// A row-major matrix with its axes exchanged.
func transposed<T>(_ values: [T], rows: Int, columns: Int) -> [T] {
  guard rows > 1, columns > 1 else { return values }
  return values.withUnsafeBufferPointer { values in
    [T](unsafeUninitializedCapacity: values.count) { target, count in
      // Square by square, so that both sides stay in the cache.
      for top in stride(from: 0, to: rows, by: 16) {
        for left in stride(from: 0, to: columns, by: 16) {
          for column in left..<min(left + 16, columns) {
            for row in top..<min(top + 16, rows) {
              target.initializeElement(at: column * rows + row, to: values[row * columns + column])
            }
          }
        }
      }
      count = rows * columns
    }
  }
}
