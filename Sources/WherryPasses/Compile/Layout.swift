import WherryGraph

/// A value of the graph as the plan holds it: dense, its axes in some order.
struct Lowered: Sendable, Hashable {
  /// The builder's tensor.
  var tensor: Int
  var element: ElementType
  /// The extents the graph sees.
  var shape: [Int]
  /// `order[p]` is the axis of `shape` that stands at position `p` in memory.
  var order: [Int]
  /// Whether the bytes are of `WH_Q8`: 8-bit values in the signedness the processor prefers.
  var isQ8 = false

  /// Extents in memory order.
  var dims: [Int] { order.map { shape[$0] } }

  /// Distance of neighbouring elements along each axis of `shape`.
  var strides: [Int] {
    var strides = [Int](repeating: 0, count: shape.count)
    var distance = 1
    for axis in order.reversed() {
      strides[axis] = distance
      distance *= max(shape[axis], 1)
    }
    return strides
  }

  /// Whether memory holds the elements as it would with `other` order; axes of extent 1 don't matter.
  func isLike(_ other: [Int]) -> Bool {
    order.filter { shape[$0] != 1 } == other.filter { shape[$0] != 1 }
  }

  var isRowMajor: Bool { isLike(Array(shape.indices)) }
}

/// Axis orders.
enum Order {
  static func rowMajor(_ rank: Int) -> [Int] { Array(0..<rank) }

  /// Batch, spatial axes, channels.
  static func channelsLast(_ rank: Int) -> [Int] {
    rank < 2 ? rowMajor(rank) : [0] + Array(2..<max(rank, 2)) + [1]
  }
}

/// Loops over several operands at once: extents with each operand's strides, merged where possible.
struct StridedLoop {
  var extents: [Int]
  /// By operand, by axis.
  var strides: [[Int]]

  /// Drops axes of extent 1 and merges neighbours that every operand crosses with one stride.
  init(_ extents: [Int], _ strides: [[Int]]) {
    var kept: [Int] = []
    var steps = [[Int]](repeating: [], count: strides.count)
    for axis in extents.indices where extents[axis] != 1 {
      let merges =
        !kept.isEmpty
        && strides.indices.allSatisfy { operand in
          let outer = steps[operand][kept.count - 1]
          return outer == strides[operand][axis] * extents[axis]
        }
      if merges {
        kept[kept.count - 1] *= extents[axis]
        for operand in strides.indices { steps[operand][kept.count - 1] = strides[operand][axis] }
      } else {
        kept.append(extents[axis])
        for operand in strides.indices { steps[operand].append(strides[operand][axis]) }
      }
    }
    (self.extents, self.strides) = (kept, steps)
  }

  /// Strides of a dense row-major block.
  static func dense(_ extents: [Int]) -> [Int] {
    var strides = [Int](repeating: 0, count: extents.count)
    var distance = 1
    for axis in extents.indices.reversed() {
      strides[axis] = distance
      distance *= max(extents[axis], 1)
    }
    return strides
  }
}

/// C arrays of the plan's structs, filled from the front and zero behind.
enum CArray {
  typealias Eight<T> = (T, T, T, T, T, T, T, T)

  static func int32(_ v: [Int]) -> Eight<Int32> {
    let at = { (i: Int) in i < v.count ? Int32(truncatingIfNeeded: v[i]) : 0 }
    return (at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7))
  }

  static func int64(_ v: [Int]) -> Eight<Int64> {
    let at = { (i: Int) in i < v.count ? Int64(v[i]) : 0 }
    return (at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7))
  }

  static func int32x3(_ v: [Int]) -> (Int32, Int32, Int32) {
    let at = { (i: Int) in i < v.count ? Int32(truncatingIfNeeded: v[i]) : 0 }
    return (at(0), at(1), at(2))
  }

  static func int64x3(_ v: [Int]) -> (Int64, Int64, Int64) {
    let at = { (i: Int) in i < v.count ? Int64(v[i]) : 0 }
    return (at(0), at(1), at(2))
  }
}

extension Int32 {
  /// The low bits; extents are known to fit because every tensor is below 2^31 elements.
  init(small value: Int) { self.init(truncatingIfNeeded: value) }
}
