import WherryBytes
import WherryGraph

/// Decision trees that vote for classes.
///
/// `X: [N, F]`, `Y: [N]` labels, `Z: [N, classes] float32`. Without base values a class no leaf votes for
/// scores 0. Where all weights of two classes belong to one, its score alone decides: above 0.5 when no
/// weight is negative, else above 0; the other class has the complement.
/// - Source: ONNX operator specification, ai.onnx.ml TreeEnsembleClassifier-5; ONNX Runtime for two
///   classes.
public struct TreeEnsembleClassifier: Operator, TreeNodeLists {
  public var baseValues: [Float]?
  public var baseValuesAsTensor: Tensor?
  public var classIDs: [Int]?
  public var classNodeIDs: [Int]?
  public var classTreeIDs: [Int]?
  public var classWeights: [Float]?
  public var classWeightsAsTensor: Tensor?
  public var classlabelsInt64s: [Int]?
  public var classlabelsStrings: [Bytes]?
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

  public init() {}

  public static let signature = Signature(
    "TreeEnsembleClassifier", domain: OperatorName.mlDomain, [.init("X", .features)],
    [.init("Y", .labels), .init("Z", .float32)])

  public static let fields: [Field<TreeEnsembleClassifier>] = [
    Field("base_values", \.baseValues), Field("base_values_as_tensor", \.baseValuesAsTensor),
    Field("class_ids", \.classIDs), Field("class_nodeids", \.classNodeIDs),
    Field("class_treeids", \.classTreeIDs), Field("class_weights", \.classWeights),
    Field("class_weights_as_tensor", \.classWeightsAsTensor),
    Field("classlabels_int64s", \.classlabelsInt64s),
    Field("classlabels_strings", \.classlabelsStrings),
    Field("nodes_falsenodeids", \.nodesFalseNodeIDs), Field("nodes_featureids", \.nodesFeatureIDs),
    Field("nodes_hitrates", \.nodesHitrates),
    Field("nodes_hitrates_as_tensor", \.nodesHitratesAsTensor),
    Field("nodes_missing_value_tracks_true", \.nodesMissingValueTracksTrue),
    Field("nodes_modes", \.nodesModes), Field("nodes_nodeids", \.nodesNodeIDs),
    Field("nodes_treeids", \.nodesTreeIDs), Field("nodes_truenodeids", \.nodesTrueNodeIDs),
    Field("nodes_values", \.nodesValues), Field("nodes_values_as_tensor", \.nodesValuesAsTensor),
    Field("post_transform", \.postTransform),
  ]

  private var names: ClassNames { ClassNames(classlabelsInt64s, classlabelsStrings) }
  private var weights: [Double] {
    classWeightsAsTensor?.doubles ?? (classWeights ?? []).map { Double($0) }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank > 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, names.element, Shape([site.rows]))
    site.set(1, .float32, Shape([site.rows, .fixed(names.count)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (count, width, values) = try x.rows()
    let (names, weights, isDouble) = (names, weights, x.element == .float64)
    let forest = try forest(
      TreeLeafLists(
        trees: classTreeIDs ?? [], nodes: classNodeIDs ?? [], targets: classIDs ?? [],
        weights: weights))
    let base = baseValuesAsTensor?.doubles ?? (baseValues ?? []).map { Double($0) }
    let isPositive = weights.allSatisfy { $0 >= 0 }
    let only = Set(classIDs ?? []).count == 1 && names.count == 2 ? classIDs?.first : nil
    var (labels, scores): ([Int], [Double]) = ([], [])
    for row in 0..<count {
      let features = values[row * width..<(row + 1) * width].map { rounded($0, isDouble) }
      var own = try forest.scores(
        features[...], targets: names.count, aggregate: .sum, isDouble: isDouble)
      if let only {
        let shift = base.count == 2 ? base[only] : base.first ?? 0
        let score = rounded((own[only] ?? 0) + shift, isDouble)
        labels.append(score > (isPositive ? 0.5 : 0) ? 1 : 0)
        scores +=
          only == 0
          ? postTransform.pair(score, isProbability: isPositive) : postTransform.apply([0, score])
        continue
      }
      for (index, value) in base.enumerated() where index < own.count {
        own[index] = rounded((own[index] ?? 0) + value, isDouble)
      }
      labels.append(indexOfLargest(own.map { $0 ?? -.infinity }))
      scores += postTransform.apply(own.map { $0 ?? 0 })
    }
    return [
      names.tensor(labels).map { .tensor($0) },
      Tensor(.float32, [count, names.count], doubles: scores).map { .tensor($0) },
    ]
  }
}
