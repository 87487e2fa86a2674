import WherryBytes
import WherryGraph
import WherryPasses
import WherryRuntime

/// What every pass does to a model, and the proof that its outputs stay what they were.
public struct Optimization: Sendable {
  public struct Step: Sendable {
    public let name, summary: String
    /// Places that changed.
    public let changes: Int
    /// Nodes of the graph or operations of the plan, without and with the pass.
    public let before, after: Int
    /// Bytes of the arena without and with the pass; nil for a pass over the graph.
    public let arenaBefore, arenaAfter: Int?
    /// Largest difference that the pass makes in any output, relative to the output's largest value;
    /// nil when it changed nothing or the model can't be run.
    public let difference: Double?
    /// What the pass may differ by.
    public let tolerance: Double

    /// Whether the outputs stayed what they were.
    public var isProven: Bool { difference.map { $0 <= tolerance } ?? true }
  }

  /// Up to this many multiply-accumulates the slow definition of the operators is the judge.
  private static let largestReference = 50_000_000

  public private(set) var steps: [Step] = []
  /// The model after every pass over the graph.
  public private(set) var model: Model
  /// Why the passes over the plan are missing; empty when they are there.
  public private(set) var notes: [String] = []

  /// Runs every pass on a model, comparing outputs on seeded inputs after each.
  ///
  /// - Parameter shapes: extents of inputs by name, for those that the model leaves open.
  /// - Throws: `RunError` when a pass or the model itself fails on the inputs.
  public init(_ file: ModelFile, shapes: [String: [Int]] = [:]) throws {
    model = file.model
    let inputs = try SampleData.inputs(of: model, shapes: shapes)
    let extents = inputs.mapValues(\.shape)
    let plan = try? Execution(model, engine: .runtime, shapes: extents)
    let macs = Int(clamping: (try? plan?.openSession())?.facts.macs ?? 0)
    let judge: Engine = macs > Self.largestReference ? .runtime : .reference
    let skipped = judge == .runtime ? Set(PassList.graphNames) : []
    func outputs(_ model: Model) throws(RunError) -> [(name: String, tensor: Tensor)] {
      do {
        return try Execution(model, engine: judge, shapes: extents, skipping: skipped).run(inputs)
      } catch let error as RunError {
        throw error
      } catch {
        throw RunError(.unsupported("\(error)"))
      }
    }
    var last = try outputs(model)
    var steps: [Step] = []
    try PassList.run(&model) { (change, model) throws(RunError) in
      var difference: Double?
      if change.changes > 0 {
        let now = try outputs(model)
        difference = Self.difference(now, last)
        last = now
      }
      steps.append(
        Step(
          name: change.name, summary: change.summary, changes: change.changes,
          before: change.before, after: change.after, arenaBefore: nil, arenaAfter: nil,
          difference: difference, tolerance: change.tolerance))
    }
    self.steps = steps
    do {
      try addPlanPasses(extents, inputs)
    } catch let error as ExecutionError {
      notes = error.lines
    }
  }

  /// Each pass over the plan against the plan made without it.
  private mutating func addPlanPasses(_ extents: [String: [Int]], _ inputs: [String: Tensor]) throws
  {
    let all = try Execution(model, engine: .runtime, shapes: extents)
    let (facts, expected) = (try all.openSession().facts, try all.run(inputs))
    let counts = try? model.compiled(inputShapes: extents).changes
    for pass in PlanPass.allCases {
      let changes = counts?[pass] ?? 0
      let without = try Execution(
        model, engine: .runtime, shapes: extents, skipping: [pass.rawValue])
      let other = try without.openSession().facts
      steps.append(
        Step(
          name: pass.rawValue, summary: pass.summary, changes: changes,
          before: other.operationCount, after: facts.operationCount,
          arenaBefore: Int(clamping: other.arenaBytes), arenaAfter: Int(clamping: facts.arenaBytes),
          difference: changes > 0 ? Self.difference(try without.run(inputs), expected) : nil,
          tolerance: 1e-5))
    }
  }

  /// The largest difference relative to each output's largest value; infinite for other shapes.
  private static func difference(
    _ actual: [(name: String, tensor: Tensor)], _ expected: [(name: String, tensor: Tensor)]
  ) -> Double {
    guard actual.count == expected.count else { return .infinity }
    var worst = 0.0
    for (a, b) in zip(actual, expected) {
      guard a.tensor.element == b.tensor.element, a.tensor.shape == b.tensor.shape else {
        return .infinity
      }
      guard a.tensor.element != .string else {
        if a.tensor.strings != b.tensor.strings { return .infinity }
        continue
      }
      let (x, y) = (a.tensor.doubles, b.tensor.doubles)
      let largest = y.reduce(0) { max($0, $1.magnitude) }
      for (p, q) in zip(x, y) where p != q && !(p.isNaN && q.isNaN) {
        let gap = (p - q).magnitude / (largest > 0 ? largest : 1)
        worst = max(worst, gap.isNaN ? .infinity : gap)
      }
    }
    return worst
  }
}
