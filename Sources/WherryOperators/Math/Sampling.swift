import Glibc
import WherryGraph

/// 0 or 1, the latter with the probability that the input's element gives.
/// - Source: ONNX operator specification, Bernoulli-22.
public struct Bernoulli: Operator, Nondeterministic {
  public var seed: Float?
  /// The result's element type; nil for the input's.
  public var target: ElementType?

  public init() {}
  public static let signature = Signature.unary(
    "Bernoulli", .floats, "input", "output", gives: .numbers.union(.bool))
  public static let fields: [Field<Bernoulli>] = [Field("dtype", \.target), Field("seed", \.seed)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, target ?? site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    var source = MersenneTwister(seed: seed)
    let draws = x.doubles.map { source.bernoulli($0) }
    return single(Tensor(target ?? x.element, x.shape, doubles: draws))
  }
}

/// Class numbers drawn from unnormalized log-probabilities.
///
/// `input: [batch, classes]`; the result is `[batch, sampleCount]`.
/// - Source: ONNX operator specification, Multinomial-22.
public struct Multinomial: Operator, Nondeterministic {
  public var target = ElementType.int32
  public var sampleCount = 1
  public var seed: Float?

  public init() {}
  public static let signature = Signature.unary(
    "Multinomial", .floats, "input", "output", gives: .indices)
  public static let fields: [Field<Multinomial>] = [
    Field("dtype", \.target), Field("sample_size", \.sampleCount), Field("seed", \.seed),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard ElementSet.indices.contains(target) else {
      throw TypeError(.attribute("dtype", "\(target) is neither int32 nor int64"))
    }
    guard sampleCount >= 0 else { throw TypeError(.attribute("sample_size", "\(sampleCount)")) }
    if let rank = site.rank(0), rank != 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, target, Shape([site.shape(0).map { $0[0] } ?? .unknown, .fixed(sampleCount)]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank == 2, x.shape[1] > 0, ElementSet.indices.contains(target), sampleCount >= 0 else {
      throw RunError(.badInput("Multinomial of \(x.shape) to \(target)"))
    }
    let classes = x.shape[1]
    let shape = [x.shape[0], sampleCount]
    var draws: [Int64] = []
    draws.reserveCapacity(try checkedCount(shape))
    var source = MersenneTwister(seed: seed)
    let values = x.doubles
    for row in 0..<x.shape[0] {
      let line = values[row * classes..<(row + 1) * classes]
      let top = line.reduce(-.infinity, greater)
      var sum = 0.0
      let cumulative = line.map { value -> Double in
        sum += exp(value - top)
        return sum
      }
      for _ in 0..<sampleCount {
        let mark = source.uniform() * sum
        draws.append(Int64(cumulative.firstIndex { mark < $0 } ?? classes - 1))
      }
    }
    return single(Tensor(target, shape, integers: draws))
  }
}

/// Passes its input on; in training, drops elements with probability `ratio` and scales up the
/// rest.
///
/// `data: [...]`, `ratio`: scalar in 0 ..< 1 (0.5 when left out), `training_mode`: bool scalar. The
/// second output says which elements stayed.
/// - Source: ONNX operator specification, Dropout-22.
public struct Dropout: Operator, Nondeterministic {
  public var seed: Int?

  private static let elements: ElementSet = .floats.union(.eightBitFloats)

  public init() {}
  public static let signature = Signature(
    "Dropout",
    [
      .init("data", elements), .init("ratio", elements, .optional),
      .init("training_mode", .bool, .optional),
    ],
    [.init("output", elements), .init("mask", .bool, .optional)])
  public static let fields: [Field<Dropout>] = [Field("seed", \.seed)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0), site.shape(0))
    site.set(1, .bool, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let ratio = try call.optionalTensor(1)?.scalar("ratio") ?? 0.5
    let isTraining = try call.optionalTensor(2)?.booleans.first ?? false
    guard isTraining, ratio != 0 else {
      let mask = Tensor(x.shape, booleans: Array(repeating: true, count: x.count))
      return [.tensor(x), mask.map { .tensor($0) }]
    }
    guard ratio > 0, ratio < 1 else { throw RunError(.badValue("a ratio of \(ratio)")) }
    var source = MersenneTwister(seed: seed.map { UInt32(truncatingIfNeeded: $0) })
    let mask = (0..<x.count).map { _ in source.uniform() >= ratio }
    let y = zip(x.doubles, mask).map { $1 ? $0 / (1 - ratio) : 0 }
    return [
      Tensor(x.element, x.shape, doubles: y).map { .tensor($0) },
      Tensor(x.shape, booleans: mask).map { .tensor($0) },
    ]
  }
}
