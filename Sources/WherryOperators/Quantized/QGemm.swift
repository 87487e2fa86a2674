import WherryGraph

/// `alpha * A' * B' + C` of 8-bit matrices, quantized again or as float32.
///
/// `A: [M, K]` or, with `transA`, `[K, M]`, scale and zero point one number each; `B: [K, N]` or
/// `[N, K]`, scale and zero point one number or `[N]`; `C: int32` at scale `alpha * a_scale * b_scale`
/// broadcasts to `[M, N]` and is added to the accumulator. With `y_scale` the result is requantized by
/// `Requantization`, without it `float32(acc) * float32(alpha * a_scale * b_scale)`.
/// - Source: ONNX Runtime contrib operators, com.microsoft.QGemm-1.
public struct QGemm: Operator {
  public var alpha: Float = 1
  public var transA = false
  public var transB = false

  public init() {}

  public static let signature = Signature(
    "QGemm", domain: OperatorName.contribDomain,
    [
      .init("A", .bytes), .scale("a_scale"), .init("a_zero_point", .bytes), .init("B", .bytes),
      .scale("b_scale"), .init("b_zero_point", .bytes), .init("C", ElementSet(.int32), .optional),
      .init("y_scale", .float32, .optional), .zeroPoint("y_zero_point"),
    ],
    [.init("Y", ElementSet.bytes.union(.float32))])

  public static let fields: [Field<QGemm>] = [
    Field("alpha", \.alpha), Field("transA", \.transA), Field("transB", \.transB),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in [0, 3] {
      guard let rank = site.rank(index), rank != 2 else { continue }
      throw TypeError(.rank(input: index, rank, expected: "2"))
    }
    let (a, b) = (site.shape(0), site.shape(3))
    if let a, let b, Dimension.merge(a[transA ? 0 : 1], b[transB ? 1 : 0]) == nil {
      throw TypeError(.shape("A \(a) and B \(b) have different inner extents"))
    }
    let y = Shape([
      a.map { $0[transA ? 1 : 0] } ?? .unknown, b.map { $0[transB ? 0 : 1] } ?? .unknown,
    ])
    if let c = site.shape(6), Shape.broadcast(y, c)?.rank != 2 {
      throw TypeError(.shape("C \(c) does not broadcast to \(y)"))
    }
    let own = site.has(8) ? site.element(8) : site.element(0)
    site.set(0, site.has(7) ? own : .float32, y)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let a = try call.quantized(0, scale: 1, zeroPoint: 2)
    let b = try call.tensor(3)
    guard a.shape.count == 2, b.rank == 2, ElementSet.bytes.contains(b.element) else {
      throw RunError(.badInput("A and B must be 8-bit matrices"))
    }
    let columns = b.shape[transB ? 0 : 1]
    let grain = try ColumnScales(call, scale: 4, zeroPoint: 5, columns: columns)
    var x = a.centred
    if transA { x = transposed(x, rows: a.shape[0], columns: a.shape[1]) }
    var y = b.integers
    if transB { y = transposed(y, rows: b.shape[0], columns: b.shape[1]) }
    y = grain.centred(y)
    let product = try MatrixProduct(
      transA ? a.shape.reversed() : a.shape, transB ? b.shape.reversed() : b.shape)
    var sums = product.multiply(x, y)
    if let c = try call.optionalTensor(6) {
      let walk = try Broadcast([product.shape, c.shape])
      guard walk.shape == product.shape else {
        throw RunError(.badInput("C \(c.shape) does not broadcast to \(product.shape)"))
      }
      sums = walk.map(sums, product.shape, c.integers, c.shape) { $0 &+ $1 }
    }
    let outer = Double(alpha) * Double(a.scale)
    guard call.has(7) else {
      let factors = grain.scales.map { Float(outer * $0) }
      let reals = sums.indices.map { Float(sums[$0]) * factors[grain.place($0)] }
      return single(Tensor(.float32, product.shape, elements: reals))
    }
    let target = try call.target(scale: 7, zeroPoint: 8, element: a.element)
    let factors = grain.scales.map { Requantization.scale(outer, $0, Double(target.scale)) }
    return target.tensor(
      product.shape,
      sums.indices.map { target.requantize(sums[$0], factors[grain.place($0)]) })
  }
}

/// Scales and zero points of a matrix's columns: one for all, or one each.
struct ColumnScales: Sendable {
  let columns: Int
  /// One number or `columns`.
  let scales: [Double]
  private let zeros: [Int64]

  /// - Throws: `RunError.badInput` when there are neither one nor `columns` of them.
  init(_ call: OperatorCall, scale: Int, zeroPoint: Int, columns: Int) throws(RunError) {
    self.columns = columns
    scales = try call.tensor(scale).doubles
    let given = try call.optionalTensor(zeroPoint)
    zeros = given?.integers ?? [0]
    guard given.map({ ElementSet.bytes.contains($0.element) }) ?? true else {
      throw RunError(.badInput("input \(zeroPoint), a zero point, is not of 8 bits"))
    }
    guard scales.count == 1 || scales.count == columns, zeros.count == 1 || zeros.count == columns
    else {
      throw RunError(
        .badInput("\(scales.count) scales, \(zeros.count) zero points, \(columns) columns"))
    }
  }

  /// Where the scale of a row-major element stands.
  func place(_ index: Int) -> Int { scales.count == 1 ? 0 : index % columns }

  /// The elements of a row-major matrix less their zero points.
  func centred(_ values: [Int64]) -> [Int64] {
    if zeros.count == 1 { return values.map { $0 - zeros[0] } }
    return values.enumerated().map { $1 - zeros[$0 % columns] }
  }
}
