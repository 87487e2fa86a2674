import WherryGraph

/// A tensor whose channels stand last, turned so that they follow the batch, and back.
enum ChannelsLast {
  /// `[N, D1 … Dn, C]` as `[N, C, D1 … Dn]`.
  static func first(_ shape: Shape) -> Shape {
    guard shape.rank > 2 else { return shape }
    return Shape([shape[0], shape[shape.rank - 1]] + shape.dimensions[1..<shape.rank - 1])
  }

  /// `[N, C, D1 … Dn]` as `[N, D1 … Dn, C]`.
  static func last(_ shape: Shape) -> Shape {
    guard shape.rank > 2 else { return shape }
    return Shape([shape[0]] + shape.dimensions[2...] + [shape[1]])
  }

  /// A tensor with its channels moved to the second axis.
  static func first(_ x: Tensor) throws(RunError) -> Tensor {
    guard x.rank > 2 else { return x }
    return try transposed(x, [0, x.rank - 1] + Array(1..<x.rank - 1))
  }

  /// A tensor with its channels moved to the last axis.
  static func last(_ x: Tensor) throws(RunError) -> Tensor {
    guard x.rank > 2 else { return x }
    return try transposed(x, [0] + Array(2..<x.rank) + [1])
  }

  private static func transposed(_ x: Tensor, _ axes: [Int]) throws(RunError) -> Tensor {
    var transpose = Transpose()
    transpose.perm = axes
    let call = OperatorCall(
      inputs: [.tensor(x)], wanted: [true],
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    guard let result = try transpose.evaluate(call).first??.tensor else {
      throw RunError(.badInput("\(x.shape) can't be turned"))
    }
    return result
  }
}

extension OperatorCall {
  /// The same call with input 0 turned from channels last to channels first.
  func channelsFirst() throws(RunError) -> OperatorCall {
    var inputs = inputs
    guard !inputs.isEmpty else { return self }
    inputs[0] = .tensor(try ChannelsLast.first(try tensor(0)))
    return OperatorCall(
      inputs: inputs, wanted: wanted, limits: limits,
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
  }
}

extension InferenceSite {
  /// Infers with channels first and says the output's shape with channels last.
  mutating func inferChannelsLast(
    _ body: (inout InferenceSite) throws(TypeError) -> Void
  ) throws(TypeError) {
    var types = inputs
    if let shape = shape(0), let element = element(0) {
      types[0] = .tensor(element, ChannelsLast.first(shape))
    }
    var inner = InferenceSite(
      inputs: types, isPresent: isPresent, contents: contents, partials: partials,
      outputCount: outputCount, inferGraph: { (_, _) throws(TypeError) in [] })
    try body(&inner)
    guard let type = inner.outputs.first ?? nil else { return }
    set(0, type.element, type.shape.map { ChannelsLast.last($0) })
  }
}
