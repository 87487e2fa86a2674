import Glibc
import WherryGraph

/// The sine of radians.
/// - Source: ONNX operator specification, Sin-22.
public struct Sin: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Sin", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { sin(x) }
}

/// The cosine of radians.
/// - Source: ONNX operator specification, Cos-22.
public struct Cos: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Cos", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { cos(x) }
}

/// The tangent of radians.
/// - Source: ONNX operator specification, Tan-22.
public struct Tan: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Tan", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { tan(x) }
}

/// The arcsine, in radians.
/// - Source: ONNX operator specification, Asin-22.
public struct Asin: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Asin", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { asin(x) }
}

/// The arccosine, in radians.
/// - Source: ONNX operator specification, Acos-22.
public struct Acos: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Acos", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { acos(x) }
}

/// The arctangent, in radians.
/// - Source: ONNX operator specification, Atan-22.
public struct Atan: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Atan", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { atan(x) }
}

/// The hyperbolic sine.
/// - Source: ONNX operator specification, Sinh-22.
public struct Sinh: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Sinh", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { sinh(x) }
}

/// The hyperbolic cosine.
/// - Source: ONNX operator specification, Cosh-22.
public struct Cosh: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Cosh", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { cosh(x) }
}

/// The hyperbolic tangent.
/// - Source: ONNX operator specification, Tanh-13.
public struct Tanh: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Tanh", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { tanh(x) }
}

/// The inverse hyperbolic sine.
/// - Source: ONNX operator specification, Asinh-22.
public struct Asinh: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Asinh", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { asinh(x) }
}

/// The inverse hyperbolic cosine.
/// - Source: ONNX operator specification, Acosh-22.
public struct Acosh: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Acosh", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { acosh(x) }
}

/// The inverse hyperbolic tangent.
/// - Source: ONNX operator specification, Atanh-22.
public struct Atanh: FloatUnary {
  public init() {}
  public static let signature = Signature.unary("Atanh", .floats, "input", "output")
  public func apply(_ x: Double) -> Double { atanh(x) }
}
