import WherryGraph

extension ElementSet {
  static let narrowFloats = ElementSet.eightBitFloats.union(
    ElementSet(.float4e2m1, .float6e2m3, .float6e3m2))
  /// What `QuantizeLinear` gives.
  static let quantized = narrowFloats.union(
    ElementSet(.int2, .uint2, .int4, .uint4, .int8, .uint8, .int16, .uint16))
}

/// `saturate(round_half_even(x / y_scale) + y_zero_point)`.
///
/// Scale and zero point: one for all, one for each step along `axis` (`[D_axis]`), or one for each
/// block of `blockSize` steps (`x`'s shape with `ceil(D_axis / blockSize)` at the axis). Narrow
/// floats are rounded to directly. The quotient is rounded to the scale's type, or to that of
/// `precision`, first.
/// - Source: ONNX operator specification, QuantizeLinear-28.
public struct QuantizeLinear: Operator {
  public var axis = 1
  public var blockSize = 0
  /// Code of the result's element type; 0 means that of the zero point.
  public var outputType = 0
  /// Code of the type the quotient is rounded to; 0 means the scale's.
  public var precision = 0
  public var saturates = true

  public init() {}
  public static let signature = Signature(
    "QuantizeLinear",
    [
      .init("x", ElementSet(.float32, .float16, .bfloat16, .int32)),
      .init("y_scale", ElementSet(.float32, .float16, .bfloat16, .int32, .float8e8m0)),
      .init("y_zero_point", .quantized, .optional),
    ],
    [.init("y", .quantized)])
  public static let fields: [Field<QuantizeLinear>] = [
    Field("axis", \.axis), Field("block_size", \.blockSize), Field("output_dtype", \.outputType),
    Field("precision", \.precision), Field("saturate", \.saturates),
  ]

  /// The result's type, or nil when `output_dtype` and the zero point contradict each other.
  private func target(_ zeroPoint: ElementType?) -> ElementType? {
    guard outputType != 0 else { return zeroPoint ?? .uint8 }
    guard let given = elementType(outputType), ElementSet.quantized.contains(given) else {
      return nil
    }
    return zeroPoint ?? given == given ? given : nil
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    // A zero point of unknown type leaves the result's open.
    if site.has(2), site.element(2) == nil, outputType == 0 { return }
    guard let target = target(site.element(2)) else {
      throw TypeError(.attribute("output_dtype", "\(outputType) is not the zero point's type"))
    }
    site.set(0, target, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, scale) = (try call.tensor(0), try call.tensor(1))
    let zeroPoint = try call.optionalTensor(2)
    guard let target = target(zeroPoint?.element) else {
      throw RunError(.badInput("output_dtype \(outputType) is not the zero point's type"))
    }
    guard zeroPoint == nil || zeroPoint?.count == scale.count else {
      throw RunError(.badInput("scale and zero point have different shapes"))
    }
    let grain = try QuantizationGrain(
      x.shape, scale: scale.shape, axis: axis, blockSize: blockSize)
    let rounder = NarrowRounding(elementType(precision) ?? scale.element)
    let scales = scale.doubles
    let values =
      rounder.isNeeded && precision != 0 ? x.doubles.map { rounder.round($0) } : x.doubles
    let quotients = grain.map(values) { rounder.round($0 / scales[$1]) }
    if target.isFloat {
      guard let zeros = zeroPoint?.doubles else {
        return single(Tensor(target, x.shape, doubles: quotients, saturate: saturates))
      }
      let y = grain.map(quotients) { $0 + zeros[$1] }
      return single(Tensor(target, x.shape, doubles: y, saturate: saturates))
    }
    let zeros = zeroPoint?.integers ?? Array(repeating: 0, count: scales.count)
    let bounds = target.integerRange
    let y = grain.map(quotients) { Requantization.saturate($0, zeroPoint: zeros[$1], bounds) }
    return single(Tensor(target, x.shape, integers: y))
  }
}

/// The element type of an attribute that says 0 for none.
func elementType(_ code: Int) -> ElementType? {
  Int32(exactly: code).flatMap { ElementType(rawValue: $0) }
}

/// Rounds float64 to the numbers of a narrower floating-point type.
struct NarrowRounding: Sendable {
  private let element: ElementType
  private let layout: SmallFloat?

  init(_ element: ElementType) {
    self.element = element
    layout = element.bitWidth == 16 ? SmallFloat(element) : nil
  }

  var isNeeded: Bool { element == .float32 || layout != nil }

  func round(_ x: Double) -> Double {
    if element == .float32 { return Double(Float(x)) }
    guard let layout else { return x }
    return layout.decode(layout.encode(x, saturate: false))
  }
}

/// `(x - x_zero_point) * x_scale`, the opposite of `QuantizeLinear`.
/// - Source: ONNX operator specification, DequantizeLinear-28.
public struct DequantizeLinear: Operator {
  public var axis = 1
  public var blockSize = 0
  /// Code of the result's element type; 0 means that of the scale.
  public var outputType = 0

  private static let quantized = ElementSet.quantized.union(ElementSet(.int32))
  private static let results = ElementSet(.float32, .float16, .bfloat16)

  public init() {}
  public static let signature = Signature(
    "DequantizeLinear",
    [
      .init("x", quantized), .init("x_scale", results.union(ElementSet(.float8e8m0))),
      .init("x_zero_point", quantized, .optional),
    ],
    [.init("y", results)])
  public static let fields: [Field<DequantizeLinear>] = [
    Field("axis", \.axis), Field("block_size", \.blockSize), Field("output_dtype", \.outputType),
  ]

  private func target(_ scale: ElementType?) -> ElementType? {
    let target = outputType == 0 ? scale : elementType(outputType)
    return target.flatMap { Self.results.contains($0) ? $0 : nil }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if outputType == 0, site.element(1) == nil { return }
    guard let target = target(site.element(1)) else {
      throw TypeError(.attribute("output_dtype", "\(outputType) is no type to dequantize to"))
    }
    site.set(0, target, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, scale) = (try call.tensor(0), try call.tensor(1))
    let zeroPoint = try call.optionalTensor(2)
    guard let target = target(scale.element) else {
      throw RunError(.badInput("output_dtype \(outputType) is no type to dequantize to"))
    }
    guard zeroPoint == nil || zeroPoint?.count == scale.count && zeroPoint?.element == x.element
    else { throw RunError(.badInput("scale, zero point and x don't fit together")) }
    let grain = try QuantizationGrain(
      x.shape, scale: scale.shape, axis: axis, blockSize: blockSize)
    let scales = scale.doubles
    let y: [Double]
    if let zeros = zeroPoint?.doubles {
      y = grain.map(x.doubles) { ($0 - zeros[$1]) * scales[$1] }
    } else {
      y = grain.map(x.doubles) { $0 * scales[$1] }
    }
    return single(Tensor(target, x.shape, doubles: y))
  }
}
