import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  private static func reshape<O: Operator>(_ type: O.Type) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in
      try site.finish(0, try site.reshape(try site.form(0), try site.outputType(0).shape))
    }
  }

  /// Other extents or another order of the same elements: no work, where the layout allows it.
  static let shapeChanges: [Lowering] = [
    reshape(Reshape.self), reshape(Flatten.self), reshape(Squeeze.self), reshape(Unsqueeze.self),
    Lowering(Identity.self) { (_, site) throws(CompileProblem) in
      try site.finish(0, try site.form(0))
    },
    Lowering(Transpose.self) { (op, site) throws(CompileProblem) in
      let x = try site.form(0)
      let rank = x.shape.count
      let permutation = op.perm ?? Array((0..<rank).reversed())
      guard permutation.sorted() == Array(0..<rank) else {
        throw CompileProblem(.invalid("perm \(permutation)"))
      }
      try site.finish(0, x.permuted(permutation))
    },
  ]
}

extension Lowered {
  /// The same memory with its axes named in another order.
  func permuted(_ permutation: [Int]) -> Lowered {
    var result = self
    result.shape = permutation.map { shape[$0] }
    result.order = order.compactMap { permutation.firstIndex(of: $0) }
    return result
  }
}

extension LoweringSite {
  /// The same elements under other extents.
  func reshape(_ x: Lowered, _ shape: [Int]) throws(CompileProblem) -> Lowered {
    guard Checked.product(shape) == Checked.product(x.shape) else {
      throw CompileProblem(.invalid("\(x.shape) as \(shape)"))
    }
    guard builder.runs(.aliasReshape) else {
      return reshaped(try move(x, order: Order.rowMajor(x.shape.count)), shape)
    }
    builder.count(.aliasReshape)
    if x.isRowMajor { return reshaped(x, shape) }
    let old = x.shape.indices.filter { x.shape[$0] != 1 }
    let new = shape.indices.filter { shape[$0] != 1 }
    if old.map({ x.shape[$0] }) == new.map({ shape[$0] }) {
      // Only axes of extent 1 come or go.
      var order = shape.indices.filter { shape[$0] == 1 }
      for axis in x.order { if let at = old.firstIndex(of: axis) { order.append(new[at]) } }
      var result = Lowered(
        tensor: 0, element: x.element, shape: shape, order: order, isQ8: x.isQ8)
      result.tensor = builder.alias(x.tensor, result.dims)
      return result
    }
    return reshaped(try move(x, order: Order.rowMajor(x.shape.count)), shape)
  }
}
