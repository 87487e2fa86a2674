import WherryBytes
import WherryGraph
import WherryRuntime

/// A compiled model open in the runtime, with tensors for inputs and outputs.
public struct ModelSession {
  private let session: RuntimeModel

  /// - Throws: `ExecutionError` when the runtime refuses the bytes.
  init(_ bytes: Bytes, profile: Bool = false) throws(ExecutionError) {
    var options = RuntimeModel.Options()
    options.profile = profile
    session = try Self.explained { () throws(RuntimeError) in
      try bytes.withUnsafeBytes { (raw) throws(RuntimeError) in
        try RuntimeModel(raw, owner: bytes.store, options: options)
      }
    }
  }

  public var facts: RuntimeInfo { session.info }

  /// What each operation cost; empty unless opened to profile.
  public var profile: [RuntimeProfile] { (try? session.profile()) ?? [] }

  /// How many invocations the inputs need: 1, or the number of the plan's batches in each first axis.
  ///
  /// - Throws: `ExecutionError` when an input is missing or its shape doesn't fit the plan's.
  public func steps(_ inputs: [String: Tensor]) throws(ExecutionError) -> Int {
    var problems: [String] = []
    var steps: Set<Int> = []
    for input in session.inputs {
      guard let tensor = inputs[input.name] else {
        problems.append("no data for input \"\(input.name)\"")
        continue
      }
      guard tensor.element.rawValue == input.element else {
        problems.append("input \"\(input.name)\" is \(tensor.element)")
        continue
      }
      if tensor.shape == input.dims || tensor.bytes.count == input.bytes {
        steps.insert(1)
      } else if tensor.rank == input.dims.count, let batch = input.dims.first, batch > 0,
        tensor.shape[0] % batch == 0, tensor.shape.dropFirst() == input.dims.dropFirst()
      {
        steps.insert(tensor.shape[0] / batch)
      } else {
        problems.append(
          "input \"\(input.name)\" is \(tensor.shape), the plan was made for \(input.dims)")
      }
    }
    if steps.count > 1 { problems.append("the inputs hold different numbers of samples") }
    guard problems.isEmpty else { throw ExecutionError(lines: problems) }
    return steps.first ?? 1
  }

  /// Copies every input in.
  ///
  /// - Throws: `ExecutionError` when an input is missing or of another size.
  public func fill(_ inputs: [String: Tensor]) throws(ExecutionError) {
    for (index, input) in session.inputs.enumerated() {
      guard let tensor = inputs[input.name] else {
        throw ExecutionError(lines: ["no data for input \"\(input.name)\""])
      }
      try Self.explained { () throws(RuntimeError) in
        try tensor.bytes.withUnsafeBytes { (raw) throws(RuntimeError) in
          try session.setInput(index, raw)
        }
      }
    }
  }

  /// Runs the model once on the inputs filled in.
  public func invoke() throws(ExecutionError) {
    try Self.explained { () throws(RuntimeError) in try session.invoke() }
  }

  /// Copies every output out.
  public func outputs() throws(ExecutionError) -> [(name: String, tensor: Tensor)] {
    var result: [(name: String, tensor: Tensor)] = []
    for (index, output) in session.outputs.enumerated() {
      let bytes = Bytes(session.output(index))
      guard let element = ElementType(rawValue: output.element),
        let tensor = Tensor(element, output.dims, bytes: bytes)
      else { throw ExecutionError(lines: ["output \"\(output.name)\" has an unknown type"]) }
      result.append((output.name, tensor))
    }
    return result
  }

  /// The outputs where they lie, by name: the next invocation overwrites them.
  func sharedOutputs() throws(ExecutionError) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    let owner = Owner(session)
    for (index, output) in session.outputs.enumerated() {
      let store = ByteStore(session.output(index)) { _ in withExtendedLifetime(owner) {} }
      guard let element = ElementType(rawValue: output.element),
        let tensor = Tensor(element, output.dims, bytes: Bytes(store: store))
      else { throw ExecutionError(lines: ["output \"\(output.name)\" has an unknown type"]) }
      result[output.name] = tensor
    }
    return result
  }

  /// Keeps the memory of outputs alive; touches nothing else of the session.
  private final class Owner: @unchecked Sendable {
    private let session: RuntimeModel
    init(_ session: RuntimeModel) { self.session = session }
  }

  /// Runs the file's self-test vectors.
  public func selfTest() throws(ExecutionError) {
    try Self.explained { () throws(RuntimeError) in try session.selfTest() }
  }

  private static func explained<R>(
    _ body: () throws(RuntimeError) -> R
  ) throws(ExecutionError) -> R {
    do {
      return try body()
    } catch {
      throw ExecutionError(lines: [error.description])
    }
  }
}
