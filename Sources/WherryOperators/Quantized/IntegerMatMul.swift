import WherryGraph

/// The product of two 8-bit matrices as float: `float32(acc) * float32(a_scale * b_scale)`, then the
/// bias.
///
/// `A: [..., M, K]`, its scale and zero point one number each; `B: [..., K, N]`, scale and zero point
/// one number or `[N]`; `bias: [N]`. Sums are exact; each later step is one float32 operation.
/// - Source: ONNX Runtime contrib operators, com.microsoft.MatMulIntegerToFloat-1.
public struct MatMulIntegerToFloat: Operator {
  public init() {}

  private static let reals = ElementSet(.float32, .float16)
  public static let signature = Signature(
    "MatMulIntegerToFloat", domain: OperatorName.contribDomain,
    [
      .init("A", .bytes), .init("B", .bytes), .init("a_scale", reals), .init("b_scale", reals),
      .zeroPoint("a_zero_point"), .zeroPoint("b_zero_point"), .init("bias", reals, .optional),
    ],
    [.init("Y", reals)])

  public static let fields: [Field<MatMulIntegerToFloat>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(1) else {
      return site.set(0, site.element(2), nil)
    }
    site.set(0, site.element(2), try MatrixProduct.shape(a, b))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let a = try call.quantized(0, scale: 2, zeroPoint: 4)
    let product = try IntegerProduct(a, call, b: 1, scale: 3, zeroPoint: 5)
    return try product.real(
      element: try call.tensor(2).element, bias: try call.optionalTensor(6))
  }
}

/// `MatMulIntegerToFloat` of a float32 matrix that is quantized by `DynamicQuantizeLinear` first.
///
/// - Source: ONNX Runtime contrib operators, com.microsoft.DynamicQuantizeMatMul-1.
public struct DynamicQuantizeMatMul: Operator {
  public init() {}

  public static let signature = Signature(
    "DynamicQuantizeMatMul", domain: OperatorName.contribDomain,
    [
      .init("A", .float32), .init("B", .bytes), .scale("b_scale"), .zeroPoint("b_zero_point"),
      .init("bias", .float32, .optional),
    ],
    [.init("Y", .float32)])

  public static let fields: [Field<DynamicQuantizeMatMul>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let a = site.shape(0), let b = site.shape(1) else { return site.set(0, .float32, nil) }
    site.set(0, .float32, try MatrixProduct.shape(a, b))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let a = try DynamicQuantizeLinear.quantized(try call.tensor(0))
    let product = try IntegerProduct(a, call, b: 1, scale: 2, zeroPoint: 3)
    return try product.real(element: .float32, bias: try call.optionalTensor(4))
  }
}

extension DynamicQuantizeLinear {
  /// A float32 tensor quantized over its own range.
  static func quantized(_ x: Tensor) throws(RunError) -> QuantizedTensor {
    let call = OperatorCall(
      inputs: [.tensor(x)], wanted: [true, true, true],
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    let parts = try DynamicQuantizeLinear().evaluate(call).map { $0?.tensor }
    guard parts.count == 3, let y = parts[0], let scale = parts[1]?.doubles.first,
      let zero = parts[2]?.integers.first
    else { throw RunError(.badInput("\(x.shape) can't be quantized")) }
    return QuantizedTensor(
      element: .uint8, shape: x.shape, centred: y.integers.map { $0 - zero }, scale: Float(scale))
  }
}

/// The exact sums of a product of 8-bit matrices, and what they stand for.
struct IntegerProduct: Sendable {
  private let sums: [Int64]
  private let shape: [Int]
  private let factors: [Float]
  private let grain: ColumnScales

  init(
    _ a: QuantizedTensor, _ call: OperatorCall, b: Int, scale: Int, zeroPoint: Int
  ) throws(RunError) {
    let right = try call.tensor(b)
    guard ElementSet.bytes.contains(right.element) else {
      throw RunError(.badInput("input \(b) is \(right.element)"))
    }
    let product = try MatrixProduct(a.shape, right.shape)
    grain = try ColumnScales(call, scale: scale, zeroPoint: zeroPoint, columns: product.columns)
    sums = product.multiply(a.centred, grain.centred(right.integers))
    shape = product.shape
    factors = grain.scales.map { a.scale * Float($0) }
  }

  /// The sums at their scale, plus a bias along the columns.
  func real(element: ElementType, bias: Tensor?) throws(RunError) -> [Value?] {
    var y = sums.indices.map { Float(sums[$0]) * factors[grain.place($0)] }
    if let bias {
      let offsets = bias.doubles.map { Float($0) }
      guard offsets.count == grain.columns else {
        throw RunError(.badInput("a bias of \(bias.shape) for \(grain.columns) columns"))
      }
      y = y.enumerated().map { $1 + offsets[$0 % grain.columns] }
    }
    return single(Tensor(element, shape, doubles: y.map { Double($0) }))
  }
}
