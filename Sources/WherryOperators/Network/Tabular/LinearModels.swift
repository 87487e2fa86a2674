import WherryBytes
import WherryGraph

/// Scores that are linear in the features, and the class of the largest.
///
/// `X: [N, F]`, `coefficients: [rows, F]`, `intercepts: [rows]`; `Y: [N]` labels, `Z: [N, classes] float32`. One
/// row with two labels gives the positive class's score; the other's is its complement.
/// - Source: ONNX operator specification, ai.onnx.ml LinearClassifier-1; ONNX Runtime for one row.
public struct LinearClassifier: Operator {
  public var classlabelsInts: [Int]?
  public var classlabelsStrings: [Bytes]?
  public var coefficients: [Float] = []
  public var intercepts: [Float]?
  /// Carried; every class is scored on its own either way.
  public var multiClass = 0
  public var postTransform = PostTransform.none

  public init() {}

  public static let signature = Signature(
    "LinearClassifier", domain: OperatorName.mlDomain, [.init("X", .features)],
    [.init("Y", .labels), .init("Z", .float32)])

  public static let fields: [Field<LinearClassifier>] = [
    Field("classlabels_ints", \.classlabelsInts),
    Field("classlabels_strings", \.classlabelsStrings),
    Field("coefficients", \.coefficients, required: true), Field("intercepts", \.intercepts),
    Field("multi_class", \.multiClass), Field("post_transform", \.postTransform),
  ]

  private var names: ClassNames { ClassNames(classlabelsInts, classlabelsStrings) }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank > 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, names.element, Shape([site.rows]))
    site.set(1, .float32, Shape([site.rows, .fixed(max(names.count, intercepts?.count ?? 0))]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (count, width, values) = try call.tensor(0).rows()
    let rows = intercepts.map(\.count) ?? (width == 0 ? 0 : coefficients.count / width)
    let scores = try linear(values, count, width, coefficients, intercepts, targets: rows)
    let names = names
    let isPair = rows == 1 && names.count == 2
    var (labels, z): ([Int], [Double]) = ([], [])
    for row in 0..<count {
      let own = Array(scores[row * rows..<(row + 1) * rows])
      if rows == 1 {
        labels.append(own[0] > 0 ? 1 : 0)
        z += isPair ? postTransform.pair(own[0], isProbability: true) : postTransform.apply(own)
      } else {
        labels.append(indexOfLargest(own))
        z += postTransform.apply(own)
      }
    }
    return [
      names.tensor(labels).map { .tensor($0) },
      Tensor(.float32, [count, isPair ? 2 : rows], doubles: z).map { .tensor($0) },
    ]
  }
}

/// Targets that are linear in the features.
///
/// `X: [N, F]`, `coefficients: [targets, F]`, `intercepts: [targets]`; `Y: [N, targets] float32`.
/// - Source: ONNX operator specification, ai.onnx.ml LinearRegressor-1.
public struct LinearRegressor: Operator {
  public var coefficients: [Float]?
  public var intercepts: [Float]?
  public var postTransform = PostTransform.none
  public var targets = 1

  public init() {}

  public static let signature = Signature(
    "LinearRegressor", domain: OperatorName.mlDomain, [.init("X", .features)],
    [.init("Y", .float32)])

  public static let fields: [Field<LinearRegressor>] = [
    Field("coefficients", \.coefficients), Field("intercepts", \.intercepts),
    Field("post_transform", \.postTransform), Field("targets", \.targets),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank > 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, .float32, Shape([site.rows, .fixed(max(targets, 0))]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (count, width, values) = try call.tensor(0).rows()
    let scores = try linear(values, count, width, coefficients ?? [], intercepts, targets: targets)
    let y = (0..<count).flatMap {
      postTransform.apply(Array(scores[$0 * targets..<($0 + 1) * targets]))
    }
    return [Tensor(.float32, [count, targets], doubles: y).map { .tensor($0) }]
  }
}

/// `X coefficientsᵀ + intercepts` of `[count, width]` and `[targets, width]`.
func linear(
  _ values: [Double], _ count: Int, _ width: Int, _ coefficients: [Float], _ intercepts: [Float]?,
  targets: Int
) throws(RunError) -> [Double] {
  let shifts = intercepts.flatMap { $0.isEmpty ? nil : $0 }
  guard targets >= 0, Checked.multiply(targets, width) == coefficients.count,
    shifts?.count ?? targets == targets
  else {
    throw RunError(
      .badInput("\(coefficients.count) coefficients for \(targets) targets of \(width) features"))
  }
  _ = try RunError.count([count, targets])
  var scores = product(
    values[...], coefficients.map { Double($0) }[...], m: count, k: width, n: targets,
    transposed: true)
  if let shifts { for index in scores.indices { scores[index] += Double(shifts[index % targets]) } }
  return scores
}
