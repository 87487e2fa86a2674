import Glibc
import WherryBytes
import WherryGraph

/// What becomes of a classical model's raw scores.
///
/// - Source: ONNX ai.onnx.ml specification, attribute `post_transform`; the inverse error function is
///   Winitzki's approximation with 0.147, as ONNX's reference has it.
public enum PostTransform: String, AttributeConvertible {
  case none = "NONE"
  case softmax = "SOFTMAX"
  case logistic = "LOGISTIC"
  /// Softmax over the scores that are not 0.
  case softmaxZero = "SOFTMAX_ZERO"
  case probit = "PROBIT"

  /// The transform of one row.
  func apply(_ scores: [Double]) -> [Double] {
    switch self {
    case .none: return scores
    case .logistic: return scores.map { Self.logistic($0) }
    case .probit: return scores.map { Self.probit($0) }
    case .softmax:
      let top = scores.max() ?? 0
      let powers = scores.map { exp($0 - top) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    case .softmaxZero:
      let top = scores.max() ?? 0
      let powers = scores.map { $0.magnitude > 1e-7 ? exp($0 - top) : $0 * exp(-top) }
      let sum = zip(scores, powers).reduce(0) { $1.0.magnitude > 1e-7 ? $0 + $1.1 : $0 }
      return powers.map { $0 / sum }
    }
  }

  /// Both classes' scores from the one score of a two-class model: the positive class last.
  ///
  /// - Parameter isProbability: whether the other class has `1 - score` instead of `-score`.
  func pair(_ score: Double, isProbability: Bool) -> [Double] {
    switch self {
    case .logistic: [Self.logistic(-score), Self.logistic(score)]
    case .probit: [Self.probit(1 - score), Self.probit(score)]
    case .none, .softmax, .softmaxZero: [isProbability ? 1 - score : -score, score]
    }
  }

  static func logistic(_ x: Double) -> Double {
    let positive = 1 / (1 + exp(-x.magnitude))
    return x < 0 ? 1 - positive : positive
  }

  private static func probit(_ x: Double) -> Double {
    let y = 2 * x - 1
    let logarithm = log((1 - y) * (1 + y))
    let half = 2 / (3.14159 * 0.147) + 0.5 * logarithm
    let root = (-half + (half * half - logarithm / 0.147).squareRoot()).squareRoot()
    return 2.0.squareRoot() * (y < 0 ? -root : root)
  }
}

/// The labels of a classifier, integers or strings.
struct ClassNames: Sendable {
  let integers: [Int]
  let strings: [Bytes]

  /// Strings win when both are given.
  init(_ integers: [Int]?, _ strings: [Bytes]?) {
    (self.integers, self.strings) = (integers ?? [], strings ?? [])
  }

  var count: Int { strings.isEmpty ? integers.count : strings.count }
  var element: ElementType { strings.isEmpty ? .int64 : .string }

  /// The labels of the classes `indices`; an index past the labels stands for itself.
  func tensor(_ indices: [Int]) -> Tensor? {
    guard strings.isEmpty else {
      let blank = Bytes()
      return Tensor(
        [indices.count], strings: indices.map { $0 < strings.count ? strings[$0] : blank })
    }
    let labels = indices.map { Int64($0 < integers.count ? integers[$0] : $0) }
    return Tensor(.int64, [indices.count], integers: labels)
  }
}

/// The index of the largest number, the first of equals.
func indexOfLargest(_ numbers: [Double]) -> Int {
  var best = 0
  for (index, number) in numbers.enumerated() where number > numbers[best] { best = index }
  return best
}

extension Tensor {
  /// Rows of features: `[N, F]`, or `[F]` as one row.
  ///
  /// - Throws: `RunError.badInput` for scalars and more axes.
  func rows() throws(RunError) -> (count: Int, width: Int, values: [Double]) {
    guard rank == 1 || rank == 2, let width = shape.last else {
      throw RunError(.badInput("features of shape \(shape)"))
    }
    return (rank == 1 ? 1 : shape[0], width, doubles)
  }
}

extension InferenceSite {
  /// The number of rows of input 0, features.
  var rows: Dimension {
    guard let shape = shape(0) else { return .unknown }
    return shape.rank == 2 ? shape[0] : 1
  }
}

extension ElementSet {
  /// What classical models take as features.
  static let features = ElementSet(.float32, .float64, .int32, .int64)
  static let labels = ElementSet(.int64, .string)
  static let float32 = ElementSet(.float32)
}
