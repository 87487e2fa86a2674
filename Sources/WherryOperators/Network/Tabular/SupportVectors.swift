import Glibc
import WherryBytes
import WherryGraph

/// How two feature vectors are compared.
public enum SupportVectorKernel: String, AttributeConvertible {
  case linear = "LINEAR"
  case poly = "POLY"
  case rbf = "RBF"
  case sigmoid = "SIGMOID"

  /// - Parameter parameters: gamma, coef0, degree.
  func apply(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>, _ parameters: [Double]) -> Double {
    let (gamma, shift, degree) = (parameters[0], parameters[1], parameters[2])
    let dot = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    switch self {
    case .linear: return dot
    case .poly: return pow(gamma * dot + shift, degree)
    case .sigmoid: return tanh(gamma * dot + shift)
    case .rbf: return exp(-gamma * zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) })
    }
  }
}

/// The kernels of one row with each support vector.
private func kernels(
  _ kernel: SupportVectorKernel, _ parameters: [Float]?, _ row: ArraySlice<Double>,
  _ vectors: [Double], count: Int
) -> [Double] {
  let given = (parameters ?? []).map { Double($0) }
  let padded = given + Array(repeating: 0, count: max(0, 3 - given.count))
  return (0..<count).map {
    kernel.apply(row, vectors[$0 * row.count..<($0 + 1) * row.count], padded)
  }
}

/// Support vector regression, or a one-class test (1 inside, -1 outside).
///
/// `X: [N, F]`, `support_vectors: [n_supports, F]`, `coefficients: [n_supports]`, or `[F]` without support
/// vectors; `Y: [N, 1] float32`.
/// - Source: ONNX operator specification, ai.onnx.ml SVMRegressor-1.
public struct SVMRegressor: Operator {
  public var coefficients: [Float]?
  /// gamma, coef0, degree.
  public var kernelParams: [Float]?
  public var kernelType = SupportVectorKernel.linear
  public var nSupports = 0
  public var oneClass = false
  public var postTransform = PostTransform.none
  public var rho: [Float]?
  public var supportVectors: [Float]?

  public init() {}

  public static let signature = Signature(
    "SVMRegressor", domain: OperatorName.mlDomain, [.init("X", .features)], [.init("Y", .float32)])

  public static let fields: [Field<SVMRegressor>] = [
    Field("coefficients", \.coefficients), Field("kernel_params", \.kernelParams),
    Field("kernel_type", \.kernelType), Field("n_supports", \.nSupports),
    Field("one_class", \.oneClass), Field("post_transform", \.postTransform), Field("rho", \.rho),
    Field("support_vectors", \.supportVectors),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank > 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, .float32, Shape([site.rows, 1]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (count, width, values) = try call.tensor(0).rows()
    let weights = (coefficients ?? []).map { Double($0) }
    let vectors = (supportVectors ?? []).map { Double($0) }
    guard nSupports >= 0, weights.count == (nSupports > 0 ? nSupports : width),
      nSupports == 0 || Checked.multiply(nSupports, width) == vectors.count
    else { throw RunError(.badInput("\(vectors.count) numbers for \(nSupports) support vectors")) }
    let y = (0..<count).map { index -> Double in
      let row = values[index * width..<(index + 1) * width]
      let terms =
        nSupports > 0
        ? kernels(kernelType, kernelParams, row, vectors, count: nSupports) : Array(row)
      let sum = zip(terms, weights).reduce(Double(rho?.first ?? 0)) { $0 + $1.0 * $1.1 }
      if oneClass { return sum > 0 ? 1 : -1 }
      return postTransform.apply([sum])[0]
    }
    return [Tensor(.float32, [count, 1], doubles: y).map { .tensor($0) }]
  }
}

/// Support vector classification: every pair of classes compared, or one linear score a class.
///
/// `X: [N, F]`, `support_vectors: [V, F]` class by class, `coefficients: [classes - 1, V]`, `rho: [pairs]`;
/// without support vectors `coefficients: [classes, F]` and one `rho`. `Y: [N]` labels; `Z` has the classes'
/// probabilities when `prob_a` and `prob_b` are given, else the pairs' scores (of two classes `-s, s`).
/// - Source: ONNX operator specification, ai.onnx.ml SVMClassifier-1, and ONNX Runtime; Wu, Lin and Weng,
///   "Probability estimates for multi-class classification by pairwise coupling", 2004.
public struct SVMClassifier: Operator {
  public var classlabelsInts: [Int]?
  public var classlabelsStrings: [Bytes]?
  public var coefficients: [Float]?
  /// gamma, coef0, degree.
  public var kernelParams: [Float]?
  public var kernelType = SupportVectorKernel.linear
  public var postTransform = PostTransform.none
  public var probA: [Float]?
  public var probB: [Float]?
  public var rho: [Float]?
  public var supportVectors: [Float]?
  public var vectorsPerClass: [Int]?

  public init() {}

  public static let signature = Signature(
    "SVMClassifier", domain: OperatorName.mlDomain, [.init("X", .features)],
    [.init("Y", .labels), .init("Z", .float32)])

  public static let fields: [Field<SVMClassifier>] = [
    Field("classlabels_ints", \.classlabelsInts),
    Field("classlabels_strings", \.classlabelsStrings), Field("coefficients", \.coefficients),
    Field("kernel_params", \.kernelParams), Field("kernel_type", \.kernelType),
    Field("post_transform", \.postTransform), Field("prob_a", \.probA), Field("prob_b", \.probB),
    Field("rho", \.rho), Field("support_vectors", \.supportVectors),
    Field("vectors_per_class", \.vectorsPerClass),
  ]

  private var names: ClassNames { ClassNames(classlabelsInts, classlabelsStrings) }

  private var scoreCount: Int {
    let classes = names.count
    let isPairwise = (vectorsPerClass ?? []).contains { $0 > 0 } && (probA ?? []).isEmpty
    return isPairwise && classes > 2 ? classes * (classes - 1) / 2 : classes
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank > 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, names.element, Shape([site.rows]))
    site.set(1, .float32, Shape([site.rows, .fixed(scoreCount)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (count, width, values) = try call.tensor(0).rows()
    let names = names
    let size = try RunError.count([count, scoreCount])
    var (labels, z): ([Int], [Double]) = ([], [])
    z.reserveCapacity(size)
    let machine = try Machine(self, classes: names.count, width: width)
    for index in 0..<count {
      let row = values[index * width..<(index + 1) * width]
      guard let machine else {
        let scores = try linear(
          Array(row), 1, width, coefficients ?? [], nil, targets: names.count
        ).map { $0 + Double(rho?.first ?? 0) }
        let best = indexOfLargest(scores)
        labels.append(label(best, scores[best], classes: names.count))
        z += postTransform.apply(scores)
        continue
      }
      let (votes, scores) = machine.compare(row)
      labels.append(indexOfLargest(votes))
      if let probabilities = machine.probabilities(scores) {
        z += postTransform.apply(probabilities)
      } else if names.count == 2 {
        z += postTransform.pair(scores[0], isProbability: postTransform != .none)
      } else {
        z += postTransform.apply(scores)
      }
    }
    return [
      names.tensor(labels).map { .tensor($0) },
      Tensor(.float32, [count, scoreCount], doubles: z).map { .tensor($0) },
    ]
  }

  /// The class of a linear model's best score; of two classes the score's size decides too.
  private func label(_ best: Int, _ score: Double, classes: Int) -> Int {
    guard classes == 2 else { return best }
    let isPositive = (coefficients ?? []).allSatisfy { $0 >= 0 }
    return score > 0 && (!isPositive || score >= 0.5) ? 1 : best
  }

  /// The pairwise machine with its lists checked.
  private struct Machine {
    let owner: SVMClassifier
    let classes: Int
    let sizes: [Int]
    let starts: [Int]
    let vectors: [Double]
    let weights: [Double]
    let total: Int

    /// nil when there are no support vectors.
    init?(_ owner: SVMClassifier, classes: Int, width: Int) throws(RunError) {
      let sizes = owner.vectorsPerClass ?? []
      self.sizes = sizes
      vectors = (owner.supportVectors ?? []).map { Double($0) }
      weights = (owner.coefficients ?? []).map { Double($0) }
      (self.owner, self.classes) = (owner, classes)
      guard sizes.contains(where: { $0 != 0 }) else {
        guard classes > 0 else { throw RunError(.badInput("no classes")) }
        return nil
      }
      let total = vectors.count / max(width, 1)
      guard sizes.count == classes, sizes.allSatisfy({ $0 >= 0 && $0 <= total }),
        sizes.reduce(0, +) == total, vectors.count == total * width,
        weights.count >= (classes - 1) * total,
        (owner.rho ?? []).count >= classes * (classes - 1) / 2,
        (owner.probA ?? []).count == (owner.probB ?? []).count,
        (owner.probA ?? []).isEmpty || (owner.probA ?? []).count >= classes * (classes - 1) / 2
      else { throw RunError(.badInput("\(total) support vectors of \(classes) classes")) }
      self.total = total
      starts = sizes.indices.map { sizes[..<$0].reduce(0, +) }
    }

    /// Votes of the classes and scores of the pairs.
    func compare(_ row: ArraySlice<Double>) -> (votes: [Double], scores: [Double]) {
      let kernels = kernels(owner.kernelType, owner.kernelParams, row, vectors, count: total)
      var (votes, scores) = ([Double](repeating: 0, count: classes), [Double]())
      for first in 0..<classes {
        for second in first + 1..<max(classes, first + 1) {
          var sum = Double(owner.rho?[scores.count] ?? 0)
          for index in starts[first]..<starts[first] + sizes[first] {
            sum += weights[(second - 1) * total + index] * kernels[index]
          }
          for index in starts[second]..<starts[second] + sizes[second] {
            sum += weights[first * total + index] * kernels[index]
          }
          votes[sum > 0 ? first : second] += 1
          scores.append(sum)
        }
      }
      return (votes, scores)
    }

    /// The classes' probabilities by pairwise coupling; nil without `prob_a`.
    func probabilities(_ scores: [Double]) -> [Double]? {
      guard let a = owner.probA, let b = owner.probB, !a.isEmpty else { return nil }
      var pairs = [Double](repeating: 0, count: classes * classes)
      var index = 0
      for first in 0..<classes {
        for second in first + 1..<max(classes, first + 1) {
          let value =
            1 - PostTransform.logistic(scores[index] * Double(a[index]) + Double(b[index]))
          let clamped = min(max(value, 1e-7), 1 - 1e-7)
          pairs[first * classes + second] = clamped
          pairs[second * classes + first] = 1 - clamped
          index += 1
        }
      }
      return coupled(pairs)
    }

    private func coupled(_ r: [Double]) -> [Double] {
      let n = classes
      var q = [Double](repeating: 0, count: n * n)
      for i in 0..<n {
        for j in 0..<n where j != i {
          q[i * n + i] += r[j * n + i] * r[j * n + i]
          q[i * n + j] = -r[j * n + i] * r[i * n + j]
        }
      }
      var p = [Double](repeating: 1 / Double(n), count: n)
      for _ in 0..<100 {
        var products = (0..<n).map { i in (0..<n).reduce(0) { $0 + q[i * n + $1] * p[$1] } }
        var total = zip(p, products).reduce(0) { $0 + $1.0 * $1.1 }
        if products.allSatisfy({ ($0 - total).magnitude < 0.005 / Double(n) }) { break }
        for i in 0..<n {
          let change = (total - products[i]) / q[i * n + i]
          p[i] += change
          total =
            (total + change * (change * q[i * n + i] + 2 * products[i]))
            / ((1 + change) * (1 + change))
          for j in 0..<n {
            products[j] = (products[j] + change * q[i * n + j]) / (1 + change)
            p[j] /= 1 + change
          }
        }
      }
      return p
    }
  }
}
