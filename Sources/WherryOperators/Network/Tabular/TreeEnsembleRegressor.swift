import WherryBytes
import WherryGraph

/// Decision trees that add to targets.
///
/// `X: [N, F]`, `Y: [N, n_targets] float32`.
/// - Source: ONNX operator specification, ai.onnx.ml TreeEnsembleRegressor-5.
public struct TreeEnsembleRegressor: Operator, TreeNodeLists {
  public enum Aggregate: String, AttributeConvertible {
    case average = "AVERAGE"
    case sum = "SUM"
    case minimum = "MIN"
    case maximum = "MAX"
  }

  public var aggregateFunction = Aggregate.sum
  public var baseValues: [Float]?
  public var baseValuesAsTensor: Tensor?
  public var nTargets: Int?
  public var nodesFalseNodeIDs: [Int]?
  public var nodesFeatureIDs: [Int]?
  public var nodesHitrates: [Float]?
  public var nodesHitratesAsTensor: Tensor?
  public var nodesMissingValueTracksTrue: [Int]?
  public var nodesModes: [String]?
  public var nodesNodeIDs: [Int]?
  public var nodesTreeIDs: [Int]?
  public var nodesTrueNodeIDs: [Int]?
  public var nodesValues: [Float]?
  public var nodesValuesAsTensor: Tensor?
  public var postTransform = PostTransform.none
  public var targetIDs: [Int]?
  public var targetNodeIDs: [Int]?
  public var targetTreeIDs: [Int]?
  public var targetWeights: [Float]?
  public var targetWeightsAsTensor: Tensor?

  public init() {}

  public static let signature = Signature(
    "TreeEnsembleRegressor", domain: OperatorName.mlDomain, [.init("X", .features)],
    [.init("Y", .float32)])

  public static let fields: [Field<TreeEnsembleRegressor>] = [
    Field("aggregate_function", \.aggregateFunction), Field("base_values", \.baseValues),
    Field("base_values_as_tensor", \.baseValuesAsTensor), Field("n_targets", \.nTargets),
    Field("nodes_falsenodeids", \.nodesFalseNodeIDs), Field("nodes_featureids", \.nodesFeatureIDs),
    Field("nodes_hitrates", \.nodesHitrates),
    Field("nodes_hitrates_as_tensor", \.nodesHitratesAsTensor),
    Field("nodes_missing_value_tracks_true", \.nodesMissingValueTracksTrue),
    Field("nodes_modes", \.nodesModes), Field("nodes_nodeids", \.nodesNodeIDs),
    Field("nodes_treeids", \.nodesTreeIDs), Field("nodes_truenodeids", \.nodesTrueNodeIDs),
    Field("nodes_values", \.nodesValues), Field("nodes_values_as_tensor", \.nodesValuesAsTensor),
    Field("post_transform", \.postTransform), Field("target_ids", \.targetIDs),
    Field("target_nodeids", \.targetNodeIDs), Field("target_treeids", \.targetTreeIDs),
    Field("target_weights", \.targetWeights),
    Field("target_weights_as_tensor", \.targetWeightsAsTensor),
  ]

  private var targets: Int { nTargets ?? (targetIDs?.max() ?? 0) + 1 }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank > 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, .float32, Shape([site.rows, .fixed(max(targets, 0))]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (count, width, values) = try x.rows()
    let (targets, isDouble) = (targets, x.element == .float64)
    let size = try RunError.count([count, targets])
    let forest = try forest(
      TreeLeafLists(
        trees: targetTreeIDs ?? [], nodes: targetNodeIDs ?? [], targets: targetIDs ?? [],
        weights: targetWeightsAsTensor?.doubles ?? (targetWeights ?? []).map { Double($0) }))
    let base = baseValuesAsTensor?.doubles ?? (baseValues ?? []).map { Double($0) }
    guard base.isEmpty || base.count == targets else {
      throw RunError(.badInput("\(base.count) base values for \(targets) targets"))
    }
    guard let aggregate = TreeAggregate(name: aggregateFunction.rawValue) else { return [nil] }
    var y: [Double] = []
    y.reserveCapacity(size)
    for row in 0..<count {
      let features = values[row * width..<(row + 1) * width].map { rounded($0, isDouble) }
      let scores = try forest.scores(
        features[...], targets: targets, aggregate: aggregate, isDouble: isDouble)
      y += postTransform.apply(
        scores.enumerated().map { index, score in
          base.isEmpty ? score ?? 0 : rounded((score ?? 0) + base[index], isDouble)
        })
    }
    return [Tensor(.float32, [count, targets], doubles: y).map { .tensor($0) }]
  }
}
