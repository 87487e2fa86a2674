import Glibc
import WherryGraph

private let domain = "ai.onnx.preview.training"
private let numbers = ElementSet(.float32, .float64)

/// The inputs and outputs that the optimizers share: rate `R`, update count `T`, then several lists of
/// tensors, each as long as that of the optimized ones.
private func optimizer(_ name: String) -> Signature {
  Signature(
    name, domain: domain,
    [.init("R", numbers), .init("T", .int64), .init("inputs", numbers, .variadic)],
    [.init("outputs", numbers, .variadic)])
}

/// One step of Adagrad: lists `X`, `G` (gradients), `H` (squared gradients); gives `X` and `H`.
///
/// - Source: ONNX operator specification, ai.onnx.preview.training Adagrad-1.
public struct Adagrad: Operator {
  public var decayFactor: Float = 0
  public var epsilon: Float = 1e-6
  public var normCoefficient: Float = 0

  public init() {}

  public static let signature = optimizer("Adagrad")

  public static let fields: [Field<Adagrad>] = [
    Field("decay_factor", \.decayFactor), Field("epsilon", \.epsilon),
    Field("norm_coefficient", \.normCoefficient),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) { site.inferUpdate(lists: 3) }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try call.update(lists: 3) { rate, count, v in
      let rate = rate / (1 + count * Double(decayFactor))
      let gradient = Double(normCoefficient) * v[0] + v[1]
      let squares = v[2] + gradient * gradient
      return [v[0] - rate * gradient / (squares.squareRoot() + Double(epsilon)), squares]
    }
  }
}

/// One step of Adam: lists `X`, `G` (gradients), `V` (their mean), `H` (mean of squares); gives `X`, `V`
/// and `H`.
///
/// - Source: ONNX operator specification, ai.onnx.preview.training Adam-1.
public struct Adam: Operator {
  public var alpha: Float = 0.9
  public var beta: Float = 0.999
  public var epsilon: Float = 1e-6
  public var normCoefficient: Float = 0
  public var normCoefficientPost: Float = 0

  public init() {}

  public static let signature = optimizer("Adam")

  public static let fields: [Field<Adam>] = [
    Field("alpha", \.alpha), Field("beta", \.beta), Field("epsilon", \.epsilon),
    Field("norm_coefficient", \.normCoefficient),
    Field("norm_coefficient_post", \.normCoefficientPost),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) { site.inferUpdate(lists: 4) }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (alpha, beta) = (Double(alpha), Double(beta))
    return try call.update(lists: 4) { rate, count, v in
      let gradient = Double(normCoefficient) * v[0] + v[1]
      let mean = alpha * v[2] + (1 - alpha) * gradient
      let squares = beta * v[3] + (1 - beta) * gradient * gradient
      let adjusted =
        count > 0 ? rate * (1 - pow(beta, count)).squareRoot() / (1 - pow(alpha, count)) : rate
      let moved = v[0] - adjusted * mean / (squares.squareRoot() + Double(epsilon))
      return [(1 - Double(normCoefficientPost)) * moved, mean, squares]
    }
  }
}

/// One step of gradient descent with momentum: lists `X`, `G` (gradients), `V` (momenta); gives `X` and
/// `V`.
///
/// - Source: ONNX operator specification, ai.onnx.preview.training Momentum-1.
public struct Momentum: Operator {
  public enum Mode: String, AttributeConvertible { case standard, nesterov }

  public var alpha: Float = 0
  public var beta: Float = 0
  public var mode = Mode.standard
  public var normCoefficient: Float = 0

  public init() {}

  public static let signature = optimizer("Momentum")

  public static let fields: [Field<Momentum>] = [
    Field("alpha", \.alpha, required: true), Field("beta", \.beta, required: true),
    Field("mode", \.mode, required: true),
    Field("norm_coefficient", \.normCoefficient, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) { site.inferUpdate(lists: 3) }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try call.update(lists: 3) { rate, count, v in
      let gradient = Double(normCoefficient) * v[0] + v[1]
      let momentum = Double(alpha) * v[2] + (count > 0 ? Double(beta) : 1) * gradient
      let step = mode == .standard ? momentum : gradient + Double(alpha) * momentum
      return [v[0] - rate * step, momentum]
    }
  }
}

/// The derivative of a value of the graph. Carried through conversions, not executed.
///
/// - Source: ONNX operator specification, ai.onnx.preview.training Gradient-1.
public struct Gradient: Operator {
  /// Names of the values to differentiate by, and of those that stay constant.
  public var xs: [String] = []
  public var y = ""
  public var zs: [String]?

  public init() {}

  public static let signature = Signature(
    "Gradient", domain: domain, [.init("Inputs", .all, .variadic)],
    [.init("Outputs", ElementSet(.float16, .float32, .float64), .variadic)])

  public static let fields: [Field<Gradient>] = [
    Field("xs", \.xs, required: true), Field("y", \.y, required: true), Field("zs", \.zs),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 0..<site.outputCount { site.set(index, site.element(index), site.shape(index)) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    throw RunError(.unsupported("running Gradient"))
  }
}

extension InferenceSite {
  /// New values have the types of the old ones: the first list, then those after the gradients.
  fileprivate mutating func inferUpdate(lists: Int) {
    let count = (inputs.count - 2) / lists
    for index in 0..<outputCount {
      let source = 2 + (index < count ? index : index + count)
      set(index, element(source), shape(source))
    }
  }
}

extension OperatorCall {
  /// Applies a step to the elements that stand at one place of each list.
  ///
  /// - Parameter step: from rate, update count and the lists' elements to the new elements of every list
  ///   but the gradients'.
  fileprivate func update(
    lists: Int, _ step: (Double, Double, [Double]) -> [Double]
  ) throws(RunError) -> [Value?] {
    let (rates, counts) = (try tensor(0).doubles, try tensor(1).doubles)
    let tensors = (inputs.count - 2) / lists
    guard let rate = rates.first, let count = counts.first, (inputs.count - 2) % lists == 0 else {
      throw RunError(.badInput("\(inputs.count) inputs in \(lists) lists"))
    }
    var results = [Value?](repeating: nil, count: tensors * (lists - 1))
    for index in 0..<tensors {
      var old: [[Double]] = []
      let first = try tensor(2 + index)
      for list in 0..<lists {
        let tensor = try tensor(2 + list * tensors + index)
        guard tensor.shape == first.shape else {
          throw RunError(.badInput("\(tensor.shape) beside \(first.shape)"))
        }
        old.append(tensor.doubles)
      }
      var new = [[Double]](repeating: [], count: lists - 1)
      for place in 0..<first.count {
        for (list, value) in step(rate, count, old.map { $0[place] }).enumerated() {
          new[list].append(value)
        }
      }
      for list in 0..<lists - 1 {
        results[list * tensors + index] = Tensor(first.element, first.shape, doubles: new[list])
          .map { .tensor($0) }
      }
    }
    return results
  }
}
