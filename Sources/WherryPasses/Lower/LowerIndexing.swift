import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Reading and writing by index.
  static let indexing: [Lowering] = [
    Lowering(Gather.self) { (op, site) throws(CompileProblem) in
      let rank = try site.shape(0).count
      let axis = try site.axis(op.axis, rank: rank)
      let indices = try site.rowMajor(1)
      let x = indices.shape.count == 1 ? try site.form(0) : try site.rowMajorForm(0)
      let view = site.along(x, axis)
      let result = try site.make(
        like: x, try site.outputType(0).shape,
        order: indices.shape.count == 1 ? x.order : nil)
      var gather = wh_gather()
      gather.element_size = Int32(small: x.element.width)
      (gather.outer, gather.count) = (Int32(small: view.outer), Int32(small: view.count))
      gather.inner = Int32(small: view.inner)
      gather.indices = Int32(small: indices.shape.reduce(1, *))
      site.emit(.gather(gather), [x.tensor, indices.tensor], [result.tensor])
      try site.finish(0, result)
    },
    Lowering(GatherElements.self) { (op, site) throws(CompileProblem) in
      let (x, indices) = (try site.rowMajor(0), try site.rowMajor(1))
      let elements = try site.elements(x, indices, axis: op.axis, .none)
      let result = try site.makeOutput(0)
      site.emit(.gatherElements(elements), [x.tensor, indices.tensor], [result.tensor])
      try site.finish(0, result)
    },
    Lowering(ScatterElements.self) { (op, site) throws(CompileProblem) in
      let (x, indices) = (try site.rowMajor(0), try site.rowMajor(1))
      let elements = try site.elements(x, indices, axis: op.axis, op.reduction)
      let updates = try site.rowMajor(2)
      let result = try site.makeOutput(0)
      site.emit(
        .scatterElements(elements), [x.tensor, indices.tensor, updates.tensor], [result.tensor])
      try site.finish(0, result)
    },
    Lowering(GatherND.self) { (op, site) throws(CompileProblem) in
      let (x, indices) = (try site.rowMajor(0), try site.rowMajor(1))
      let nd = try site.tuples(x, indices, batchAxes: op.batchDims, .none)
      let result = try site.makeOutput(0)
      site.emit(.gatherND(nd), [x.tensor, indices.tensor], [result.tensor])
      try site.finish(0, result)
    },
    Lowering(ScatterND.self) { (op, site) throws(CompileProblem) in
      let (x, indices, updates) = (
        try site.rowMajor(0), try site.rowMajor(1), try site.rowMajor(2)
      )
      let nd = try site.tuples(x, indices, batchAxes: 0, op.reduction)
      let result = try site.makeOutput(0)
      site.emit(.scatterND(nd), [x.tensor, indices.tensor, updates.tensor], [result.tensor])
      try site.finish(0, result)
    },
    Lowering(OneHot.self) { (op, site) throws(CompileProblem) in try site.lower(op) },
    Lowering(Trilu.self) { (op, site) throws(CompileProblem) in
      let x = try site.rowMajor(0)
      let diagonal = try site.integers(1)?.first ?? 0
      guard x.shape.count >= 2 else { throw CompileProblem(.invalid("Trilu of \(x.shape)")) }
      let (rows, columns) = (x.shape[x.shape.count - 2], x.shape[x.shape.count - 1])
      let shift = min(max(diagonal, -rows - columns), rows + columns)
      var keeps: [Bool] = []
      for row in 0..<rows {
        for column in 0..<columns {
          keeps.append(op.upper ? column - row >= shift : column - row <= shift)
        }
      }
      guard let mask = Tensor([rows, columns], booleans: keeps),
        let zero = Tensor(
          x.element, [], bytes: Bytes([UInt8](repeating: 0, count: x.element.width)))
      else { throw CompileProblem(.invalid("Trilu")) }
      let result = try site.select(
        try site.weight(mask), x, try site.weight(zero), shape: x.shape)
      try site.finish(0, result)
    },
  ]
}

extension LoweringSite {
  fileprivate func elements(
    _ x: Lowered, _ indices: Lowered, axis: Int, _ reduction: ScatterReduction
  ) throws(CompileProblem) -> wh_elements {
    var elements = wh_elements()
    elements.element = x.element.rawValue
    elements.axis = Int32(small: try self.axis(axis, rank: x.shape.count))
    elements.rank = Int32(small: x.shape.count)
    elements.reduction = reduction.code
    elements.x_shape = CArray.int32(x.shape)
    elements.index_shape = CArray.int32(indices.shape)
    return elements
  }

  fileprivate func tuples(
    _ x: Lowered, _ indices: Lowered, batchAxes: Int, _ reduction: ScatterReduction
  ) throws(CompileProblem) -> wh_nd {
    guard let depth = indices.shape.last, batchAxes >= 0, batchAxes < indices.shape.count,
      depth >= 0, batchAxes + depth <= x.shape.count
    else { throw CompileProblem(.invalid("indices \(indices.shape) of \(x.shape)")) }
    var nd = wh_nd()
    nd.element = x.element.rawValue
    nd.batch = Int32(small: x.shape[..<batchAxes].reduce(1, *))
    nd.tuples = Int32(small: indices.shape[batchAxes...].dropLast().reduce(1, *))
    nd.depth = Int32(small: depth)
    nd.inner = Int32(small: x.shape[(batchAxes + depth)...].reduce(1, *))
    nd.reduction = reduction.code
    nd.extents = CArray.int32(Array(x.shape[batchAxes..<batchAxes + depth]))
    return nd
  }

  /// 1 where an index, counted from the end when negative, is the position along the new axis.
  fileprivate func lower(_ op: OneHot) throws(CompileProblem) {
    let shape = try outputType(0).shape
    let axis = try self.axis(op.axis, rank: shape.count)
    let depth = shape[axis]
    var spread = shape
    spread[axis] = 1
    let indices = reshaped(try cast(try rowMajor(0), to: .int64), spread)
    var line = Array(repeating: 1, count: shape.count)
    line[axis] = depth
    var hit: Lowered?
    for first in [0, -depth] {
      let places = (0..<depth).map { Int64($0 + first) }
      guard let table = Tensor(.int64, line, integers: places) else {
        throw CompileProblem(.invalid("OneHot"))
      }
      let found = try binary(
        WH_EQUAL, indices, try weight(table), shape: shape, gives: .bool)
      hit =
        try hit.map { (known) throws(CompileProblem) in
          try binary(WH_OR, known, found, shape: shape)
        } ?? found
    }
    guard let hit else { return }
    let values = try rowMajor(2)
    let (off, on) = (
      try block(2, StridedView(offset: 0, extents: [1], strides: [1]), []),
      try block(2, StridedView(offset: 1, extents: [1], strides: [1]), [])
    )
    guard values.shape == [2] else { throw CompileProblem(.invalid("OneHot's values")) }
    try finish(0, try select(hit, on, off, shape: shape))
  }
}

extension ScatterReduction {
  fileprivate var code: Int32 {
    switch self {
    case .none: 0
    case .add: 1
    case .mul: 2
    case .max: 3
    case .min: 4
    }
  }
}
