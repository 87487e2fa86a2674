import WherryBytes
import WherryGraph
import WherryNative
import WherryPasses
import WherryRuntime

/// Runs the models that quantization makes on the way: in the runtime where it can, else in the
/// reference evaluator.
public struct QuantizationEngine {
  /// Shapes of inputs, by name, for those that the model leaves open.
  public let shapes: [String: [Int]]
  /// nil for the runtime where it can execute a model.
  public let engine: Engine?

  public init(shapes: [String: [Int]] = [:], engine: Engine? = nil) {
    (self.shapes, self.engine) = (shapes, engine)
  }

  /// A model ready to run.
  public final class Prepared {
    private let session: ModelSession?
    private let evaluator: ReferenceEvaluator

    init(_ model: Model, _ session: ModelSession?) {
      (evaluator, self.session) = (ReferenceEvaluator(model), session)
    }

    /// Multiply-accumulates of one run, as far as that is known; else many.
    var macs: Int { session.map { Int(clamping: $0.facts.macs) } ?? 1 << 30 }

    /// Runs the model once.
    ///
    /// - Returns: every output that is a tensor, by name; the next run overwrites them.
    /// - Throws: `RunError` or `ExecutionError`.
    func run(_ inputs: [String: Tensor]) throws -> [String: Tensor] {
      if let session {
        try session.fill(inputs)
        try session.invoke()
        return try session.sharedOutputs()
      }
      return try evaluator.run(inputs.mapValues { .tensor($0) }).compactMapValues(\.tensor)
    }
  }

  /// Prepares a model for inputs of the shapes of `sample`.
  ///
  /// - Throws: `ExecutionError` when the runtime is asked for and can't execute the model.
  func prepare(_ model: Model, for sample: [String: Tensor]) throws -> Prepared {
    guard engine != .reference else { return Prepared(model, nil) }
    var options = WriteOptions()
    options.isPlanOnly = true
    options.inputShapes = sample.mapValues(\.shape).merging(shapes) { _, asked in asked }
    do {
      let (bytes, losses) = try NativeFormat.encode(model, options)
      if NativeFormat.plan(bytes) != nil { return Prepared(model, try ModelSession(bytes)) }
      if engine == .runtime {
        throw ExecutionError(lines: losses.filter { $0.kind == .capability }.map(\.description))
      }
    } catch let error as EncodeError {
      if engine == .runtime { throw ExecutionError(lines: [error.description]) }
    }
    return Prepared(model, nil)
  }
}
