import WherryGraph

extension OperatorSet {
  /// Shape, indexing, movement and type of tensors; sequences, optionals, strings; control flow.
  static let tensorOperators: [any Operator.Type] = []
}
