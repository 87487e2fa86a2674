import Glibc
import WherryGraph

/// `A + B`.
/// - Source: ONNX operator specification, Add-14.
public struct Add: NumberBinary {
  public init() {}
  public static let signature = Signature.binary("Add", .numbers)
  public func apply(_ x: Double, _ y: Double) -> Double { x + y }
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x &+ y }
}

/// `A - B`.
/// - Source: ONNX operator specification, Sub-14.
public struct Sub: NumberBinary {
  public init() {}
  public static let signature = Signature.binary("Sub", .numbers)
  public func apply(_ x: Double, _ y: Double) -> Double { x - y }
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x &- y }
}

/// `A * B`.
/// - Source: ONNX operator specification, Mul-14.
public struct Mul: NumberBinary {
  public init() {}
  public static let signature = Signature.binary("Mul", .numbers)
  public func apply(_ x: Double, _ y: Double) -> Double { x * y }
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x &* y }
}

/// `A / B`; integers are truncated towards zero, and a quotient by zero is 0.
/// - Source: ONNX operator specification, Div-14.
public struct Div: NumberBinary {
  public init() {}
  public static let signature = Signature.binary("Div", .numbers)
  public func apply(_ x: Double, _ y: Double) -> Double { x / y }
  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T {
    y == 0 ? 0 : x.dividedReportingOverflow(by: y).partialValue
  }
}

/// The remainder of `A / B`: with `usesTruncation` of the quotient truncated towards zero (the sign
/// of `A`), otherwise of the quotient rounded down (the sign of `B`). An integer remainder by zero
/// is 0.
/// - Source: ONNX operator specification, Mod-28.
public struct Mod: NumberBinary {
  public var usesTruncation = false

  public init() {}
  public static let signature = Signature.binary("Mod", .numbers)
  public static let fields: [Field<Mod>] = [Field("fmod", \.usesTruncation)]

  public func apply(_ x: Double, _ y: Double) -> Double {
    let remainder = fmod(x, y)
    if usesTruncation || remainder.isNaN { return remainder }
    if remainder == 0 { return y < 0 ? -0.0 : 0 }
    return (remainder < 0) != (y < 0) ? remainder + y : remainder
  }

  public func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T {
    guard y != 0 else { return 0 }
    let remainder = x.remainderReportingOverflow(dividingBy: y).partialValue
    if usesTruncation || remainder == 0 { return remainder }
    return (remainder < 0) != (y < 0) ? remainder &+ y : remainder
  }
}

/// `X^Y` in `X`'s type. Integer powers wrap; a negative exponent truncates the quotient.
///
/// `X` and `Y` broadcast and may differ in type.
/// - Source: ONNX operator specification, Pow-15.
public struct Pow: Operator {
  private static let bases: ElementSet = .floats.union(.indices)

  public init() {}
  public static let signature = Signature(
    "Pow", [.init("X", bases), .init("Y", .numbers)], [.init("Z", bases)])
  public static let fields: [Field<Pow>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0), try site.broadcastShape(2))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, y) = (try call.tensor(0), try call.tensor(1))
    let walk = try Broadcast([x.shape, y.shape])
    if x.element.isFloat || y.element.isFloat {
      let z = walk.map(x.doubles, x.shape, y.doubles, y.shape) { pow($0, $1) }
      return single(Tensor(x.element, walk.shape, truncating: z))
    }
    let isUnsigned = y.element == .uint64
    let z = walk.map(x.integers, x.shape, y.integers, y.shape) { base, exponent in
      Self.power(base, exponent, isUnsigned: isUnsigned)
    }
    return single(Tensor(x.element, walk.shape, integers: z))
  }

  private static func power(_ base: Int64, _ exponent: Int64, isUnsigned: Bool) -> Int64 {
    if exponent < 0, !isUnsigned {
      return base == 1 ? 1 : base == -1 ? (exponent & 1 == 0 ? 1 : -1) : 0
    }
    var (result, square, left) = (Int64(1), base, UInt64(bitPattern: exponent))
    while left > 0 {
      if left & 1 == 1 { result &*= square }
      square &*= square
      left >>= 1
    }
    return result
  }
}
