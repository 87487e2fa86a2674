import Testing
import WherryBytes
import WherryGraph
import WherryOperators

/// One operator applied to tensors, without a graph around it.
enum TensorOperatorCalls {
  static func run(
    _ operation: any Operator, _ inputs: [Tensor?], outputs: Int = 1,
    limits: EvaluationLimits = .standard
  ) throws -> [Tensor] {
    let call = OperatorCall(
      inputs: inputs.map { $0.map { .tensor($0) } }, wanted: Array(repeating: true, count: outputs),
      limits: limits,
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    return try operation.evaluate(call).compactMap { $0?.tensor }
  }

  /// The reason why an operator refuses its inputs; nil when it doesn't.
  static func refusal(_ operation: any Operator, _ inputs: [Tensor?], outputs: Int = 1) -> RunError
    .Reason?
  {
    do {
      _ = try run(operation, inputs, outputs: outputs)
      return nil
    } catch let error as RunError {
      return error.reason
    } catch {
      return nil
    }
  }

  /// The output types inferred from the inputs' types and, where given, contents.
  static func infer(
    _ operation: any Operator, _ inputs: [(type: ValueType?, content: Tensor?)], outputs: Int = 1
  ) throws -> [ValueType?] {
    var site = InferenceSite(
      inputs: inputs.map(\.type), isPresent: inputs.map { $0.type != nil },
      contents: inputs.map(\.content), outputCount: outputs,
      inferGraph: { (_, _) throws(TypeError) in [] })
    try operation.infer(&site)
    return site.outputs
  }

  static func integers(_ values: [Int64], _ shape: [Int]? = nil, _ element: ElementType = .int64)
    -> Tensor?
  {
    Tensor(element, shape ?? [values.count], integers: values)
  }

  static func strings(_ values: [String], _ shape: [Int]? = nil) -> Tensor? {
    Tensor(shape ?? [values.count], strings: values.map { Bytes($0.utf8) })
  }
}

extension Operator {
  /// The operator with one attribute changed.
  func with<V>(_ path: WritableKeyPath<Self, V>, _ value: V) -> Self {
    var result = self
    result[keyPath: path] = value
    return result
  }
}
