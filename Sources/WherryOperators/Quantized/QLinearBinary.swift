import WherryGraph

/// An operator on pairs of elements of two broadcast 8-bit tensors.
///
/// Inputs: `A`, its scale and zero point, `B`, its scale and zero point, the result's scale and zero
/// point; zero points left out are 0. Types of `A`, `B` and the result may differ in sign.
public protocol QuantizedBinary: Operator {
  /// The result before rounding, from operands less their zero points: float32 operations only.
  static func evaluator(_ a: Float, _ b: Float, _ y: Float) -> (Int64, Int64) -> Float
}

extension QuantizedBinary {
  public static var fields: [Field<Self>] { [] }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(3) else {
      return site.set(0, site.element(7) ?? site.element(0), nil)
    }
    guard let shape = Shape.broadcast(a, b) else {
      throw TypeError(.shape("\(a) and \(b) can't be broadcast together"))
    }
    site.set(0, site.has(7) ? site.element(7) : site.element(0), shape)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let a = try call.quantized(0, scale: 1, zeroPoint: 2)
    let b = try call.quantized(3, scale: 4, zeroPoint: 5)
    let target = try call.target(scale: 6, zeroPoint: 7, element: a.element)
    let walk = try Broadcast([a.shape, b.shape])
    let body = Self.evaluator(a.scale, b.scale, target.scale)
    let y = walk.map(a.centred, a.shape, b.centred, b.shape) { target.round(body($0, $1)) }
    return target.tensor(walk.shape, y)
  }
}

extension Signature {
  fileprivate static func quantizedBinary(_ name: String, domain: String) -> Signature {
    Signature(
      name, domain: domain,
      [
        .init("A", .bytes), .scale("A_scale"), .zeroPoint("A_zero_point"), .init("B", .bytes),
        .scale("B_scale"), .zeroPoint("B_zero_point"), .scale("C_scale"),
        .zeroPoint("C_zero_point"),
      ],
      [.init("C", .bytes)])
  }
}

/// `saturate(round(float32(float32((a - za) * fa) + float32((b - zb) * fb))) + zc)` with
/// `fa = float32(sa / sc)`, `fb = float32(sb / sc)`.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearAdd-1.
public struct QLinearAdd: QuantizedBinary {
  public init() {}
  public static let signature = Signature.quantizedBinary(
    "QLinearAdd", domain: OperatorName.contribDomain)

  public static func evaluator(_ a: Float, _ b: Float, _ y: Float) -> (Int64, Int64) -> Float {
    let (factorA, factorB) = (Requantization.ratio(a, y), Requantization.ratio(b, y))
    return { Float($0) * factorA + Float($1) * factorB }
  }
}

/// `QLinearAdd` with the second operand taken away.
public struct QLinearSub: QuantizedBinary {
  public init() {}
  public static let signature = Signature.quantizedBinary(
    "QLinearSub", domain: OperatorName.ownDomain)

  public static func evaluator(_ a: Float, _ b: Float, _ y: Float) -> (Int64, Int64) -> Float {
    let (factorA, factorB) = (Requantization.ratio(a, y), Requantization.ratio(b, y))
    return { Float($0) * factorA - Float($1) * factorB }
  }
}

/// `saturate(round(float32((a - za) * (b - zb)) * f) + zc)` with `f = float32(sa * sb / sc)`.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearMul-1.
public struct QLinearMul: QuantizedBinary {
  public init() {}
  public static let signature = Signature.quantizedBinary(
    "QLinearMul", domain: OperatorName.contribDomain)

  public static func evaluator(_ a: Float, _ b: Float, _ y: Float) -> (Int64, Int64) -> Float {
    let factor = Requantization.scale(Double(a), Double(b), Double(y))
    return { Float($0 * $1) * factor }
  }
}

extension Requantization {
  /// `float32(x / y)`, divided in float64 and rounded once.
  static func ratio(_ x: Float, _ y: Float) -> Float { Float(Double(x) / Double(y)) }
}
