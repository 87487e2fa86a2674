import WherryGraph

/// The same bits under another element type of the same width.
/// - Source: ONNX operator specification, BitCast-26.
public struct BitCast: Operator {
  public var target = ElementType.float32

  private static let elements = ElementSet.all.subtracting(
    ElementSet(.string, .float6e2m3, .float6e3m2))

  public init() {}
  public static let signature = Signature.unary("BitCast", elements, "input", "output")
  public static let fields: [Field<BitCast>] = [Field("to", \.target, required: true)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let element = site.element(0), element.bitWidth != target.bitWidth {
      throw TypeError(.attribute("to", "\(target) is not as wide as \(element)"))
    }
    site.set(0, target, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.element.bitWidth == target.bitWidth, Self.elements.contains(target) else {
      throw RunError(.badInput("\(target) is not as wide as \(x.element)"))
    }
    return single(Tensor(target, x.shape, bytes: x.bytes))
  }
}
