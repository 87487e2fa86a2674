import WherryGraph

/// Quantizes to uint8 over the tensor's own range, zero included; gives scale and zero point too.
///
/// Scale and zero point are computed in float32, step by step as the standard's formula says.
/// - Source: ONNX operator specification, DynamicQuantizeLinear-11.
public struct DynamicQuantizeLinear: Operator {
  public init() {}
  public static let signature = Signature(
    "DynamicQuantizeLinear", [.init("x", ElementSet(.float32))],
    [
      .init("y", ElementSet(.uint8)), .init("y_scale", ElementSet(.float32)),
      .init("y_zero_point", ElementSet(.uint8)),
    ])
  public static let fields: [Field<DynamicQuantizeLinear>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .uint8, site.shape(0))
    site.set(1, .float32, Shape([]))
    site.set(2, .uint8, Shape([]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let values = x.doubles.map { Float($0) }
    let most = values.reduce(0) { $1 > $0 ? $1 : $0 }
    let least = values.reduce(0) { $1 < $0 ? $1 : $0 }
    let scale = (most == least ? 1 : most - least) / 255
    let zeroPoint = clamped(0 - least / scale, 0, 255).rounded(.toNearestOrEven)
    let zero = Requantization.saturate(Double(zeroPoint), zeroPoint: 0, 0...255)
    let y = values.map {
      Requantization.saturate(Double($0 / scale), zeroPoint: zero, 0...255)
    }
    return [
      Tensor(.uint8, x.shape, integers: y).map { .tensor($0) },
      Tensor(.float32, [], doubles: [Double(scale)]).map { .tensor($0) },
      Tensor(.uint8, [], integers: [zero]).map { .tensor($0) },
    ]
  }
}
