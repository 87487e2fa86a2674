import WherryBytes
import WherryGraph

/// The changes that a model goes through on its way to a plan.
public enum PassList {
  /// Passes over the graph, in the order they run. Inlining and folding repeat while a condition turns
  /// constant.
  public static let graph: [any Pass.Type] = opening + closing

  private static let opening: [any Pass.Type] = [
    InlineFunctions.self, FoldConstants.self, InlineConditions.self,
  ]
  private static let closing: [any Pass.Type] = [
    RemoveIdentity.self, CollapseQDQ.self, FuseTables.self, ExpandWeights.self, FusePad.self,
    FuseBatchNorm.self,
    RemoveDead.self,
  ]

  public static var graphNames: [String] { graph.map { $0.name } }

  /// Every pass by name: those over the graph, then those over the plan.
  public static var names: [String] { graphNames + PlanPass.allCases.map(\.rawValue) }

  /// Runs the passes over the graph.
  ///
  /// - Parameters:
  ///   - skipped: names of passes to leave out.
  ///   - observe: called after every pass with what it changed and the model as it stands.
  public static func run(
    _ model: inout Model, without skipped: Set<String> = [],
    observe: (PassChange, Model) throws(RunError) -> Void = { (_, _) throws(RunError) in }
  ) throws(RunError) {
    func apply(_ passes: [any Pass.Type]) throws(RunError) -> PassChange? {
      var last: PassChange?
      for pass in passes where !skipped.contains(pass.name) {
        let nodes = model.graph.nodes.count
        let changes = try pass.run(&model)
        let change = PassChange(
          name: pass.name, summary: pass.summary, changes: changes, before: nodes,
          after: model.graph.nodes.count, tolerance: pass.tolerance)
        try observe(change, model)
        last = change
      }
      return last
    }
    while let last = try apply(opening), last.name == InlineConditions.name, last.changes > 0 {}
    _ = try apply(closing)
  }
}

/// What a pass did.
public struct PassChange: Sendable {
  public var name: String
  public var summary: String
  /// Places that changed.
  public var changes: Int
  /// Nodes of the graph, or operations of the plan, before and after.
  public var before, after: Int
  /// Largest difference it may make in an output, relative to the output's largest value.
  public var tolerance: Double
}

/// A change that is made on the plan rather than on the graph.
public enum PlanPass: String, Sendable, CaseIterable {
  case aliasReshape = "alias-reshape"
  case fuseActivation = "fuse-activation"
  case fuseBias = "fuse-bias"
  case fuseResidual = "fuse-residual"
  case concatenateByOffset = "concatenate-by-offset"
  case writeInPlace = "write-in-place"

  public var summary: String {
    switch self {
    case .aliasReshape: "gives a reshaped tensor the memory of its source"
    case .fuseActivation: "takes a clamp into the operation before it"
    case .fuseBias: "takes a constant vector into the product before it"
    case .fuseResidual: "takes a sum into the product that makes one of its terms"
    case .concatenateByOffset: "lets a tensor be made where a concatenation wants it"
    case .writeInPlace: "writes a result over an operand that nobody needs any more"
    }
  }
}
