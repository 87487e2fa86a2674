import WherryGraph

/// How one operator of the graph becomes operations of a plan.
struct Lowering: Sendable {
  let name: OperatorName
  private let body: @Sendable (any Operator, LoweringSite) throws(CompileProblem) -> Void

  init<O: Operator>(
    _ type: O.Type, _ body: @escaping @Sendable (O, LoweringSite) throws(CompileProblem) -> Void
  ) {
    name = O.signature.name
    self.body = { (operation, site) throws(CompileProblem) in
      guard let operation = operation as? O else {
        throw CompileProblem(.unsupportedOperator(operation.name))
      }
      try body(operation, site)
    }
  }

  func apply(_ operation: any Operator, _ site: LoweringSite) throws(CompileProblem) {
    try body(operation, site)
  }

  /// Every operator that can be lowered, by name.
  static let table: [OperatorName: Lowering] = Dictionary(
    families.flatMap { $0 }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}

/// The operators of the graph that the runtime can execute, in the forms their lowerings accept.
public enum RuntimeOperators {
  public static let names: Set<OperatorName> = Set(Lowering.table.keys)
}
