import WherryBytes
import WherryGraph
import WherryOperators

/// What an operator is in layers of Keras.
struct NodeExpression: Sendable {
  typealias Express = @Sendable (NodeSite) throws(EncodeError) -> [Strand?]

  private let name: OperatorName
  private let express: Express

  init<O: Operator>(
    _ type: O.Type, _ express: @escaping @Sendable (O, NodeSite) throws(EncodeError) -> Strand
  ) {
    self.init(several: type) { (operation, site) throws(EncodeError) in
      [try express(operation, site)]
    }
  }

  init<O: Operator>(
    several type: O.Type,
    _ express: @escaping @Sendable (O, NodeSite) throws(EncodeError) -> [Strand?]
  ) {
    name = O.signature.name
    self.express = { (site) throws(EncodeError) in
      guard let operation = site.node.operation as? O else {
        throw site.refusal("\(site.node.operation.name)")
      }
      return try express(operation, site)
    }
  }

  private static let byName: [OperatorName: Express] = Dictionary(
    (elementwise + activations + products + convolutions + poolings + normalizations + movements
      + reductions + recurrences + operations)
      .map { ($0.name, $0.express) }, uniquingKeysWith: { a, _ in a })

  static func of(_ operation: any Operator) -> Express? { byName[operation.name] }
}
