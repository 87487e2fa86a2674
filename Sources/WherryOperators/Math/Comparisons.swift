import WherryGraph

/// Whether `A = B`; NaN equals nothing.
/// - Source: ONNX operator specification, Equal-19.
public struct Equal: Comparison {
  public init() {}
  public static let signature = Signature.binary(
    "Equal", .numbers.union(.bool).union(.string), gives: .bool)
  public func holds<T: Comparable>(_ x: T, _ y: T) -> Bool { x == y }
}

/// Whether `A < B`; never with NaN.
/// - Source: ONNX operator specification, Less-13.
public struct Less: Comparison {
  public init() {}
  public static let signature = Signature.binary("Less", .numbers, gives: .bool)
  public func holds<T: Comparable>(_ x: T, _ y: T) -> Bool { x < y }
}

/// Whether `A <= B`; never with NaN.
/// - Source: ONNX operator specification, LessOrEqual-16.
public struct LessOrEqual: Comparison {
  public init() {}
  public static let signature = Signature.binary("LessOrEqual", .numbers, gives: .bool)
  public func holds<T: Comparable>(_ x: T, _ y: T) -> Bool { x <= y }
}

/// Whether `A > B`; never with NaN.
/// - Source: ONNX operator specification, Greater-13.
public struct Greater: Comparison {
  public init() {}
  public static let signature = Signature.binary("Greater", .numbers, gives: .bool)
  public func holds<T: Comparable>(_ x: T, _ y: T) -> Bool { x > y }
}

/// Whether `A >= B`; never with NaN.
/// - Source: ONNX operator specification, GreaterOrEqual-16.
public struct GreaterOrEqual: Comparison {
  public init() {}
  public static let signature = Signature.binary("GreaterOrEqual", .numbers, gives: .bool)
  public func holds<T: Comparable>(_ x: T, _ y: T) -> Bool { x >= y }
}
