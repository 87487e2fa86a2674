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

extension Lowering {
  private static func reduction<O: Reduction>(_ type: O.Type, _ kind: Int) -> Lowering {
    Lowering(type) { (op, site) throws(CompileProblem) in
      let x = try site.value(0)
      let rank = x.shape.count
      var axes: [Int] = []
      for axis in try site.integers(1) ?? [] { axes.append(try site.axis(axis, rank: rank)) }
      if axes.isEmpty, op.skipsEmptyAxes { return try site.finish(0, x) }
      if axes.isEmpty { axes = Array(0..<rank) }
      let result = try site.reduce(kind, x, axes: axes, keepAxes: op.keepsAxes)
      try site.finish(0, result)
    }
  }

  private static func softmax<O: LineOperator>(_ type: O.Type, _ kind: Int32) -> Lowering {
    Lowering(type) { (op, site) throws(CompileProblem) in
      try site.require(.float32, 0)
      let x = try site.value(0)
      guard !x.shape.isEmpty else { throw CompileProblem(.unsupported("softmax of a scalar")) }
      let view = try site.gather(x, axes: [try site.axis(op.axis, rank: x.shape.count)])
      let result = try site.make(.float32, x.shape, order: view.value.order)
      var softmax = wh_softmax()
      (softmax.kind, softmax.outer) = (kind, Int32(small: view.outer))
      (softmax.count, softmax.inner) = (Int32(small: view.count), Int32(small: view.inner))
      site.emit(.softmax(softmax), [view.value.tensor], [result.tensor])
      try site.finish(0, result)
    }
  }

  /// Reductions over axes, and softmax along one.
  static let reductionFamilies: [Lowering] = [
    reduction(ReduceSum.self, WH_REDUCE_SUM), reduction(ReduceMean.self, WH_REDUCE_MEAN),
    reduction(ReduceMax.self, WH_REDUCE_MAX), reduction(ReduceMin.self, WH_REDUCE_MIN),
    reduction(ReduceProd.self, WH_REDUCE_PROD), reduction(ReduceL1.self, WH_REDUCE_L1),
    reduction(ReduceL2.self, WH_REDUCE_L2), reduction(ReduceLogSum.self, WH_REDUCE_LOG_SUM),
    reduction(ReduceLogSumExp.self, WH_REDUCE_LOG_SUM_EXP),
    reduction(ReduceSumSquare.self, WH_REDUCE_SUM_SQUARE),
    softmax(Softmax.self, 0), softmax(LogSoftmax.self, 1), softmax(Hardmax.self, 2),
  ]
}
