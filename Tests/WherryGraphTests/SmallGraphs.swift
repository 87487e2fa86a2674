import WherryBytes
import WherryGraph
import WherryOperators

/// Shorthand for the graphs of these tests.
enum SmallGraphs {
  static func number(_ value: Int64) -> Tensor {
    Tensor(vector: [Int(value)]).reshaped([]) ?? Tensor(vector: [])
  }

  static func flag(_ value: Bool) -> Tensor {
    Tensor([], booleans: [value]) ?? Tensor(vector: [])
  }

  static func vector(_ values: Int...) -> Tensor { Tensor(vector: values) }

  static func node(_ operation: any Operator, _ inputs: [String?], _ outputs: String?...) -> Node {
    Node(operation, inputs: inputs, outputs: outputs)
  }

  static func info(_ names: String..., type: ValueType = .unspecified) -> [ValueInfo] {
    names.map { ValueInfo($0, type) }
  }

  static func `if`(_ then: Graph, else: Graph) -> If {
    var operation = If()
    (operation.thenBranch, operation.elseBranch) = (then, `else`)
    return operation
  }

  static func loop(_ body: Graph) -> Loop {
    var operation = Loop()
    operation.body = body
    return operation
  }

  /// A call of a function.
  static func call(_ name: String, _ attributes: [NamedAttribute] = []) -> UnknownOperator {
    UnknownOperator(OperatorName(name, domain: "test"), attributes: attributes)
  }

  static func function(
    _ name: String, inputs: [String], outputs: [String], required: [String] = [],
    attributes: [NamedAttribute] = [], _ nodes: [Node]
  ) -> Function {
    Function(
      OperatorName(name, domain: "test"), inputs: inputs, outputs: outputs,
      requiredAttributes: required, attributes: attributes, nodes: nodes)
  }

  /// What evaluation gives for `output`.
  static func run(
    _ model: Model, _ inputs: [String: Tensor] = [:], _ output: String = "y",
    limits: EvaluationLimits = .standard
  ) throws -> Tensor? {
    let evaluator = ReferenceEvaluator(model, limits: limits)
    return try evaluator.run(inputs.mapValues { .tensor($0) })[output]?.tensor
  }
}
