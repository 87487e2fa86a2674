import WherryGraph

/// General matrix multiplication: `Y = alpha * A' * B' + beta * C`.
///
/// `A: [M, K]` or, with `transA`, `[K, M]`; `B: [K, N]` or `[N, K]`; `C` broadcasts to `Y: [M, N]`.
/// Integers are scaled in float64 and truncated.
/// - Source: ONNX operator specification, Gemm-13.
public struct Gemm: Operator {
  public var alpha: Float = 1
  public var beta: Float = 1
  public var transA = false
  public var transB = false

  public init() {}

  public static let signature = Signature(
    "Gemm",
    [
      .init("A", .wideNumbers), .init("B", .wideNumbers), .init("C", .wideNumbers, .optional),
    ],
    [.init("Y", .wideNumbers)])

  public static let fields: [Field<Gemm>] = [
    Field("alpha", \.alpha), Field("beta", \.beta), Field("transA", \.transA),
    Field("transB", \.transB),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let element = try site.commonElement(0..<3)
    for index in 0..<2 {
      guard let rank = site.rank(index), rank != 2 else { continue }
      throw TypeError(.rank(input: index, rank, expected: "2"))
    }
    let (a, b) = (site.shape(0), site.shape(1))
    if let a, let b, Dimension.merge(a[transA ? 0 : 1], b[transB ? 1 : 0]) == nil {
      throw TypeError(.shape("A \(a) and B \(b) have different inner extents"))
    }
    let y = Shape([
      a.map { $0[transA ? 1 : 0] } ?? .unknown, b.map { $0[transB ? 0 : 1] } ?? .unknown,
    ])
    if let c = site.shape(2), Shape.broadcast(y, c)?.rank != 2 {
      throw TypeError(.shape("C \(c) does not broadcast to \(y)"))
    }
    site.set(0, element, y)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = try call.pair()
    let c = try call.optionalTensor(2)
    guard a.rank == 2, b.rank == 2 else { throw RunError(.badInput("A and B must be matrices")) }
    guard c == nil || c?.element == a.element else {
      throw RunError(.badInput("C has another element type"))
    }
    let product = try MatrixProduct(
      transA ? a.shape.reversed() : a.shape, transB ? b.shape.reversed() : b.shape)
    let walk = try Broadcast([product.shape, c?.shape ?? []])
    guard walk.shape == product.shape else {
      throw RunError(.badInput("C \(c?.shape ?? []) does not broadcast to \(product.shape)"))
    }
    if !a.element.isFloat, alpha == 1, beta == 1 || c == nil {
      var y = multiply(a, b, product) { $0.integers }
      if let c { y = walk.map(y, product.shape, c.integers, c.shape) { $0 &+ $1 } }
      return single(Tensor(a.element, product.shape, integers: y))
    }
    var y = multiply(a, b, product) { $0.doubles }
    let (alpha, beta) = (Double(alpha), Double(beta))
    if alpha != 1 { y = y.map { alpha * $0 } }
    if let c { y = walk.map(y, product.shape, c.doubles, c.shape) { $0 + beta * $1 } }
    return single(Tensor(a.element, product.shape, truncating: y))
  }

  private func multiply<T: ProductSum>(
    _ a: Tensor, _ b: Tensor, _ product: MatrixProduct, _ elements: (Tensor) -> [T]
  ) -> [T] {
    let x = elements(a)
    let y = elements(b)
    return product.multiply(
      transA ? transposed(x, rows: a.shape[0], columns: a.shape[1]) : x,
      transB ? transposed(y, rows: b.shape[0], columns: b.shape[1]) : y)
  }
}
