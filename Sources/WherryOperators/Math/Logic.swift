import WherryGraph

/// `A and B`.
/// - Source: ONNX operator specification, And-7.
public struct And: IntegerBinary {
  public init() {}
  public static let signature = Signature.binary("And", .bool)
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x & y }
}

/// `A or B`.
/// - Source: ONNX operator specification, Or-7.
public struct Or: IntegerBinary {
  public init() {}
  public static let signature = Signature.binary("Or", .bool)
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x | y }
}

/// Whether exactly one of `A` and `B` is true.
/// - Source: ONNX operator specification, Xor-7.
public struct Xor: IntegerBinary {
  public init() {}
  public static let signature = Signature.binary("Xor", .bool)
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x ^ y }
}

/// `A & B` bit by bit.
/// - Source: ONNX operator specification, BitwiseAnd-18.
public struct BitwiseAnd: IntegerBinary {
  public init() {}
  public static let signature = Signature.binary("BitwiseAnd", .integers)
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x & y }
}

/// `A | B` bit by bit.
/// - Source: ONNX operator specification, BitwiseOr-18.
public struct BitwiseOr: IntegerBinary {
  public init() {}
  public static let signature = Signature.binary("BitwiseOr", .integers)
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x | y }
}

/// `A ^ B` bit by bit.
/// - Source: ONNX operator specification, BitwiseXor-18.
public struct BitwiseXor: IntegerBinary {
  public init() {}
  public static let signature = Signature.binary("BitwiseXor", .integers)
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x ^ y }
}

/// The opposite truth value.
/// - Source: ONNX operator specification, Not-1.
public struct Not: NumberUnary {
  public init() {}
  public static let signature = Signature.unary("Not", .bool)
  public func apply(_ x: Double) -> Double { .nan }
  public func apply<T: FixedWidthInteger>(_ x: T) -> T { x == 0 ? 1 : 0 }
}

/// Every bit inverted.
/// - Source: ONNX operator specification, BitwiseNot-18.
public struct BitwiseNot: NumberUnary {
  public init() {}
  public static let signature = Signature.unary("BitwiseNot", .integers)
  public func apply(_ x: Double) -> Double { .nan }
  public func apply<T: FixedWidthInteger>(_ x: T) -> T { ~x }
}

/// `X` shifted by `Y` bits; right shifts copy the sign. A shift by a negative number, or by as many
/// bits as there are or more, leaves only what is shifted in.
/// - Source: ONNX operator specification, BitShift-28.
public struct BitShift: IntegerBinary {
  public enum Direction: String, AttributeConvertible {
    case left = "LEFT"
    case right = "RIGHT"
  }
  public var direction = Direction.left

  public init() {}
  public static let signature = Signature(
    "BitShift", [.init("X", .integers), .init("Y", .integers)], [.init("Z", .integers)])
  public static let fields: [Field<BitShift>] = [
    Field("direction", \.direction, required: true)
  ]

  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T {
    // Narrow types come widened, so that the bits past their width fall away when stored.
    let bits = y < 0 || y >= T.bitWidth ? T.bitWidth : Int(truncatingIfNeeded: y)
    return direction == .left ? x << bits : x >> bits
  }
}
