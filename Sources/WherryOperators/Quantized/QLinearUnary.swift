import WherryGraph

/// A function of each element of one 8-bit tensor: `Q(f(DQ(q)))`, `f` rounded once to float32.
public protocol QuantizedUnary: Operator {
  func apply(_ x: Double) -> Double
}

extension QuantizedUnary {
  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.has(4) ? site.element(4) : site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    let target = try call.target(scale: 3, zeroPoint: 4, element: x.element)
    return target.tensor(x.shape, x.mapped(to: target) { Float(apply(Double($0))) })
  }
}

extension Signature {
  fileprivate static func quantizedUnary(_ name: String) -> Signature {
    Signature(
      name, domain: OperatorName.contribDomain,
      [
        .init("X", .bytes), .scale("X_scale"), .zeroPoint("X_zero_point"), .scale("Y_scale"),
        .zeroPoint("Y_zero_point"),
      ],
      [.init("Y", .bytes)])
  }
}

/// `1 / (1 + e^-x)` of 8-bit values.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearSigmoid-1.
public struct QLinearSigmoid: QuantizedUnary {
  public init() {}
  public static let signature = Signature.quantizedUnary("QLinearSigmoid")
  public static let fields: [Field<QLinearSigmoid>] = []
  public func apply(_ x: Double) -> Double { logistic(x) }
}

/// `x` where it is not negative, else `alpha * x`, of 8-bit values.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearLeakyRelu-1.
public struct QLinearLeakyRelu: QuantizedUnary {
  public var alpha: Float = 0.01

  public init() {}
  public static let signature = Signature.quantizedUnary("QLinearLeakyRelu")
  public static let fields: [Field<QLinearLeakyRelu>] = [Field("alpha", \.alpha)]
  public func apply(_ x: Double) -> Double { x >= 0 ? x : Double(alpha) * x }
}
