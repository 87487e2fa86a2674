import Glibc
import WherryGraph

/// `|x|`; the least signed integer stays itself.
/// - Source: ONNX operator specification, Abs-13.
public struct Abs: NumberUnary {
  public init() {}
  public static let signature = Signature.unary("Abs", .numbers)
  public func apply(_ x: Double) -> Double { x.magnitude }
  public func apply<T: FixedWidthInteger>(_ x: T) -> T { x < 0 ? 0 &- x : x }
}

/// `-x`, integers wrapping.
/// - Source: ONNX operator specification, Neg-13.
public struct Neg: NumberUnary {
  public init() {}
  public static let signature = Signature.unary("Neg", .signedNumbers)
  public func apply(_ x: Double) -> Double { -x }
  public func apply<T: FixedWidthInteger>(_ x: T) -> T { 0 &- x }
}

/// -1, 0 or 1; NaN stays NaN.
/// - Source: ONNX operator specification, Sign-13.
public struct Sign: NumberUnary {
  public init() {}
  public static let signature = Signature.unary("Sign", .numbers, "input", "output")
  public func apply(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x.isNaN ? x : 0 }
  public func apply<T: FixedWidthInteger>(_ x: T) -> T { x.signum() }
}

/// The least integer not below `x`.
/// - Source: ONNX operator specification, Ceil-13.
public struct Ceil: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Ceil")
  public func apply(_ x: Double) -> Double { x.rounded(.up) }
}

/// The greatest integer not above `x`.
/// - Source: ONNX operator specification, Floor-13.
public struct Floor: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Floor")
  public func apply(_ x: Double) -> Double { x.rounded(.down) }
}

/// The nearest integer, halves to the even one.
/// - Source: ONNX operator specification, Round-22.
public struct Round: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Round")
  public func apply(_ x: Double) -> Double { x.rounded(.toNearestOrEven) }
}

/// The square root; NaN below zero.
/// - Source: ONNX operator specification, Sqrt-13.
public struct Sqrt: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Sqrt")
  public func apply(_ x: Double) -> Double { x.squareRoot() }
}

/// `1 / x`.
/// - Source: ONNX operator specification, Reciprocal-13.
public struct Reciprocal: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Reciprocal")
  public func apply(_ x: Double) -> Double { 1 / x }
}

/// `e^x`.
/// - Source: ONNX operator specification, Exp-13.
public struct Exp: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Exp", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { exp(x) }
}

/// The natural logarithm.
/// - Source: ONNX operator specification, Log-13.
public struct Log: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Log", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { log(x) }
}

/// The error function.
/// - Source: ONNX operator specification, Erf-13.
public struct Erf: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Erf", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { erf(x) }
}

/// Whether an element is not a number.
/// - Source: ONNX operator specification, IsNaN-20.
public struct IsNaN: FloatTest {
  public init() {}
  public static let signature = Signature.unary(
    "IsNaN", .floats.union(.eightBitFloats), gives: .bool)
  public func holds(_ x: Double) -> Bool { x.isNaN }
}

/// Whether an element is infinite.
/// - Source: ONNX operator specification, IsInf-20.
public struct IsInf: FloatTest {
  public var detectsNegative = true
  public var detectsPositive = true

  public init() {}
  public static let signature = Signature.unary(
    "IsInf", .floats.union(.eightBitFloats), gives: .bool)
  public static let fields: [Field<IsInf>] = [
    Field("detect_negative", \.detectsNegative), Field("detect_positive", \.detectsPositive),
  ]
  public func holds(_ x: Double) -> Bool {
    x.isInfinite && (x < 0 ? detectsNegative : detectsPositive)
  }
}
