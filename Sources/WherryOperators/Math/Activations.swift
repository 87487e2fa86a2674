import Glibc
import WherryGraph

/// `1 / (1 + e^-x)`, without overflow.
func logistic(_ x: Double) -> Double {
  if x >= 0 { return 1 / (1 + exp(-x)) }
  let power = exp(x)
  return power / (1 + power)
}

/// `ln(1 + e^x)`, without overflow.
func softplus(_ x: Double) -> Double { x.isNaN ? x : max(x, 0) + log1p(exp(-x.magnitude)) }

/// `max(x, 0)`.
/// - Source: ONNX operator specification, Relu-14.
public struct Relu: NumberUnary {
  public init() {}
  public static let signature = Signature.unary("Relu", .signedNumbers)
  public func apply(_ x: Double) -> Double { x < 0 ? 0 : x }
  public func apply<T: FixedWidthInteger>(_ x: T) -> T { max(x, 0) }
}

/// `1 / (1 + e^-x)`.
/// - Source: ONNX operator specification, Sigmoid-13.
public struct Sigmoid: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Sigmoid")
  public func apply(_ x: Double) -> Double { logistic(x) }
}

/// `ln(1 + e^x)`.
/// - Source: ONNX operator specification, Softplus-22.
public struct Softplus: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Softplus")
  public func apply(_ x: Double) -> Double { softplus(x) }
}

/// `x / (1 + |x|)`.
/// - Source: ONNX operator specification, Softsign-22.
public struct Softsign: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Softsign", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { x / (1 + x.magnitude) }
}

/// `x * max(0, min(1, x / 6 + 0.5))`.
/// - Source: ONNX operator specification, HardSwish-22.
public struct HardSwish: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("HardSwish")
  public func apply(_ x: Double) -> Double { x * clamped(x / 6 + 0.5, 0, 1) }
}

/// `x * tanh(ln(1 + e^x))`.
/// - Source: ONNX operator specification, Mish-22.
public struct Mish: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Mish")
  public func apply(_ x: Double) -> Double { x * tanh(softplus(x)) }
}

/// `x` times the normal distribution's share below `x`.
/// - Source: ONNX operator specification, Gelu-20.
public struct Gelu: FloatUnary {
  public enum Approximation: String, AttributeConvertible {
    case none
    case tanh
  }
  public var approximation = Approximation.none

  public init() {}
  public static let signature = Signature.unary("Gelu")
  public static let fields: [Field<Gelu>] = [Field("approximate", \.approximation)]

  public func apply(_ x: Double) -> Double {
    switch approximation {
    case .none: 0.5 * x * (1 + erf(x * 0.5.squareRoot()))
    case .tanh:
      0.5 * x * (1 + Glibc.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }
}

/// `x` within `low...high`; NaN stays NaN; `high` wins when the bounds cross.
func clamped<T: Comparable>(_ x: T, _ low: T, _ high: T) -> T {
  let raised = x < low ? low : x
  return raised > high ? high : raised
}

/// Limits elements to `min...max`, both scalars; `max` wins when they cross.
/// - Source: ONNX operator specification, Clip-13.
public struct Clip: Operator {
  public init() {}
  public static let signature = Signature(
    "Clip",
    [
      .init("input", .numbers), .init("min", .numbers, .optional),
      .init("max", .numbers, .optional),
    ],
    [.init("output", .numbers)])
  public static let fields: [Field<Clip>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, try site.commonElement(0..<3), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let least = try bound(call, 1, x.element)
    let most = try bound(call, 2, x.element)
    if x.element.isFloat {
      let (low, high) = (least?.doubles.first ?? -.infinity, most?.doubles.first ?? .infinity)
      return single(Tensor(x.element, x.shape, doubles: x.doubles.map { clamped($0, low, high) }))
    }
    if case .unsigned(let values) = IntegerView(x) {
      let low = UInt64(bitPattern: least?.integers.first ?? 0)
      let high = UInt64(bitPattern: most?.integers.first ?? -1)
      return single(Tensor(x.element, x.shape, wrapping: values.map { clamped($0, low, high) }))
    }
    let (low, high) = (least?.integers.first ?? .min, most?.integers.first ?? .max)
    return single(Tensor(x.element, x.shape, integers: x.integers.map { clamped($0, low, high) }))
  }

  private func bound(
    _ call: OperatorCall, _ index: Int, _ element: ElementType
  ) throws(RunError) -> Tensor? {
    guard let tensor = try call.optionalTensor(index) else { return nil }
    guard tensor.element == element else {
      throw RunError(.type(.element(input: index, tensor.element)))
    }
    guard tensor.count == 1 else { throw RunError(.badInput("bound of shape \(tensor.shape)")) }
    return tensor
  }
}
