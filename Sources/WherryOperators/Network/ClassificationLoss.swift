import Glibc
import WherryGraph

/// How the losses of single elements become one.
public enum LossReduction: String, AttributeConvertible {
  case none, sum
  /// Divided by the sum of the weights.
  case mean
}

/// The weighted negative log likelihood of the target classes.
///
/// `input: [N, C, d1 … dk]` (log probabilities), `target: [N, d1 … dk]`, `weight: [C]`; `loss` is a scalar
/// or, without reduction, has the shape of `target`.
/// - Source: ONNX operator specification, NegativeLogLikelihoodLoss-22.
public struct NegativeLogLikelihoodLoss: Operator {
  /// A target that counts for nothing.
  public var ignoreIndex: Int?
  public var reduction = LossReduction.mean

  public init() {}

  public static let signature = Signature(
    "NegativeLogLikelihoodLoss",
    [.init("input", .floats), .init("target", .indices), .init("weight", .floats, .optional)],
    [.init("loss", .floats)])

  public static let fields: [Field<NegativeLogLikelihoodLoss>] = [
    Field("ignore_index", \.ignoreIndex), Field("reduction", \.reduction),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferLoss(reduction)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    return [try call.loss(x.doubles, reduction, ignoreIndex).map { .tensor($0) }]
  }
}

/// The cross entropy between the softmax of the scores and the target classes.
///
/// `scores: [N, C, d1 … dk]`, `labels: [N, d1 … dk]`, `weights: [C]`; `output` is a scalar or, without
/// reduction, has the shape of `labels`; `log_prob: [N, C, d1 … dk]`.
/// - Source: ONNX operator specification, SoftmaxCrossEntropyLoss-13.
public struct SoftmaxCrossEntropyLoss: Operator {
  /// A target that counts for nothing.
  public var ignoreIndex: Int?
  public var reduction = LossReduction.mean

  public init() {}

  public static let signature = Signature(
    "SoftmaxCrossEntropyLoss",
    [.init("scores", .floats), .init("labels", .indices), .init("weights", .floats, .optional)],
    [.init("output", .floats), .init("log_prob", .floats, .optional)])

  public static let fields: [Field<SoftmaxCrossEntropyLoss>] = [
    Field("ignore_index", \.ignoreIndex), Field("reduction", \.reduction),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.inferLoss(reduction)
    site.set(1, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank >= 2 else { throw RunError(.badInput("scores have rank \(x.rank)")) }
    let (classes, plane) = (x.shape[1], x.shape.dropFirst(2).reduce(1, *))
    var logs = x.doubles
    for line in 0..<(classes == 0 ? 0 : logs.count / classes) {
      let start = line / plane * classes * plane + line % plane
      let places = stride(from: start, to: start + classes * plane, by: plane)
      let top = places.reduce(-Double.infinity) { max($0, logs[$1]) }
      let sum = log(places.reduce(0) { $0 + exp(logs[$1] - top) })
      for place in places { logs[place] = logs[place] - top - sum }
    }
    return [
      try call.loss(logs, reduction, ignoreIndex).map { .tensor($0) },
      Tensor(x.element, x.shape, doubles: logs).map { .tensor($0) },
    ]
  }
}

extension InferenceSite {
  fileprivate mutating func inferLoss(_ reduction: LossReduction) throws(TypeError) {
    try requireRank(0, 2...)
    if let x = shape(0), let target = shape(1) {
      let expected = [x[0]] + x.dimensions.dropFirst(2)
      guard expected.count == target.rank,
        zip(expected, target.dimensions).allSatisfy({ Dimension.merge($0, $1) != nil })
      else { throw TypeError(.shape("targets of shape \(target) for \(x)")) }
    }
    set(0, element(0), reduction == .none ? shape(1) : Shape([]))
  }
}

extension OperatorCall {
  /// The loss of log probabilities with the shape of input 0, targets in input 1 and weights in input 2.
  fileprivate func loss(
    _ logs: [Double], _ reduction: LossReduction, _ ignored: Int?
  ) throws(RunError) -> Tensor? {
    let (x, target) = (try tensor(0), try tensor(1))
    guard x.rank >= 2, target.shape == [x.shape[0]] + x.shape.dropFirst(2) else {
      throw RunError(.badInput("targets of shape \(target.shape) for \(x.shape)"))
    }
    let (classes, plane) = (x.shape[1], x.shape.dropFirst(2).reduce(1, *))
    let weights = try optionalTensor(2)?.doubles
    guard weights?.count ?? classes == classes else {
      throw RunError(.badInput("\(weights?.count ?? 0) weights for \(classes) classes"))
    }
    var (losses, total): ([Double], Double) = ([], 0)
    for (index, label) in target.integers.enumerated() {
      if let ignored, label == Int64(ignored) {
        losses.append(0)
        continue
      }
      guard label >= 0, label < classes else {
        throw RunError(.badValue("class \(label) of \(classes)"))
      }
      let weight = weights?[Int(label)] ?? 1
      let place = (index / plane * classes + Int(label)) * plane + index % plane
      losses.append(-weight * logs[place])
      total += weight
    }
    switch reduction {
    case .none: return Tensor(x.element, target.shape, doubles: losses)
    case .sum: return Tensor(x.element, [], doubles: [losses.reduce(0, +)])
    case .mean: return Tensor(x.element, [], doubles: [losses.reduce(0, +) / total])
    }
  }
}
