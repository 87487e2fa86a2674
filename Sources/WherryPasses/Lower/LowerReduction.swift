import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

/// A value seen as [outer, count, inner] with some of its axes in the middle.
struct AxisView {
  var value: Lowered
  var outer: Int
  var count: Int
  var inner: Int
}

extension LoweringSite {
  /// `value` with `axes` next to each other in memory, moved if they are not.
  func gather(_ value: Lowered, axes: [Int]) throws(CompileProblem) -> AxisView {
    let chosen = Set(axes)
    func view(_ value: Lowered) -> AxisView? {
      let places = value.order.indices.filter {
        chosen.contains(value.order[$0]) && value.shape[value.order[$0]] != 1
      }
      let dims = value.dims
      guard let first = places.first, let last = places.last else {
        // Nothing to gather: axes of extent 1.
        return AxisView(value: value, outer: dims.reduce(1, *), count: 1, inner: 1)
      }
      let between = value.order[first...last].filter {
        !chosen.contains($0) && value.shape[$0] != 1
      }
      guard between.isEmpty else { return nil }
      return AxisView(
        value: value, outer: dims[..<first].reduce(1, *), count: dims[first...last].reduce(1, *),
        inner: dims[(last + 1)...].reduce(1, *))
    }
    if let found = view(value) { return found }
    let kept = value.order.filter { !chosen.contains($0) }
    let moved = try move(value, order: kept + axes.sorted())
    guard let found = view(moved) else { throw CompileProblem(.invalid("axes \(axes)")) }
    return found
  }

  /// The result of taking `axes` out of `value`'s shape, or leaving them with extent 1.
  func makeReduced(
    _ value: Lowered, axes: [Int], keepAxes: Bool, element: ElementType
  ) throws(CompileProblem) -> Lowered {
    let chosen = Set(axes)
    if keepAxes {
      let shape = value.shape.enumerated().map { chosen.contains($0.offset) ? 1 : $0.element }
      return try make(element, shape, order: value.order)
    }
    let kept = value.shape.indices.filter { !chosen.contains($0) }
    let order = value.order.filter { !chosen.contains($0) }.compactMap { kept.firstIndex(of: $0) }
    return try make(element, kept.map { value.shape[$0] }, order: order)
  }

  func reduce(
    _ kind: Int, _ value: Lowered, axes: [Int], keepAxes: Bool
  ) throws(CompileProblem) -> Lowered {
    let view = try gather(value, axes: axes)
    let result = try makeReduced(view.value, axes: axes, keepAxes: keepAxes, element: value.element)
    var reduce = wh_reduce()
    reduce.kind = Int32(small: kind)
    reduce.element = value.element.rawValue
    (reduce.outer, reduce.count) = (Int32(small: view.outer), Int32(small: view.count))
    reduce.inner = Int32(small: view.inner)
    emit(.reduce(reduce), [view.value.tensor], [result.tensor])
    return result
  }
}
