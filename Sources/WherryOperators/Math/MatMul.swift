import WherryGraph

/// Matrix product as `numpy.matmul`: `A: [..., M, K]`, `B: [..., K, N]`, `Y: [..., M, N]`; the
/// leading axes broadcast, and a vector stands for one row on the left, one column on the right.
/// - Source: ONNX operator specification, MatMul-13.
public struct MatMul: Operator {
  public init() {}
  public static let signature = Signature(
    "MatMul", [.init("A", .wideNumbers), .init("B", .wideNumbers)], [.init("Y", .wideNumbers)])
  public static let fields: [Field<MatMul>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let element = try site.commonElement(0..<2)
    guard let a = site.shape(0), let b = site.shape(1) else { return site.set(0, element, nil) }
    site.set(0, element, try MatrixProduct.shape(a, b))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = try call.pair()
    let product = try MatrixProduct(a.shape, b.shape)
    if a.element.isFloat {
      let y = product.multiply(a.doubles, b.doubles)
      return single(Tensor(a.element, product.shape, doubles: y))
    }
    return single(
      Tensor(a.element, product.shape, integers: product.multiply(a.integers, b.integers)))
  }
}
