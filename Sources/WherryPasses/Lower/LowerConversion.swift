import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  private static func casting<O: Operator>(_ type: O.Type) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in
      let x = try site.value(0)
      try site.finish(0, try site.cast(x, to: try site.outputType(0).element))
    }
  }

  private static func cumulation<O: Cumulation>(_ type: O.Type, _ kind: Int32) -> Lowering {
    Lowering(type) { (op, site) throws(CompileProblem) in
      guard let number = try site.integers(1)?.first else {
        throw CompileProblem(.notConstant(input: 1))
      }
      let x = try site.value(0)
      let axis = try site.axis(number, rank: x.shape.count)
      let view = site.along(x, axis)
      let result = try site.make(x.element, x.shape, order: x.order)
      var scan = wh_scan()
      (scan.kind, scan.element) = (kind, x.element.rawValue)
      (scan.outer, scan.count) = (Int32(small: view.outer), Int32(small: view.count))
      scan.inner = Int32(small: view.inner)
      (scan.exclusive, scan.reverse) = (op.isExclusive ? 1 : 0, op.isReverse ? 1 : 0)
      site.emit(.scan(scan), [x.tensor], [result.tensor])
      try site.finish(0, result)
    }
  }

  private static func extreme<O: ArgExtreme>(_ type: O.Type, isMinimum: Bool) -> Lowering {
    Lowering(type) { (op, site) throws(CompileProblem) in
      let x = try site.value(0)
      let axis = try site.axis(op.axis, rank: x.shape.count)
      let view = site.along(x, axis)
      let result = try site.makeReduced(
        x, axes: [axis], keepAxes: op.keepsAxis, element: .int64)
      var reduce = wh_arg_reduce()
      (reduce.minimum, reduce.element) = (isMinimum ? 1 : 0, x.element.rawValue)
      (reduce.outer, reduce.count) = (Int32(small: view.outer), Int32(small: view.count))
      (reduce.inner, reduce.last) = (Int32(small: view.inner), op.takesLast ? 1 : 0)
      site.emit(.argReduce(reduce), [x.tensor], [result.tensor])
      try site.finish(0, result)
    }
  }

  /// Changes of element type, quantization, and walks along one axis.
  static let conversions: [Lowering] = [
    casting(Cast.self), casting(CastLike.self),
    cumulation(CumSum.self, 0), cumulation(CumProd.self, 1),
    extreme(ArgMax.self, isMinimum: false), extreme(ArgMin.self, isMinimum: true),
    Lowering(Dropout.self) { (_, site) throws(CompileProblem) in
      if site.has(2), site.constant(2)?.booleans.first != false {
        throw CompileProblem(.unsupported("Dropout in training"))
      }
      try site.finish(0, try site.value(0))
      if site.wants(1) {
        let mask = try site.makeOutput(1)
        site.fill(mask, 1)
        try site.finish(1, mask)
      }
    },
    Lowering(TopK.self) { (op, site) throws(CompileProblem) in
      let x = try site.value(0)
      let axis = try site.axis(op.axis, rank: x.shape.count)
      let view = site.along(x, axis)
      let shape = try site.outputType(site.wants(0) ? 0 : 1).shape
      let values = try site.make(x.element, shape, order: x.order)
      let indices = site.wants(1) ? try site.make(.int64, shape, order: x.order) : nil
      var top = wh_top_k()
      (top.element, top.outer) = (x.element.rawValue, Int32(small: view.outer))
      (top.count, top.inner) = (Int32(small: view.count), Int32(small: view.inner))
      (top.k, top.largest) = (Int32(small: shape[axis]), op.largest ? 1 : 0)
      let scratch = try site.builder.tensor(.uint8, [ArenaPlanner.aligned(view.count * 4)])
      site.emit(
        .topK(top), [x.tensor], [values.tensor, indices?.tensor], scratch: scratch)
      try site.finish(0, values)
      if let indices { try site.finish(1, indices) }
    },
  ]
}

extension LoweringSite {
  /// `x` seen along one axis, wherever it stands in memory.
  func along(_ x: Lowered, _ axis: Int) -> AxisView {
    let at = x.order.firstIndex(of: axis) ?? 0
    let dims = x.dims
    return AxisView(
      value: x, outer: dims.prefix(at).reduce(1, *), count: x.shape[axis],
      inner: dims.dropFirst(at + 1).reduce(1, *))
  }
}
