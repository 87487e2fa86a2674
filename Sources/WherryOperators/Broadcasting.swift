import WherryBytes
import WherryGraph

/// Elements one evaluated tensor may have, so that a small file can't ask for unbounded memory.
let evaluatedElements = 1 << 28

/// The number of elements of `shape`.
///
/// - Throws: `RunError.limit` past `evaluatedElements`.
func checkedCount(_ shape: [Int]) throws(RunError) -> Int {
  guard let count = Checked.product(shape), count <= evaluatedElements else {
    throw RunError(.limit("\(evaluatedElements) elements in a tensor"))
  }
  return count
}

/// Elements between neighbours along each axis of a row-major tensor; of no meaning for an empty
/// one, whose other extents may be of any size.
func rowMajorStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for axis in shape.indices.dropLast().reversed() {
    strides[axis] = strides[axis + 1] &* max(shape[axis + 1], 1)
  }
  return strides
}

/// Operands of different shapes walked as if all had one.
///
/// - Source: ONNX, "Broadcasting in ONNX", multidirectional.
struct Broadcast: Sendable {
  /// The shape of the result.
  let shape: [Int]
  let count: Int

  /// - Throws: `RunError.badInput` when the shapes don't fit, `.limit` when the result is too
  /// large.
  init(_ shapes: [[Int]]) throws(RunError) {
    var merged: [Int] = []
    for shape in shapes {
      if shape.count > merged.count {
        merged.insert(contentsOf: repeatElement(1, count: shape.count - merged.count), at: 0)
      }
      let start = merged.count - shape.count
      for (axis, extent) in shape.enumerated() where extent != 1 {
        guard merged[start + axis] == 1 || merged[start + axis] == extent else {
          throw RunError(.badInput("shapes \(shapes) can't be broadcast together"))
        }
        merged[start + axis] = extent
      }
    }
    shape = merged
    count = try checkedCount(merged)
  }

  /// An operand's steps along the result's axes, 0 where it is repeated.
  func strides(of operand: [Int]) -> [Int] {
    let own = rowMajorStrides(operand)
    let start = shape.count - operand.count
    return shape.indices.map { axis in
      axis < start || operand[axis - start] == 1 ? 0 : own[axis - start]
    }
  }

  /// `body` of every pair of elements, in the result's row-major order.
  func map<A, B, R>(
    _ a: [A], _ shapeA: [Int], _ b: [B], _ shapeB: [Int], _ body: (A, B) -> R
  ) -> [R] {
    guard count > 0 else { return [] }
    let walk = RowWalk(shape, [strides(of: shapeA), strides(of: shapeB)])
    let (length, stepA, stepB) = (walk.rowLength, walk.rowSteps[0], walk.rowSteps[1])
    return [R](unsafeUninitializedCapacity: count) { target, filled in
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          walk.forEachRow { offsets in
            let (x, y) = (offsets[0], offsets[1])
            if stepA == 1, stepB == 1 {
              for index in 0..<length {
                target.initializeElement(at: filled + index, to: body(a[x + index], b[y + index]))
              }
            } else {
              for index in 0..<length {
                target.initializeElement(
                  at: filled + index, to: body(a[x + index * stepA], b[y + index * stepB]))
              }
            }
            filled += length
          }
        }
      }
    }
  }

  /// One operand's elements repeated to the result's shape.
  func expand<A>(_ a: [A], _ shapeA: [Int]) -> [A] {
    shapeA == shape ? a : map(a, shapeA, a, shapeA) { x, _ in x }
  }
}

/// A row-major walk over extents that keeps one offset for each of several operands. Axes along
/// which every operand advances evenly are fused, so that rows are long.
struct RowWalk: Sendable {
  private var outer: [Int] = []
  private var outerSteps: [[Int]] = []
  private(set) var rowLength = 1
  /// Each operand's step within a row.
  private(set) var rowSteps: [Int]
  private let isEmpty: Bool

  /// - Parameter strides: for each operand its steps along the axes; they may be 0.
  init(_ extents: [Int], _ strides: [[Int]]) {
    isEmpty = extents.contains(0)
    var fused: [(extent: Int, steps: [Int])] = []
    for axis in extents.indices where extents[axis] != 1 && !isEmpty {
      let steps = strides.map { $0[axis] }
      if let last = fused.last, zip(last.steps, steps).allSatisfy({ $0 == $1 * extents[axis] }) {
        fused[fused.count - 1] = (last.extent * extents[axis], steps)
      } else {
        fused.append((extents[axis], steps))
      }
    }
    rowSteps = fused.last?.steps ?? strides.map { _ in 0 }
    rowLength = fused.last?.extent ?? 1
    outer = fused.dropLast().map(\.extent)
    outerSteps = fused.dropLast().map(\.steps)
  }

  /// Calls `body` with each operand's offset of the first element of each row.
  func forEachRow(_ body: (_ offsets: [Int]) -> Void) {
    guard !isEmpty else { return }
    var offsets = rowSteps.map { _ in 0 }
    var position = outer.map { _ in 0 }
    while true {
      body(offsets)
      var axis = outer.count - 1
      while axis >= 0 {
        position[axis] += 1
        let steps = outerSteps[axis]
        if position[axis] < outer[axis] {
          for operand in offsets.indices { offsets[operand] += steps[operand] }
          break
        }
        position[axis] = 0
        for operand in offsets.indices { offsets[operand] -= steps[operand] * (outer[axis] - 1) }
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

/// A tensor seen as `outer` blocks of `length` steps along one axis, `inner` elements apart. An
/// empty tensor has no blocks.
struct AxisView: Sendable {
  let outer: Int
  let length: Int
  let inner: Int

  /// - Throws: `RunError` when the axis lies outside `-rank ..< rank`.
  init(_ shape: [Int], _ axis: Int, attribute: String = "axis") throws(RunError) {
    self.init(shape, at: try checkedAxis(axis, rank: shape.count, attribute: attribute))
  }

  /// - Parameter axis: 0 ..< rank.
  init(_ shape: [Int], at axis: Int) {
    length = shape[axis]
    let isEmpty = Checked.product(shape) ?? 0 == 0
    outer = isEmpty ? 0 : shape[..<axis].reduce(1, *)
    inner = isEmpty ? 0 : shape[(axis + 1)...].reduce(1, *)
  }

  /// Calls `body` with the offset of the first element of each line along the axis.
  func forEachLine(_ body: (_ start: Int) -> Void) {
    for block in 0..<outer {
      for line in 0..<inner { body(block * length * inner + line) }
    }
  }
}

/// `InferenceSite.axis` for evaluation.
func checkedAxis(
  _ axis: Int, rank: Int, attribute: String = "axis"
) throws(RunError) -> Int {
  do { return try InferenceSite.axis(axis, rank: rank, attribute: attribute) } catch {
    throw RunError(error)
  }
}
