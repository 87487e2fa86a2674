import Glibc
import WherryGraph

/// Softmax of 8-bit values along `axis`, in integers but for one factor a line.
///
/// With `m` the largest value of a line and `E[d] = round(2^24 * exp(-d * sx))` for `d = 0 … 255`:
/// `S = sum E[m - q]`, `k = float32(float64(1 / sy) / S)`,
/// `y = saturate(round(float32(E[m - q]) * k) + zy)`. Below operator set 13 a line is everything from
/// `axis` on.
/// - Source: ONNX Runtime contrib operators, com.microsoft.QLinearSoftmax-1.
public struct QLinearSoftmax: Operator {
  public var axis = -1
  /// The operator set of the Softmax that this one stands for.
  public var operatorSet = 13

  public init() {}

  public static let signature = Signature(
    "QLinearSoftmax", domain: OperatorName.contribDomain,
    [
      .init("X", .bytes), .scale("X_scale"), .zeroPoint("x_zero_point"), .scale("y_scale"),
      .init("y_zero_point", .bytes),
    ],
    [.init("Y", .bytes)])

  public static let fields: [Field<QLinearSoftmax>] = [
    Field("axis", \.axis), Field("opset", \.operatorSet, required: true),
  ]

  /// `round(2^24 * exp(-d * scale))` for differences 0 … 255 from the largest value of a line.
  public static func exponentials(_ scale: Float) -> [UInt32] {
    (0..<256).map { difference in
      let value = 16_777_216 * exp(-Double(difference) * Double(scale))
      return UInt32(exactly: value.rounded(.toNearestOrEven)) ?? 0
    }
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0) { _ = try InferenceSite.axis(axis, rank: max(rank, 1)) }
    site.set(0, site.element(4), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    let target = try call.target(scale: 3, zeroPoint: 4, element: x.element)
    let shape = x.shape.isEmpty ? [1] : x.shape
    let at = try checkedAxis(axis, rank: shape.count)
    var view = AxisView(shape, at: at)
    if operatorSet < 13 {
      view = AxisView([shape[..<at].reduce(1, *), shape[at...].reduce(1, *)], at: 1)
    }
    let table = Self.exponentials(x.scale)
    let gain = 1 / Double(target.scale)
    var y = [Int64](repeating: 0, count: x.centred.count)
    view.forEachLine { start in
      let places = (0..<view.length).map { start + $0 * view.inner }
      guard let top = places.lazy.map({ x.centred[$0] }).max() else { return }
      let powers = places.map { table[Int(top - x.centred[$0])] }
      let sum = powers.reduce(UInt64(0)) { $0 + UInt64($1) }
      let factor = Float(gain / Double(sum))
      for (place, power) in zip(places, powers) { y[place] = target.round(Float(power) * factor) }
    }
    return target.tensor(x.shape, y)
  }
}
