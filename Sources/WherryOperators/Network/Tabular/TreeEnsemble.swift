import WherryBytes
import WherryGraph

/// Decision trees whose leaves add to one or more targets.
///
/// `X: [N, F]`, `Y: [N, n_targets]`. Nodes are split by `nodes_modes` (0 ≤, 1 <, 2 ≥, 3 >, 4 =, 5 ≠, 6
/// member of a set); the sets of `membership_values` end with NaN, in the order of their nodes.
/// - Source: ONNX operator specification, ai.onnx.ml TreeEnsemble-5.
public struct TreeEnsemble: Operator {
  /// 0 average, 1 sum, 2 minimum, 3 maximum.
  public var aggregateFunction = 1
  public var leafTargetIDs: [Int] = []
  public var leafWeights: Tensor?
  public var membershipValues: Tensor?
  public var nTargets: Int?
  public var nodesFalseLeafs: [Int] = []
  public var nodesFalseNodeIDs: [Int] = []
  public var nodesFeatureIDs: [Int] = []
  public var nodesHitrates: Tensor?
  public var nodesMissingValueTracksTrue: [Int]?
  public var nodesModes: Tensor?
  public var nodesSplits: Tensor?
  public var nodesTrueLeafs: [Int] = []
  public var nodesTrueNodeIDs: [Int] = []
  /// 0 none, 1 softmax, 2 logistic, 3 softmax of non-zero scores, 4 probit.
  public var postTransform = 0
  public var treeRoots: [Int] = []

  public init() {}

  static let elements = ElementSet(.float16, .float32, .float64)
  public static let signature = Signature(
    "TreeEnsemble", domain: OperatorName.mlDomain, [.init("X", elements)], [.init("Y", elements)])

  public static let fields: [Field<TreeEnsemble>] = [
    Field("aggregate_function", \.aggregateFunction),
    Field("leaf_targetids", \.leafTargetIDs, required: true),
    Field("leaf_weights", \.leafWeights, required: true),
    Field("membership_values", \.membershipValues), Field("n_targets", \.nTargets),
    Field("nodes_falseleafs", \.nodesFalseLeafs, required: true),
    Field("nodes_falsenodeids", \.nodesFalseNodeIDs, required: true),
    Field("nodes_featureids", \.nodesFeatureIDs, required: true),
    Field("nodes_hitrates", \.nodesHitrates),
    Field("nodes_missing_value_tracks_true", \.nodesMissingValueTracksTrue),
    Field("nodes_modes", \.nodesModes, required: true),
    Field("nodes_splits", \.nodesSplits, required: true),
    Field("nodes_trueleafs", \.nodesTrueLeafs, required: true),
    Field("nodes_truenodeids", \.nodesTrueNodeIDs, required: true),
    Field("post_transform", \.postTransform), Field("tree_roots", \.treeRoots, required: true),
  ]

  private static let transforms: [PostTransform] = [
    .none, .softmax, .logistic, .softmaxZero, .probit,
  ]

  private var targets: Int { nTargets ?? (leafTargetIDs.max() ?? 0) + 1 }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, site.element(0), Shape([site.rows, .fixed(max(targets, 0))]))
  }

  private func forest() throws(RunError) -> TreeForest {
    let splits = nodesSplits?.doubles ?? []
    let (modes, weights) = (nodesModes?.integers ?? [], leafWeights?.doubles ?? [])
    let count = modes.count
    let lists = [
      nodesFeatureIDs, nodesTrueNodeIDs, nodesFalseNodeIDs, nodesTrueLeafs, nodesFalseLeafs,
    ]
    guard lists.allSatisfy({ $0.count == count }), splits.count == count,
      weights.count == leafTargetIDs.count, nodesMissingValueTracksTrue?.count ?? count == count
    else { throw RunError(.badInput("the node lists differ in length")) }
    var sets = (membershipValues?.doubles ?? []).split(omittingEmptySubsequences: false) {
      $0.isNaN
    }[...]
    var nodes: [TreeForest.Node] = []
    for index in 0..<count {
      guard let code = UInt8(exactly: modes[index]), let test = TreeForest.Test(rawValue: code)
      else {
        throw RunError(.badValue("node mode \(modes[index])"))
      }
      let (onTrue, onFalse) = (nodesTrueNodeIDs[index], nodesFalseNodeIDs[index])
      nodes.append(
        TreeForest.Node(
          test: test, feature: nodesFeatureIDs[index], split: splits[index],
          members: test == .member ? Set(sets.popFirst() ?? []) : [],
          missingTracksTrue: nodesMissingValueTracksTrue.map { $0[index] != 0 } ?? false,
          onTrue: nodesTrueLeafs[index] != 0 ? .leaf(onTrue) : .node(onTrue),
          onFalse: nodesFalseLeafs[index] != 0 ? .leaf(onFalse) : .node(onFalse)))
    }
    let leaves = zip(leafTargetIDs, weights).map { [TreeForest.Weight(target: $0, value: $1)] }
    return TreeForest(nodes: nodes, leaves: leaves, roots: treeRoots.map { .node($0) })
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (count, width, values) = try x.rows()
    guard let aggregate = TreeAggregate(rawValue: aggregateFunction), postTransform >= 0,
      postTransform < Self.transforms.count
    else { throw RunError(.badInput("aggregate \(aggregateFunction), transform \(postTransform)")) }
    let forest = try forest()
    let size = try RunError.count([count, targets])
    var y: [Double] = []
    y.reserveCapacity(size)
    for row in 0..<count {
      let scores = try forest.scores(
        values[row * width..<(row + 1) * width], targets: targets, aggregate: aggregate,
        isDouble: x.element == .float64)
      y += Self.transforms[postTransform].apply(scores.map { $0 ?? 0 })
    }
    return [Tensor(x.element, [count, targets], doubles: y).map { .tensor($0) }]
  }
}
