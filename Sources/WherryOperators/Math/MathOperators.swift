import WherryGraph

extension OperatorSet {
  /// Arithmetic, comparison, logic, reduction, linear algebra, activations, signal processing.
  static let mathOperators: [any Operator.Type] = [
    Gemm.self
  ]
}
