import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  private static func plain<O: Operator>(_ type: O.Type, _ kind: Int) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in
      try site.finish(0, try site.binary(kind, try site.value(0), try site.value(1)))
    }
  }

  private static func comparison<O: Operator>(_ type: O.Type, _ kind: Int) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in
      let (a, b) = (try site.value(0), try site.value(1))
      try site.finish(0, try site.binary(kind, a, b, gives: .bool))
    }
  }

  private static func variadic<O: Operator>(_ type: O.Type, _ kind: Int) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in
      try site.finish(0, try site.chain(kind))
    }
  }

  /// Functions of two or more broadcast tensors.
  static let binaryFunctions: [Lowering] = [
    plain(Add.self, WH_ADD), plain(Sub.self, WH_SUB), plain(Mul.self, WH_MUL),
    plain(Div.self, WH_DIV), plain(PRelu.self, WH_PRELU), plain(And.self, WH_AND),
    plain(Or.self, WH_OR), plain(Xor.self, WH_XOR), plain(BitwiseAnd.self, WH_BIT_AND),
    plain(BitwiseOr.self, WH_BIT_OR), plain(BitwiseXor.self, WH_BIT_XOR),
    comparison(Equal.self, WH_EQUAL), comparison(Less.self, WH_LESS),
    comparison(LessOrEqual.self, WH_LESS_EQUAL), comparison(Greater.self, WH_GREATER),
    comparison(GreaterOrEqual.self, WH_GREATER_EQUAL),
    variadic(Sum.self, WH_ADD), variadic(Max.self, WH_MAX), variadic(Min.self, WH_MIN),
    Lowering(Mean.self) { (_, site) throws(CompileProblem) in
      let sum = try site.chain(WH_ADD)
      guard sum.element == .float32 else { throw CompileProblem(.unsupportedElement(sum.element)) }
      let count = try site.weight([Float(site.inputCount)], [])
      try site.finish(0, try site.binary(WH_DIV, sum, count, shape: sum.shape))
    },
    Lowering(Mod.self) { (op, site) throws(CompileProblem) in
      let kind = op.usesTruncation ? WH_FMOD : WH_MOD
      try site.finish(0, try site.binary(kind, try site.value(0), try site.value(1)))
    },
    Lowering(BitShift.self) { (op, site) throws(CompileProblem) in
      let kind = op.direction == .left ? WH_SHIFT_LEFT : WH_SHIFT_RIGHT
      try site.finish(0, try site.binary(kind, try site.value(0), try site.value(1)))
    },
    Lowering(Pow.self) { (_, site) throws(CompileProblem) in try site.lowerPow() },
    Lowering(Where.self) { (_, site) throws(CompileProblem) in
      let shape = try site.outputType(0).shape
      let (condition, a, b) = (try site.value(0), try site.value(1), try site.value(2))
      try site.finish(0, try site.select(condition, a, b, shape: shape))
    },
  ]
}

extension LoweringSite {
  /// f(a, b) with the shape of the node's first output.
  func binary(
    _ kind: Int, _ a: Lowered, _ b: Lowered, gives element: ElementType? = nil
  ) throws(CompileProblem) -> Lowered {
    for operand in [a, b] where operand.element == .float16 {
      throw CompileProblem(.unsupportedElement(.float16))
    }
    return try binary(kind, a, b, shape: try outputType(0).shape, gives: element)
  }

  /// Every input folded from the left.
  fileprivate func chain(_ kind: Int) throws(CompileProblem) -> Lowered {
    var result = try value(0)
    for index in 1..<max(inputCount, 1) {
      let next = try value(index)
      guard let shape = Shape.broadcast(Shape(fixed: result.shape), Shape(fixed: next.shape)),
        let extents = shape.extents
      else { throw CompileProblem(.invalid("\(result.shape) and \(next.shape)")) }
      result = try binary(kind, result, next, shape: extents)
    }
    return result
  }

  fileprivate func lowerPow() throws(CompileProblem) {
    var (x, y) = (try value(0), try value(1))
    let element = x.element
    if let exponent = constant(1), exponent.count == 1, exponent.doubles == [2], element == .float32
    {
      return try finish(0, try binary(WH_MUL, x, x))
    }
    if x.element != y.element {
      // The wider arithmetic of the two, then back.
      let wide: ElementType =
        x.element == .float32 && y.element != .float64
        ? .float32
        : x.element.isInteger && y.element.isInteger ? .int64 : .float64
      (x, y) = (try cast(x, to: wide), try cast(y, to: wide))
    }
    try finish(0, try cast(try binary(WH_POW, x, y), to: element))
  }
}
