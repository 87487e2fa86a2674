import Glibc
import WherryGraph

/// `x`, or `alpha * x` below zero.
/// - Source: ONNX operator specification, LeakyRelu-16.
public struct LeakyRelu: FloatUnary {
  public var alpha: Float = 0.01

  public init() {}
  public static let signature = Signature.unary("LeakyRelu")
  public static let fields: [Field<LeakyRelu>] = [Field("alpha", \.alpha)]
  public func apply(_ x: Double) -> Double { x < 0 ? Double(alpha) * x : x }
}

/// `x`, or `alpha * (e^x - 1)` below zero.
/// - Source: ONNX operator specification, Elu-22.
public struct Elu: FloatUnary {
  public var alpha: Float = 1

  public init() {}
  public static let signature = Signature.unary("Elu")
  public static let fields: [Field<Elu>] = [Field("alpha", \.alpha)]
  public func apply(_ x: Double) -> Double { x < 0 ? Double(alpha) * expm1(x) : x }
}

/// `max(0, x) + min(0, alpha * (e^(x / alpha) - 1))`.
/// - Source: ONNX operator specification, Celu-28.
public struct Celu: FloatUnary {
  public var alpha: Float = 1

  public init() {}
  public static let signature = Signature.unary("Celu")
  public static let fields: [Field<Celu>] = [Field("alpha", \.alpha)]

  public func apply(_ x: Double) -> Double {
    let negative = Double(alpha) * expm1(x / Double(alpha))
    return (x < 0 ? 0 : x) + (negative > 0 ? 0 : negative)
  }
}

/// `gamma * x`, or `gamma * alpha * (e^x - 1)` at and below zero.
/// - Source: ONNX operator specification, Selu-22.
public struct Selu: FloatUnary {
  public var alpha: Float = 1.67326319217681884765625
  public var gamma: Float = 1.05070102214813232421875

  public init() {}
  public static let signature = Signature.unary("Selu")
  public static let fields: [Field<Selu>] = [Field("alpha", \.alpha), Field("gamma", \.gamma)]
  public func apply(_ x: Double) -> Double {
    Double(gamma) * (x <= 0 ? Double(alpha) * expm1(x) : x)
  }
}

/// `max(0, min(1, alpha * x + beta))`.
/// - Source: ONNX operator specification, HardSigmoid-22.
public struct HardSigmoid: FloatUnary {
  public var alpha: Float = 0.2
  public var beta: Float = 0.5

  public init() {}
  public static let signature = Signature.unary("HardSigmoid")
  public static let fields: [Field<HardSigmoid>] = [Field("alpha", \.alpha), Field("beta", \.beta)]
  public func apply(_ x: Double) -> Double { clamped(Double(alpha) * x + Double(beta), 0, 1) }
}

/// `x` above `alpha`, 0 elsewhere.
/// - Source: ONNX operator specification, ThresholdedRelu-22.
public struct ThresholdedRelu: FloatUnary {
  public var alpha: Float = 1

  public init() {}
  public static let signature = Signature.unary("ThresholdedRelu")
  public static let fields: [Field<ThresholdedRelu>] = [Field("alpha", \.alpha)]
  public func apply(_ x: Double) -> Double { x > Double(alpha) ? x : 0 }
}

/// `x / (1 + e^(-alpha * x))`.
/// - Source: ONNX operator specification, Swish-24.
public struct Swish: FloatUnary {
  public var alpha: Float = 1

  public init() {}
  public static let signature = Signature.unary("Swish")
  public static let fields: [Field<Swish>] = [Field("alpha", \.alpha)]
  public func apply(_ x: Double) -> Double { x * logistic(Double(alpha) * x) }
}

/// `x + bias` below `-lambd`, `x - bias` above `lambd`, 0 between. Integers are computed in float64
/// and truncated.
/// - Source: ONNX operator specification, Shrink-9.
public struct Shrink: FloatUnary {
  public var bias: Float = 0
  public var threshold: Float = 0.5

  public init() {}
  public static let signature = Signature.unary(
    "Shrink", .integers.union(ElementSet(.float16, .float32, .float64)), "input", "output")
  public static let fields: [Field<Shrink>] = [Field("bias", \.bias), Field("lambd", \.threshold)]

  public func apply(_ x: Double) -> Double {
    if x < -Double(threshold) { return x + Double(bias) }
    return x > Double(threshold) ? x - Double(bias) : 0
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    return single(Tensor(x.element, x.shape, truncating: x.doubles.map { apply($0) }))
  }
}

/// `x`, or `slope * x` below zero; `slope` broadcasts to `X`'s shape.
/// - Source: ONNX operator specification, PRelu-16.
public struct PRelu: Operator {
  public init() {}
  public static let signature = Signature(
    "PRelu", [.init("X", .wideNumbers), .init("slope", .wideNumbers)], [.init("Y", .wideNumbers)])
  public static let fields: [Field<PRelu>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let x = site.shape(0), let broadcast = try site.broadcastShape(2), broadcast.rank != x.rank {
      throw TypeError(.rank(input: 1, broadcast.rank, expected: "at most \(x.rank)"))
    }
    site.set(0, try site.commonElement(0..<2), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, slope) = try call.pair()
    let walk = try Broadcast([x.shape, slope.shape])
    guard walk.shape == x.shape else {
      throw RunError(.badInput("slope \(slope.shape) does not broadcast to \(x.shape)"))
    }
    if x.element.isFloat {
      let y = walk.map(x.doubles, x.shape, slope.doubles, slope.shape) { $0 < 0 ? $0 * $1 : $0 }
      return single(Tensor(x.element, x.shape, doubles: y))
    }
    guard x.element != .uint64 else { return single(x) }
    let y = walk.map(x.integers, x.shape, slope.integers, slope.shape) { $0 < 0 ? $0 &* $1 : $0 }
    return single(Tensor(x.element, x.shape, integers: y))
  }
}

/// `A / (1 + e^(-alpha * A)) * B`, for a gate `A` and a value `B` of one shape.
/// - Source: ONNX operator specification, SwiGLU-28.
public struct SwiGLU: Operator {
  public var alpha: Float = 1

  public init() {}
  public static let signature = Signature(
    "SwiGLU", [.init("A", .floats), .init("B", .floats)], [.init("Y", .floats)])
  public static let fields: [Field<SwiGLU>] = [Field("alpha", \.alpha)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let element = try site.commonElement(0..<2)
    guard
      let merged = ValueType.merge(
        .tensor(element ?? .float32, site.shape(0)), .tensor(element ?? .float32, site.shape(1)))
    else { throw TypeError(.shape("A and B have different shapes")) }
    site.set(0, element, merged.shape)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = try call.pair()
    guard a.shape == b.shape else {
      throw RunError(.badInput("A \(a.shape) and B \(b.shape) have different shapes"))
    }
    let y = zip(a.doubles, b.doubles).map { $0 * logistic(Double(alpha) * $0) * $1 }
    return single(Tensor(a.element, a.shape, doubles: y))
  }
}
