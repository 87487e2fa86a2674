import WherryBytes
import WherryGraph

/// Runs `body` until its condition is false, at most `M` times when that is given.
///
/// `body` takes the number of the iteration, the condition and the carried values; it gives the next
/// condition, the next carried values, and tensors that are collected on a new first axis.
/// - Source: ONNX operator specification, Loop-25.
public struct Loop: Operator {
  public var body = Graph()

  public init() {}

  public static let signature = Signature(
    "Loop",
    [
      .init("M", .int64, .optional), .init("cond", .bool, .optional),
      .init("v_initial", .movable, .variadic),
    ],
    [.init("v_final_and_scan_outputs", .movable, .variadic)])

  public static let fields: [Field<Loop>] = [Field("body", \.body, required: true)]

  /// - Throws: `TypeError` when the body's inputs or outputs don't fit the node's.
  private func check(inputs: Int, outputs: Int) throws(TypeError) {
    let carried = max(inputs - 2, 0)
    guard body.inputs.count == carried + 2, body.outputs.count >= carried + 1,
      outputs <= body.outputs.count - 1
    else {
      throw TypeError(
        .attribute(
          "body", "\(body.inputs.count) inputs and \(body.outputs.count) outputs don't fit"))
    }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try check(inputs: site.inputs.count, outputs: site.outputCount)
    let known = site
    var carry = CarriedTypes(Array(site.inputs.dropFirst(2)))
    let results = try carry.settle { (types) throws(TypeError) in
      try Array(known.infer(body, [.index, .flag] + types).dropFirst())
    }
    for (index, type) in carry.types.prefix(site.outputCount).enumerated() {
      site.outputs[index] = type
    }
    for index in carry.types.count..<max(site.outputCount, carry.types.count) {
      guard index < results.count else { break }
      let dimensions = results[index]?.shape?.dimensions
      site.set(index, results[index]?.element, dimensions.map { Shape([.unknown] + $0) })
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try RunError.from { () throws(TypeError) in
      try check(inputs: call.inputs.count, outputs: call.wanted.count)
    }
    let trips = try call.optionalTensor(0)?.integers.first.map { Int($0) }
    var condition = try call.optionalTensor(1)?.booleans.first ?? true
    var carried: [Value] = []
    for index in call.inputs.indices.dropFirst(2) {
      guard let value = call.inputs[index] else { throw RunError(.type(.missingInput(index))) }
      carried.append(value)
    }
    var collected = CollectedOutputs(body.outputs.dropFirst(carried.count + 1).map(\.type))
    var iteration = 0
    while condition, iteration < trips ?? .max {
      guard let number = Value.index(iteration), let flag = Value.flag(condition) else { break }
      let results = try call.run(body, [number, flag] + carried)
      guard results.count == body.outputs.count, let next = results[0].tensor?.booleans.first else {
        throw RunError(.badInput("the body gives no condition"))
      }
      condition = next
      carried = Array(results[1..<carried.count + 1])
      try collected.append(results.dropFirst(carried.count + 1), limits: call.limits)
      iteration += 1
    }
    var outputs: [Value?] = carried
    for index in collected.tensors.indices {
      outputs.append(.tensor(try collected.stacked(index, limits: call.limits)))
    }
    return outputs
  }
}

/// The types of values that a graph hands to its next run: found by running the inference until they no
/// longer change, giving up extents that do.
struct CarriedTypes {
  private(set) var types: [ValueType?]

  init(_ types: [ValueType?]) { self.types = types }

  /// - Parameter body: types of all results, those of the carried values first.
  /// - Returns: the results of the last run.
  mutating func settle(
    _ body: ([ValueType?]) throws(TypeError) -> [ValueType?]
  ) throws(TypeError) -> [ValueType?] {
    var results = try body(types)
    for round in 0..<3 {
      var next = types
      for (index, type) in types.enumerated() {
        guard let type, index < results.count, let result = results[index] else {
          next[index] = nil
          continue
        }
        guard let both = ValueType.union(type, result) else {
          throw TypeError(.contradiction(declared: type, inferred: result))
        }
        next[index] = round < 2 || both == type ? both : both.shapeless
      }
      if next == types { break }
      types = next
      results = try body(types)
    }
    return results
  }
}

/// The tensors that a loop collects, one list an output.
struct CollectedOutputs {
  private(set) var tensors: [[Tensor]]
  private let types: [ValueType]
  private var bytes = 0

  init(_ types: [ValueType]) {
    self.types = types
    tensors = Array(repeating: [], count: types.count)
  }

  /// - Throws: `RunError.limit` when all together take more bytes than one tensor may.
  mutating func append(_ values: some Sequence<Value>, limits: EvaluationLimits) throws(RunError) {
    for (index, value) in values.enumerated() where index < tensors.count {
      guard let tensor = value.tensor else {
        throw RunError(.badInput("a \(value.type) can't be collected"))
      }
      guard let sum = Checked.add(bytes, tensor.bytes.count), sum <= limits.bytes else {
        throw RunError(.limit("\(limits.bytes) bytes that a loop collects"))
      }
      bytes = sum
      tensors[index].append(tensor)
    }
  }

  /// The tensors of one list on a new first axis; without any, what the graph declares, unknown extents 0.
  func stacked(_ index: Int, limits: EvaluationLimits) throws(RunError) -> Tensor {
    let shape = types[index].shape?.dimensions.map { $0.extent ?? 0 } ?? []
    return try .stack(
      tensors[index], empty: (types[index].element ?? .float32, shape), limits: limits)
  }
}
