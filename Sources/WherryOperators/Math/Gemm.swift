import WherryGraph

/// General matrix multiplication: `Y = alpha * A' * B' + beta * C`.
///
/// `A: [M, K]` or, with `transA`, `[K, M]`; `B: [K, N]` or `[N, K]`; `C` broadcasts to `Y: [M, N]`.
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
      .init("A", .numbers), .init("B", .numbers), .init("C", .numbers, .optional),
    ],
    [.init("Y", .numbers)])

  public static let fields: [Field<Gemm>] = [
    Field("alpha", \.alpha), Field("beta", \.beta), Field("transA", \.transA),
    Field("transB", \.transB),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(1) else {
      site.set(0, site.element(0), Shape([.unknown, .unknown]))
      return
    }
    for (index, shape) in [a, b].enumerated() where shape.rank != 2 {
      throw TypeError(.rank(input: index, shape.rank, expected: "2"))
    }
    guard Dimension.merge(a[transA ? 0 : 1], b[transB ? 1 : 0]) != nil else {
      throw TypeError(.shape("A \(a) and B \(b) have different inner extents"))
    }
    site.set(0, site.element(0), Shape([a[transA ? 1 : 0], b[transB ? 0 : 1]]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = (try call.tensor(0), try call.tensor(1))
    guard a.rank == 2, b.rank == 2 else { throw RunError(.badInput("A and B must be matrices")) }
    let (m, k) = transA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let (n, kB) = transB ? (b.shape[0], b.shape[1]) : (b.shape[1], b.shape[0])
    guard k == kB else { throw RunError(.badInput("inner extents \(k) and \(kB) differ")) }
    let (x, y) = (a.doubles, b.doubles)
    var result = [Double](repeating: 0, count: m * n)
    for row in 0..<m {
      for column in 0..<n {
        var sum = 0.0
        for inner in 0..<k {
          sum +=
            x[transA ? inner * m + row : row * k + inner]
            * y[transB ? column * k + inner : inner * n + column]
        }
        result[row * n + column] = Double(alpha) * sum
      }
    }
    if let c = try call.optionalTensor(2) {
      guard c.rank <= 2 else { throw RunError(.badInput("C has rank \(c.rank)")) }
      let rows = c.rank == 2 ? c.shape[0] : 1
      let columns = c.rank == 0 ? 1 : c.shape[c.rank - 1]
      guard rows == 1 || rows == m, columns == 1 || columns == n else {
        throw RunError(.badInput("C \(c.shape) does not broadcast to [\(m), \(n)]"))
      }
      let z = c.doubles
      for row in 0..<m {
        for column in 0..<n {
          let at = (rows == 1 ? 0 : row) * columns + (columns == 1 ? 0 : column)
          result[row * n + column] += Double(beta) * z[at]
        }
      }
    }
    return [Tensor(a.element, [m, n], doubles: result).map { .tensor($0) }]
  }
}
