import WherryBytes
import WherryGraph

/// Which axes of a tensor are reduced, and how its elements fall into groups.
struct ReductionPlan: Sendable {
  /// The result's shape, with reduced axes left out or of extent 1.
  let shape: [Int]
  /// How many groups, and elements of each.
  let groups: Int
  let groupSize: Int
  private let walk: RowWalk

  /// - Parameter axes: each 0 ..< rank.
  /// - Throws: `RunError.limit` when an empty tensor would have too many groups.
  init(_ input: [Int], axes: Set<Int>, keepsAxes: Bool) throws(RunError) {
    let kept = input.enumerated().map { axes.contains($0.offset) ? 1 : $0.element }
    shape =
      keepsAxes ? kept : input.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
    groups = try checkedCount(kept)
    groupSize = Checked.product(axes.map { input[$0] }) ?? 0
    let steps = rowMajorStrides(kept)
    walk = RowWalk(
      input, [rowMajorStrides(input), input.indices.map { axes.contains($0) ? 0 : steps[$0] }])
  }

  /// Folds every group with `combine`, starting from `start`.
  func fold<T>(_ values: [T], from start: T, _ combine: (T, T) -> T) -> [T] {
    var totals = [T](repeating: start, count: groups)
    let (length, stepIn, stepOut) = (walk.rowLength, walk.rowSteps[0], walk.rowSteps[1])
    values.withUnsafeBufferPointer { values in
      totals.withUnsafeMutableBufferPointer { totals in
        walk.forEachRow { offsets in
          let (from, to) = (offsets[0], offsets[1])
          if stepOut == 0 {
            var total = totals[to]
            for index in 0..<length { total = combine(total, values[from + index * stepIn]) }
            totals[to] = total
          } else {
            for index in 0..<length {
              let place = to + index * stepOut
              totals[place] = combine(totals[place], values[from + index * stepIn])
            }
          }
        }
      }
    }
    return totals
  }

  /// Puts each group's value in the place of each of its elements.
  func spread<T>(_ totals: [T], over values: [T], _ body: (T, T) -> T) -> [T] {
    var result = values
    result.withUnsafeMutableBufferPointer { result in
      walk.forEachRow { offsets in
        for index in 0..<walk.rowLength {
          let place = offsets[0] + index * walk.rowSteps[0]
          result[place] = body(result[place], totals[offsets[1] + index * walk.rowSteps[1]])
        }
      }
    }
    return result
  }

  /// The reduced axes; nil when they are an input whose contents aren't known.
  static func axes(_ site: InferenceSite, rank: Int, skipsEmpty: Bool) throws(TypeError) -> Set<
    Int
  >? {
    guard site.has(1) else { return skipsEmpty ? [] : Set(0..<rank) }
    guard let given = site.integers(1) else { return nil }
    return try resolve(given, rank: rank, skipsEmpty: skipsEmpty)
  }

  static func resolve(_ given: [Int], rank: Int, skipsEmpty: Bool) throws(TypeError) -> Set<Int> {
    if given.isEmpty { return skipsEmpty ? [] : Set(0..<rank) }
    var axes: Set<Int> = []
    for axis in given { axes.insert(try InferenceSite.axis(axis, rank: rank, attribute: "axes")) }
    return axes
  }

  /// The result's shape, as far as the axes are known.
  static func shape(_ input: Shape, axes: Set<Int>?, count: Int?, keepsAxes: Bool) -> Shape? {
    guard let axes else {
      if keepsAxes { return Shape(input.dimensions.map { $0 == 1 ? 1 : .unknown }) }
      return count.map { Shape(Array(repeating: .unknown, count: max(input.rank - $0, 0))) }
    }
    if keepsAxes {
      return Shape(input.dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
    }
    return Shape(
      input.dimensions.enumerated().filter { !axes.contains($0.offset) }.map(\.element))
  }
}
