import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// An operator that is one kind of the unary kernel without parameters.
  private static func plain<O: Operator>(_ type: O.Type, _ kind: Int) -> Lowering {
    Lowering(type) { (_, site) throws(CompileProblem) in try site.finishUnary(kind) }
  }

  /// Functions of one number.
  static let unaryFunctions: [Lowering] = [
    plain(Abs.self, WH_ABS), plain(Neg.self, WH_NEG), plain(Sign.self, WH_SIGN),
    plain(Ceil.self, WH_CEIL), plain(Floor.self, WH_FLOOR), plain(Round.self, WH_ROUND),
    plain(Sqrt.self, WH_SQRT), plain(Reciprocal.self, WH_RECIPROCAL), plain(Exp.self, WH_EXP),
    plain(Log.self, WH_LOG), plain(Sin.self, WH_SIN), plain(Cos.self, WH_COS),
    plain(Tan.self, WH_TAN), plain(Asin.self, WH_ASIN), plain(Acos.self, WH_ACOS),
    plain(Atan.self, WH_ATAN), plain(Sinh.self, WH_SINH), plain(Cosh.self, WH_COSH),
    plain(Tanh.self, WH_TANH), plain(Asinh.self, WH_ASINH), plain(Acosh.self, WH_ACOSH),
    plain(Atanh.self, WH_ATANH), plain(Erf.self, WH_ERF), plain(Sigmoid.self, WH_SIGMOID),
    plain(Softplus.self, WH_SOFTPLUS), plain(Softsign.self, WH_SOFTSIGN),
    plain(HardSwish.self, WH_HARD_SWISH), plain(Mish.self, WH_MISH), plain(Not.self, WH_NOT),
    plain(BitwiseNot.self, WH_BIT_NOT),
    Lowering(LeakyRelu.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_LEAKY_RELU, alpha: op.alpha)
    },
    Lowering(Elu.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_ELU, alpha: op.alpha)
    },
    Lowering(Celu.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_CELU, alpha: op.alpha)
    },
    Lowering(Selu.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_SELU, alpha: op.alpha, gamma: op.gamma)
    },
    Lowering(HardSigmoid.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_HARD_SIGMOID, alpha: op.alpha, beta: op.beta)
    },
    Lowering(ThresholdedRelu.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_THRESHOLDED_RELU, alpha: op.alpha)
    },
    Lowering(Swish.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_SWISH, alpha: op.alpha)
    },
    Lowering(Shrink.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(WH_SHRINK, alpha: op.threshold, beta: op.bias)
    },
    Lowering(Gelu.self) { (op, site) throws(CompileProblem) in
      try site.finishUnary(op.approximation == .tanh ? WH_GELU_TANH : WH_GELU)
    },
    Lowering(IsNaN.self) { (_, site) throws(CompileProblem) in
      try site.finish(0, try site.unary(WH_IS_NAN, try site.real(0), gives: .bool))
    },
    Lowering(IsInf.self) { (op, site) throws(CompileProblem) in
      let x = try site.real(0)
      let (negative, positive): (Float, Float) = (
        op.detectsNegative ? 1 : 0, op.detectsPositive ? 1 : 0
      )
      try site.finish(
        0, try site.unary(WH_IS_INF, x, alpha: negative, beta: positive, gives: .bool))
    },
    Lowering(Relu.self) { (_, site) throws(CompileProblem) in
      let x = try site.value(0)
      if x.element == .float32 {
        try site.finish(0, try site.unary(WH_CLIP, x, alpha: 0, beta: .infinity))
      } else {
        try site.finish(0, try site.bounded(WH_MAX, x, 0))
      }
    },
    Lowering(Clip.self) { (_, site) throws(CompileProblem) in try site.lowerClip() },
  ]
}

extension LoweringSite {
  /// An input of an element type that the unary kernel computes with in full.
  fileprivate func real(_ index: Int) throws(CompileProblem) -> Lowered {
    let x = try value(index)
    guard x.element == .float32 || x.element == .float64 else {
      throw CompileProblem(.unsupportedElement(x.element))
    }
    return x
  }

  fileprivate func finishUnary(
    _ kind: Int, alpha: Float = 0, beta: Float = 0, gamma: Float = 0
  ) throws(CompileProblem) {
    let isIntegerKind = [WH_ABS, WH_NEG, WH_SIGN, WH_NOT, WH_BIT_NOT].contains(kind)
    let x = isIntegerKind ? try value(0) : try real(0)
    if x.element == .float16 { throw CompileProblem(.unsupportedElement(.float16)) }
    try finish(0, try unary(kind, x, alpha: alpha, beta: beta, gamma: gamma))
  }

  /// x and one number, together.
  fileprivate func bounded(
    _ kind: Int, _ x: Lowered, _ number: Int64
  ) throws(CompileProblem) -> Lowered {
    let scalar =
      x.element.isInteger
      ? Tensor(x.element, [], integers: [number])
      : Tensor(x.element, [], doubles: [Double(number)])
    guard let scalar, x.element != .float16 else {
      throw CompileProblem(.unsupportedElement(x.element))
    }
    return try binary(kind, x, try weight(scalar), shape: x.shape)
  }

  fileprivate func lowerClip() throws(CompileProblem) {
    let own = try form(0)
    if own.isQ8, areConstant(1, 2),
      (1...2).allSatisfy({ constant($0) == nil || constant($0)?.element == own.element })
    {
      let range = own.element.integerRange
      return try lowerClamp8(
        constant(1)?.integers.first ?? range.lowerBound,
        constant(2)?.integers.first ?? range.upperBound)
    }
    let x = try value(0)
    if x.element == .float16 { throw CompileProblem(.unsupportedElement(.float16)) }
    let bounds = (1...2).map { constant($0)?.doubles.first }
    let isFixed = (1...2).allSatisfy { !has($0) || bounds[$0 - 1] != nil }
    if x.element == .float32, isFixed {
      let low = bounds[0].map { Float($0) } ?? -.infinity
      let high = bounds[1].map { Float($0) } ?? .infinity
      return try finish(0, try unary(WH_CLIP, x, alpha: low, beta: high))
    }
    var y = x
    for (index, kind) in [(1, WH_MAX), (2, WH_MIN)] where has(index) {
      y = try binary(kind, y, try value(index), shape: x.shape)
    }
    try finish(0, y)
  }
}
