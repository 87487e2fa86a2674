import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Operators that no layer says, but a function of `keras.ops` between layers does. Only Keras 3 reads
/// those.
extension NodeExpression {
  static let operations: [NodeExpression] = [
    applied(Sqrt.self, "Sqrt", isNonNegative: true), applied(Log.self, "Log"),
    applied(Reciprocal.self, "Reciprocal"), applied(Sin.self, "Sin"), applied(Cos.self, "Cos"),
    applied(Floor.self, "Floor"), applied(Ceil.self, "Ceil"), applied(Round.self, "Round"),
    applied(Sign.self, "Sign"), applied(Tan.self, "Tan"), applied(Asin.self, "Arcsin"),
    applied(Acos.self, "Arccos"), applied(Atan.self, "Arctan"), applied(Sinh.self, "Sinh"),
    applied(Cosh.self, "Cosh", isNonNegative: true), applied(Asinh.self, "Arcsinh"),
    applied(Acosh.self, "Arccosh", isNonNegative: true), applied(Atanh.self, "Arctanh"),
    applied(IsNaN.self, "Isnan", element: .bool),
    NodeExpression(Erf.self) { (_, site) throws(EncodeError) in
      try site.applied("Erf", [try site.numbers()])
    },
    compared(Equal.self, "Equal"), compared(Greater.self, "Greater"),
    compared(GreaterOrEqual.self, "GreaterEqual"), compared(Less.self, "Less"),
    compared(LessOrEqual.self, "LessEqual"),
    joined(And.self, "LogicalAnd"), joined(Or.self, "LogicalOr"), joined(Not.self, "LogicalNot"),
    NodeExpression(ReduceL2.self) { (operation, site) throws(EncodeError) in
      var square = ReduceSumSquare()
      square.keepsAxes = operation.keepsAxes
      square.skipsEmptyAxes = operation.skipsEmptyAxes
      return try site.applied("Sqrt", [try site.expressed(square)])
    },
    NodeExpression(ReduceLogSum.self) { (operation, site) throws(EncodeError) in
      var sum = ReduceSum()
      (sum.keepsAxes, sum.skipsEmptyAxes) = (operation.keepsAxes, operation.skipsEmptyAxes)
      return try site.applied("Log", [try site.expressed(sum)])
    },
  ]

  private static func applied<O: Operator>(
    _ type: O.Type, _ className: String, isNonNegative: Bool = false,
    element: ElementType? = nil
  ) -> NodeExpression {
    NodeExpression(type) { (_, site) throws(EncodeError) in
      var result = try site.applied(className, [try site.numbers()], element: element)
      result.isNonNegative = isNonNegative
      return result
    }
  }

  private static func compared<O: Operator>(
    _ type: O.Type, _ className: String
  ) -> NodeExpression {
    NodeExpression(type) { (_, site) throws(EncodeError) in
      try site.applied(className, try site.pair(), element: .bool)
    }
  }

  private static func joined<O: Operator>(_ type: O.Type, _ className: String) -> NodeExpression {
    NodeExpression(type) { (_, site) throws(EncodeError) in
      var flags: [Strand] = []
      for index in site.node.inputs.indices { flags.append(try site.strand(index)) }
      return try site.applied(className, flags, element: .bool)
    }
  }
}

extension NodeSite {
  /// Two floating-point inputs, of which one may be a constant.
  func pair(at first: Int = 0, rank: Int = 0) throws(EncodeError) -> [Strand] {
    let rank = max(
      rank, constant(first) == nil ? try numbers(first).rank : 0,
      constant(first + 1) == nil ? try numbers(first + 1).rank : 0)
    return [
      try numbersOrConstant(first, rank: rank), try numbersOrConstant(first + 1, rank: rank),
    ]
  }

  /// A function of tensors whose axes stand alike.
  ///
  /// - Throws: `EncodeError.inexpressible` where the file is for both generations.
  func applied(
    _ className: String, _ strands: [Strand],
    element: ElementType? = nil
  ) throws(EncodeError) -> Strand {
    guard composer.allowsOperations else { throw refusal("\(node.operation.name)") }
    var result = try merged(strands, className)
    composer.sheet.change(result.origin.layer) { layer in
      layer.module = OperationBinding.module(of: className)
    }
    if let element { result.element = element }
    return result
  }

  /// What this node would be with another operator.
  fileprivate func expressed(_ operation: any Operator) throws(EncodeError) -> Strand {
    var other = node
    other.operation = operation
    let site = NodeSite(node: other, place: place, composer: composer)
    guard let strand = try NodeExpression.of(operation)?(site).first ?? nil else {
      throw refusal("\(node.operation.name)")
    }
    return strand
  }
}
