import WherryGraph

private let eightBit = ElementSet(.int8, .uint8)

/// A parameter of a quantized matrix: one number, one a row (left operand) or one a column (right).
///
/// A vector as long as the rows or columns, or a tensor `[..., M, 1]` or `[..., 1, N]`.
private func spread(
  _ parameter: Tensor, _ values: [Double], over shape: [Int], isLeft: Bool
) throws(RunError) -> [Double] {
  var own = parameter.shape
  if parameter.count == 1 { own = [] }
  if isLeft, own.count == 1 { own.append(1) }
  let walk = try Broadcast([shape, own])
  guard walk.shape == shape else {
    throw RunError(.badInput("quantization parameter \(parameter.shape) doesn't fit \(shape)"))
  }
  return walk.expand(values, own)
}

/// `(A - a_zero_point) * (B - b_zero_point)` in int32, as `numpy.matmul`.
///
/// Zero points are scalars, or one a row of `A` and one a column of `B`.
/// - Source: ONNX operator specification, MatMulInteger-10.
public struct MatMulInteger: Operator {
  public init() {}
  public static let signature = Signature(
    "MatMulInteger",
    [
      .init("A", eightBit), .init("B", eightBit),
      .init("a_zero_point", eightBit, .optional), .init("b_zero_point", eightBit, .optional),
    ],
    [.init("Y", ElementSet(.int32))])
  public static let fields: [Field<MatMulInteger>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(1) else { return site.set(0, .int32, nil) }
    site.set(0, .int32, try MatrixProduct.shape(a, b))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = (try call.tensor(0), try call.tensor(1))
    let product = try MatrixProduct(a.shape, b.shape)
    let x = try shifted(a, call.optionalTensor(2), isLeft: true)
    let y = try shifted(b, call.optionalTensor(3), isLeft: false)
    return single(Tensor(.int32, product.shape, integers: product.multiply(x, y)))
  }

  private func shifted(
    _ matrix: Tensor, _ zeroPoint: Tensor?, isLeft: Bool
  ) throws(RunError) -> [Int64] {
    guard let zeroPoint else { return matrix.integers }
    let zeros = try spread(zeroPoint, zeroPoint.doubles, over: matrix.shape, isLeft: isLeft)
    return zip(matrix.integers, zeros).map { $0 - Int64($1) }
  }
}

/// The product of two quantized matrices, quantized again.
///
/// Scales and zero points are scalars, or one a row of `a` and one a column of `b`. 8-bit integers
/// are summed in integers and requantized by `Requantization`; 8-bit floats are computed in
/// float64.
/// - Source: ONNX operator specification, QLinearMatMul-21.
public struct QLinearMatMul: Operator {
  private static let matrices = eightBit.union(.eightBitFloats)
  private static let scales = ElementSet(.float32, .float16, .bfloat16)

  public init() {}
  public static let signature = Signature(
    "QLinearMatMul",
    [
      .init("a", matrices), .init("a_scale", scales), .init("a_zero_point", matrices),
      .init("b", matrices), .init("b_scale", scales), .init("b_zero_point", matrices),
      .init("y_scale", scales), .init("y_zero_point", matrices),
    ],
    [.init("y", matrices)])
  public static let fields: [Field<QLinearMatMul>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(3) else {
      return site.set(0, site.element(7), nil)
    }
    site.set(0, site.element(7), try MatrixProduct.shape(a, b))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = (try call.tensor(0), try call.tensor(3))
    let product = try MatrixProduct(a.shape, b.shape)
    let x = try shifted(a, call.tensor(2), isLeft: true)
    let y = try shifted(b, call.tensor(5), isLeft: false)
    // Products of 8-bit numbers and their sums are exact in float64.
    let sums = product.multiply(x, y)
    let zeroPoint = try call.tensor(7)
    let scalesA = try scales(call.tensor(1), product, isLeft: true)
    let scalesB = try scales(call.tensor(4), product, isLeft: false)
    let scalesY = try scales(call.tensor(6), product, isLeft: true)
    let zeros = try spread(
      zeroPoint, zeroPoint.doubles, over: product.shape, isLeft: product.shape.count > 1)
    if zeroPoint.element.isFloat {
      let result = sums.indices.map {
        sums[$0] * scalesA[$0] * scalesB[$0] / scalesY[$0] + zeros[$0]
      }
      return single(Tensor(zeroPoint.element, product.shape, doubles: result))
    }
    let bounds = zeroPoint.element.integerRange
    let result = sums.indices.map { index in
      let scale = Requantization.scale(scalesA[index], scalesB[index], scalesY[index])
      return Requantization.saturate(
        Double(Float(sums[index]) * scale), zeroPoint: Int64(zeros[index]), bounds)
    }
    return single(Tensor(zeroPoint.element, product.shape, integers: result))
  }

  private func shifted(
    _ matrix: Tensor, _ zeroPoint: Tensor, isLeft: Bool
  ) throws(RunError) -> [Double] {
    guard zeroPoint.element == matrix.element else {
      throw RunError(.badInput("a zero point is \(zeroPoint.element), not \(matrix.element)"))
    }
    let zeros = try spread(zeroPoint, zeroPoint.doubles, over: matrix.shape, isLeft: isLeft)
    return zip(matrix.doubles, zeros).map { $0 - $1 }
  }

  private func scales(
    _ scale: Tensor, _ product: MatrixProduct, isLeft: Bool
  ) throws(RunError) -> [Double] {
    try spread(
      scale, scale.doubles, over: product.shape, isLeft: isLeft && product.shape.count > 1)
  }
}
