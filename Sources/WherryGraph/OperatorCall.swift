/// What an operator sees when it is evaluated: one node and its inputs' values.
public struct OperatorCall: Sendable {
  /// By position; nil when the input is left out.
  public let inputs: [Value?]
  /// Whether each output is asked for.
  public let wanted: [Bool]
  /// What the outputs may take.
  public let limits: EvaluationLimits
  private let runGraph: @Sendable (Graph, [Value]) throws(RunError) -> [Value]

  public init(
    inputs: [Value?], wanted: [Bool], limits: EvaluationLimits = .standard,
    runGraph: @escaping @Sendable (Graph, [Value]) throws(RunError) -> [Value]
  ) {
    (self.inputs, self.wanted, self.limits) = (inputs, wanted, limits)
    self.runGraph = runGraph
  }

  /// Whether input `index` is given.
  public func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

  public func wants(_ output: Int) -> Bool { output < wanted.count && wanted[output] }

  /// The value of input `index`; nil when left out.
  public func value(_ index: Int) -> Value? { index < inputs.count ? inputs[index] : nil }

  /// The tensor of an input that must be given.
  ///
  /// - Throws: `RunError` when it is left out or not a tensor.
  public func tensor(_ index: Int) throws(RunError) -> Tensor {
    guard let value = value(index) else { throw RunError(.type(.missingInput(index))) }
    guard let tensor = value.tensor else {
      throw RunError(.badInput("input \(index) is a \(value.type), not a tensor"))
    }
    return tensor
  }

  /// The tensor of an optional input.
  public func optionalTensor(_ index: Int) throws(RunError) -> Tensor? {
    has(index) ? try tensor(index) : nil
  }

  /// Evaluates a subgraph; values of enclosing graphs are visible to it.
  public func run(_ graph: Graph, _ inputs: [Value]) throws(RunError) -> [Value] {
    try runGraph(graph, inputs)
  }
}
