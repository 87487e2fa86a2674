import WherryBytes
import WherryData
import WherryGraph
import WherryNative
import WherryRuntime

/// What runs a model.
public enum Engine: String, Sendable, CaseIterable {
  /// The interpreter that ships to the board.
  case runtime
  /// The slow evaluator that defines what operators mean.
  case reference
}

/// Why a model can't be executed as asked: one line each, never empty.
public struct ExecutionError: Error, Sendable {
  public let lines: [String]
}

/// A model ready to run on inputs of given shapes.
public struct Execution {
  public let engine: Engine
  /// What the user should know, such as why the reference evaluator is used.
  public let notes: [String]
  private let model: Model
  private let native: Bytes

  /// Prepares a model.
  ///
  /// - Parameters:
  ///   - engine: nil for the runtime where it can execute the model, else the reference evaluator.
  ///   - shapes: extents of inputs by name, for those that the model leaves open.
  /// - Throws: `ExecutionError` when the runtime is asked for and can't execute the model.
  public init(
    _ file: ModelFile, engine: Engine? = nil, shapes: [String: [Int]] = [:]
  ) throws(ExecutionError) {
    model = file.model
    if engine == .reference {
      (self.engine, notes, native) = (.reference, Self.unshown(file.model), Bytes())
      return
    }
    let (compiled, problems) = Self.compile(file, shapes)
    if let compiled {
      (self.engine, notes, native) = (.runtime, [], compiled)
      return
    }
    if engine == .runtime { throw ExecutionError(lines: problems) }
    notes =
      ["note: run by the reference evaluator, since the runtime can't: \(problems[0])"]
      + Self.unshown(file.model)
    (self.engine, native) = (.reference, Bytes())
  }

  /// Prepares a model that is in memory.
  ///
  /// - Parameter skipped: names of passes to leave out on the way to the plan.
  /// - Throws: `ExecutionError` when the runtime is asked for and can't execute the model.
  init(
    _ model: Model, engine: Engine, shapes: [String: [Int]], skipping skipped: Set<String> = []
  ) throws(ExecutionError) {
    (self.model, self.engine, notes) = (model, engine, [])
    guard engine == .runtime else {
      native = Bytes()
      return
    }
    let (compiled, problems) = Self.compile(model, shapes, skipping: skipped)
    guard let compiled else { throw ExecutionError(lines: problems) }
    native = compiled
  }

  /// A note for every output that is no tensor: it is computed, but `run` gives tensors only.
  private static func unshown(_ model: Model) -> [String] {
    model.graph.outputs.filter { output in
      switch output.type.plain {
      case .tensor, .optional, .unspecified: false
      default: true
      }
    }.map { "note: output \"\($0.name)\" is left out: it is a \($0.type), not a tensor" }
  }

  /// Why the runtime can't execute a model; empty when it can.
  public static func runtimeProblems(_ file: ModelFile, shapes: [String: [Int]] = [:]) -> [String] {
    compile(file, shapes).problems
  }

  /// Bytes of a native file with a plan: the file's own where its plan fits the shapes.
  private static func compile(
    _ file: ModelFile, _ shapes: [String: [Int]]
  ) -> (bytes: Bytes?, problems: [String]) {
    if file.format == NativeFormat.self, NativeFormat.plan(file.bytes) != nil {
      return (file.bytes, [])
    }
    return compile(file.model, shapes)
  }

  private static func compile(
    _ model: Model, _ shapes: [String: [Int]], skipping skipped: Set<String> = []
  ) -> (bytes: Bytes?, problems: [String]) {
    var options = WriteOptions()
    (options.isPlanOnly, options.inputShapes) = (true, batched(model, shapes))
    options.skippedPasses = skipped
    do throws(EncodeError) {
      let (bytes, losses) = try NativeFormat.encode(model, options)
      let reasons = losses.filter { $0.kind == .capability }.map(\.description)
      guard NativeFormat.plan(bytes) != nil else {
        return (nil, reasons.isEmpty ? ["there is no plan for it"] : reasons)
      }
      return (bytes, [])
    } catch {
      return (nil, [error.description])
    }
  }

  /// A first axis that the model leaves open is a batch: the plan is made for one sample, and data
  /// runs through it sample by sample.
  private static func batched(_ model: Model, _ shapes: [String: [Int]]) -> [String: [Int]] {
    var result = shapes
    let open = model.graph.inputs.filter { input in
      guard let first = input.type.shape?.dimensions.first, first.extent == nil else {
        return false
      }
      return (shapes[input.name]?.first ?? 0) > 1
    }
    guard Set(open.map { shapes[$0.name]?.first }).count == 1 else { return result }
    let outputsFollow = model.graph.outputs.allSatisfy { output in
      guard let first = output.type.shape?.dimensions.first else { return false }
      return first.extent == nil
    }
    guard outputsFollow, model.graph.inputs.count == open.count else { return result }
    for input in open { result[input.name]?[0] = 1 }
    return result
  }

  /// Opens the compiled model in the runtime.
  ///
  /// - Throws: `ExecutionError` when this is not a runtime execution or the runtime refuses the plan.
  public func openSession(profile: Bool = false) throws(ExecutionError) -> ModelSession {
    guard engine == .runtime else { throw ExecutionError(lines: ["not compiled for the runtime"]) }
    return try ModelSession(native, profile: profile)
  }

  /// Runs the model on tensors by input name.
  ///
  /// Inputs whose first axis is a multiple of what the plan was made for run in that many steps, and
  /// the outputs are joined along their first axis.
  ///
  /// - Throws: `RunError` or `ExecutionError`.
  public func run(_ inputs: [String: Tensor]) throws -> [(name: String, tensor: Tensor)] {
    guard engine == .runtime else {
      let values = try ReferenceEvaluator(model).run(inputs.mapValues { .tensor($0) })
      return model.graph.outputs.compactMap { output in
        values[output.name]?.tensor.map { (output.name, $0) }
      }
    }
    let session = try openSession()
    let steps = try session.steps(inputs)
    if steps == 1 {
      try session.fill(inputs)
      try session.invoke()
      return try session.outputs()
    }
    var parts: [[(name: String, tensor: Tensor)]] = []
    for step in 0..<steps {
      try session.fill(inputs.mapValues { $0.part(step, of: steps) })
      try session.invoke()
      parts.append(try session.outputs())
    }
    return (parts.first ?? []).enumerated().map { index, output in
      (output.name, Tensor.joined(parts.map { $0[index].tensor }))
    }
  }
}

extension Tensor {
  /// One of equal parts along the first axis.
  func part(_ index: Int, of count: Int) -> Tensor {
    guard let first = shape.first, count > 0, first % count == 0 else { return self }
    let size = bytes.count / count
    guard let slice = bytes.slice(index * size..<(index + 1) * size) else { return self }
    return Tensor(element, [first / count] + shape.dropFirst(), bytes: slice) ?? self
  }

  /// Tensors of one shape joined along their first axis.
  static func joined(_ parts: [Tensor]) -> Tensor {
    guard let first = parts.first, parts.count > 1 else { return parts.first ?? Tensor(vector: []) }
    let bytes = Bytes(parts.flatMap { $0.bytes.array })
    let shape = [(first.shape.first ?? 1) * parts.count] + first.shape.dropFirst()
    return Tensor(first.element, shape, bytes: bytes) ?? first
  }
}

extension Comparison {
  /// Compares outputs by name; one that only one side has is a mismatch.
  public static func all(
    _ actual: [(name: String, tensor: Tensor)], _ expected: [(name: String, tensor: Tensor)],
    bounds: Bounds
  ) -> [Comparison] {
    let byName = Dictionary(actual.map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a })
    let known = Set(expected.map(\.name))
    // Formats that rename outputs keep their order.
    let isRenamed = known.isDisjoint(with: byName.keys) && actual.count == expected.count
    var result = expected.enumerated().map { index, output in
      Comparison(
        output.name, isRenamed ? actual[index].tensor : byName[output.name], output.tensor,
        bounds: bounds)
    }
    for output in actual where !isRenamed && !known.contains(output.name) {
      result.append(Comparison(output.name, output.tensor, nil, bounds: bounds))
    }
    return result
  }
}

extension ModelFile {
  /// Another model's inputs under this model's names, by position where the names differ.
  public func matching(_ inputs: [String: Tensor], of other: ModelFile) -> [String: Tensor] {
    let own = openInputs
    if Set(own) == Set(inputs.keys) { return inputs }
    let theirs = other.openInputs
    guard own.count == theirs.count else { return inputs }
    return Dictionary(
      zip(own, theirs).compactMap { mine, name in inputs[name].map { (mine, $0) } },
      uniquingKeysWith: { a, _ in a })
  }

  private var openInputs: [String] {
    let constants = Set(model.graph.initializers.map(\.name))
    return model.graph.inputs.map(\.name).filter { !constants.contains($0) }
  }
}
