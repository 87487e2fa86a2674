import WherryBytes
import WherryGraph

/// How a number between two powers of two becomes `float8e8m0`.
public enum PowerRounding: String, AttributeConvertible {
  case up
  case down
  /// Halves go up.
  case nearest
}

/// The elements in another type, numbers and text alike.
///
/// Floats round half to even. Floats become integers by truncation, and integers keep their low
/// bits where they don't fit (for floats the standard leaves that undefined; past 64 bits they
/// saturate first, and NaN is 0). Text follows `NumberText`.
/// - Source: ONNX operator specification, Cast-28.
public struct Cast: Operator {
  public var target = ElementType.float32
  /// Past the largest 8-bit float: that float, instead of infinity or NaN.
  public var saturates = true
  public var rounding = PowerRounding.up

  static let elements = ElementSet.all.subtracting(ElementSet(.complex64, .complex128))

  public init() {}
  public static let signature = Signature.unary("Cast", elements, "input", "output")
  public static let fields: [Field<Cast>] = [
    Field("round_mode", \.rounding), Field("saturate", \.saturates),
    Field("to", \.target, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard Self.elements.contains(target) else {
      throw TypeError(.attribute("to", "can't cast to \(target)"))
    }
    site.set(0, target, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard Self.elements.contains(target) else { throw RunError(.unsupported("cast to \(target)")) }
    let conversion = Conversion(target: target, saturates: saturates, rounding: rounding)
    return single(try conversion.apply(try call.tensor(0)))
  }
}

/// The elements of input 0 in the type of input 1, whose contents don't matter.
/// - Source: ONNX operator specification, CastLike-25.
public struct CastLike: Operator {
  public var saturates = true
  public var rounding = PowerRounding.up

  private static let elements = Cast.elements.subtracting(ElementSet(.float6e2m3, .float6e3m2))

  public init() {}
  public static let signature = Signature(
    "CastLike", [.init("input", elements), .init("target_type", elements)],
    [.init("output", elements)])
  public static let fields: [Field<CastLike>] = [
    Field("round_mode", \.rounding), Field("saturate", \.saturates),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(1), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let target = try call.tensor(1).element
    let conversion = Conversion(target: target, saturates: saturates, rounding: rounding)
    return single(try conversion.apply(try call.tensor(0)))
  }
}

/// From one element type to another, as `Cast` does it.
struct Conversion: Sendable {
  let target: ElementType
  var saturates = true
  var rounding = PowerRounding.up

  /// - Throws: `RunError.badValue` for text that is no number.
  func apply(_ x: Tensor) throws(RunError) -> Tensor? {
    if x.element == target { return x }
    if x.element == .string { return try parse(x) }
    if target == .string { return Tensor(x.shape, strings: NumberText.write(x)) }
    if !x.element.isFloat {
      guard target.isFloat else { return Tensor(target, x.shape, integers: x.integers) }
      return fromFloats(x.shape, target == .float64 ? x.doubles : Self.roundedToOdd(x))
    }
    return fromFloats(x.shape, x.doubles)
  }

  private func fromFloats(_ shape: [Int], _ values: [Double]) -> Tensor? {
    switch target {
    case .bool: Tensor(shape, booleans: values.map { $0 != 0 })
    case .float8e8m0:
      Tensor(target, shape, elements: values.map { powerOfTwo($0) })
    default:
      target.isInteger
        ? Tensor(target, shape, integers: values.map(Self.whole))
        : Tensor(target, shape, doubles: values, saturate: saturates)
    }
  }

  /// The bits of a truncated number, as int64 or, above that, as uint64.
  private static func whole(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    let whole = value.rounded(.towardZero)
    if let exact = Int64(exactly: whole) { return exact }
    return whole < 0 ? .min : UInt64(exactly: whole).map { Int64(bitPattern: $0) } ?? .max
  }

  /// Integers as float64; those that it can't hold get an odd last bit, so that rounding them again
  /// to a narrower type gives what rounding once would.
  private static func roundedToOdd(_ x: Tensor) -> [Double] {
    func narrow<T: FixedWidthInteger>(_ value: T) -> Double {
      let near = Double(value)
      guard T(exactly: near) != value else { return near }
      // The two floats around the integer: one of them is odd.
      guard near.bitPattern & 1 == 0 else { return near }
      let isAbove = T(exactly: near).map { $0 > value } ?? (near > 0)
      return isAbove ? near.nextDown : near.nextUp
    }
    return switch IntegerView(x) {
    case .signed(let values): values.map { narrow($0) }
    case .unsigned(let values): values.map { narrow($0) }
    }
  }

  /// The pattern of a positive number's power of two; 255 is NaN. Zero and negative numbers give
  /// the least power.
  private func powerOfTwo(_ value: Double) -> UInt8 {
    if value.isNaN { return 255 }
    let most: UInt8 = saturates ? 254 : 255
    guard value.isFinite else { return value > 0 ? most : 0 }
    guard value > 0 else { return 0 }
    let isUp =
      switch rounding {
      case .up: value.significand > 1
      case .down: false
      case .nearest: value.significand >= 1.5
      }
    let exponent = Int(value.exponent) + (isUp ? 1 : 0) + 127
    return exponent > 254 ? most : UInt8(max(exponent, 0))
  }

  private func parse(_ x: Tensor) throws(RunError) -> Tensor? {
    var integers: [Int64] = []
    var floats: [Double] = []
    for bytes in x.strings {
      guard let text = bytes.text else { throw RunError(.badValue("text that is not UTF-8")) }
      if target.isInteger || target == .bool, let integer = NumberText.integer(text) {
        integers.append(integer)
      } else if let number = NumberText.number(text) {
        floats.append(number)
        integers.append(target == .bool ? (number == 0 ? 0 : 1) : Self.whole(number))
      } else {
        throw RunError(.badValue("\"\(text)\" is not a number"))
      }
    }
    if target.isFloat { return fromFloats(x.shape, floats) }
    return Tensor(target, x.shape, integers: integers)
  }
}
