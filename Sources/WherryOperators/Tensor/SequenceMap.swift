import WherryGraph

/// Runs `body` on each element of a sequence; its results make sequences of the same length.
///
/// Further inputs that are sequences give one element a run, tensors are given whole.
/// - Source: ONNX operator specification, SequenceMap-17.
public struct SequenceMap: Operator {
  public var body = Graph()

  public init() {}

  public static let signature = Signature(
    "SequenceMap",
    [.init("input_sequence", .sequenced), .init("additional_inputs", .sequenced, .variadic)],
    [.init("out_sequence", .sequenced, .variadic)])

  public static let fields: [Field<SequenceMap>] = [Field("body", \.body, required: true)]

  private func check(inputs: Int, outputs: Int) throws(TypeError) {
    guard body.inputs.count == inputs, body.outputs.count >= outputs else {
      throw TypeError(.attribute("body", "its inputs or outputs don't fit the node"))
    }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try check(inputs: site.inputs.count, outputs: site.outputCount)
    _ = try site.sequenceElement(0)
    let types = site.inputs.map { type -> ValueType? in
      if case .sequence(let element)? = type?.plain { element } else { type }
    }
    for (index, type) in try site.infer(body, types).prefix(site.outputCount).enumerated() {
      site.outputs[index] = type.map { .sequence($0) }
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try RunError.from { () throws(TypeError) in
      try check(inputs: call.inputs.count, outputs: call.wanted.count)
    }
    let count = try call.sequence(0).values.count
    var results: [[Value]] = Array(repeating: [], count: body.outputs.count)
    for step in 0..<count {
      var inputs: [Value] = []
      for (index, input) in call.inputs.enumerated() {
        guard let input else { throw RunError(.type(.missingInput(index))) }
        guard case .sequence(let values, _) = input else {
          inputs.append(input)
          continue
        }
        guard values.count == count else { throw RunError(.badInput("sequences differ in length")) }
        inputs.append(values[step])
      }
      for (index, value) in try call.run(body, inputs).enumerated() where index < results.count {
        results[index].append(value)
      }
    }
    var outputs: [Value?] = []
    for (index, values) in results.enumerated() {
      outputs.append(.sequence(values, Self.common(values, declared: body.outputs[index].type)))
    }
    return outputs
  }

  private static func common(_ values: [Value], declared: ValueType) -> ValueType {
    guard var type = values.first?.type else { return declared }
    for value in values { type = .union(type, value.type) ?? type.shapeless }
    return type
  }
}
