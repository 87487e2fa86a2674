import WherryBytes
import WherryGraph
import WherryOperators

/// Puts integer operators in place of float ones that stand between `DequantizeLinear` and
/// `QuantizeLinear`.
///
/// Every `QuantizeLinear` is asked what its input is made of: where that is an operator on dequantized
/// 8-bit values, an operator on the 8-bit values themselves takes the `QuantizeLinear`'s place. Scales
/// are kept as they are. Results may differ by one from those in float, in rare roundings; movements,
/// clamps and functions of one value never do. Recurrent layers differ more: their hidden state, float inside the
/// float layer, becomes 8-bit. Float nodes that something else still needs stay.
public enum CollapseQDQ: Pass {
  public static let name = "collapse-qdq"
  public static let summary = "computes in 8-bit integers between dequantizing and quantizing"
  /// Several layers may each round otherwise, by a step in 255.
  public static let tolerance = 0.05

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    try collapse(&model).changes
  }

  /// What became of a model's quantized parts.
  public struct Report: Sendable {
    /// `QuantizeLinear` nodes that integer operators stand for now, and integer products rewritten.
    public var changes = 0
    /// Parts that stay in float, and why.
    public var left: [Left] = []
  }

  /// A node between `DequantizeLinear` and `QuantizeLinear` that stays in float.
  public struct Left: Sendable, Hashable, CustomStringConvertible {
    public var operation: OperatorName
    public var place: Place
    public var why: String

    public var description: String { place.telling("\(operation) stays in float: \(why)") }
  }

  private static func isQuantized(_ operation: any Operator) -> Bool {
    Quantization.isDequantizing(operation) || operation is DynamicQuantizeLinear
  }

  public static func collapse(_ model: inout Model) throws(RunError) -> Report {
    let nodes = model.graph.nodes
    guard nodes.contains(where: { Self.isQuantized($0.operation) }) else {
      return Report()
    }
    var rewriter = QDQRewriter(model)
    for index in nodes.indices { rewriter.visit(index) }
    let report = rewriter.report
    guard report.changes > 0 else { return report }
    model.graph.nodes = rewriter.result
    model.graph.initializers += rewriter.made
    _ = model.graph.removeDead()
    return report
  }
}

/// A float value of the graph that is known to be 8-bit values times a scale.
struct EightBit: Sendable, Hashable {
  /// The 8-bit tensor.
  var name: String
  var quantization: Quantization

  func isSame(_ other: EightBit) -> Bool {
    name == other.name && quantization.isSame(other.quantization)
  }
}

/// One scale and zero point for a whole 8-bit tensor, and the constants that hold them.
struct Quantization: Sendable, Hashable {
  var element: ElementType
  var scale: Float
  var zeroPoint: Int64
  /// Names of the constants.
  var scaleName: String
  var zeroName: String?

  /// Whether 8-bit values mean the same under both.
  func isSame(_ other: Quantization) -> Bool {
    element == other.element && scale == other.scale && zeroPoint == other.zeroPoint
  }

  /// `QuantizeLinear` of one number.
  func quantize(_ real: Float) -> Int64 {
    let quotient = (real / scale).rounded(.toNearestOrEven)
    let bounds = element.integerRange
    guard !quotient.isNaN else { return min(max(zeroPoint, bounds.lowerBound), bounds.upperBound) }
    let held = Int64(max(min(quotient, 1024), -1024))
    return min(max(held + zeroPoint, bounds.lowerBound), bounds.upperBound)
  }

  /// `DequantizeLinear` of one number.
  func dequantize(_ value: Int64) -> Float { Float(value - zeroPoint) * scale }

  static func isDequantizing(_ operation: any Operator) -> Bool {
    operation is DequantizeLinear || operation is ContribDequantizeLinear
  }

  static func isQuantizing(_ operation: any Operator) -> Bool {
    operation is QuantizeLinear || operation is ContribQuantizeLinear
  }

  /// Whether factors can be computed from a scale: finite, normal, above 0.
  static func isUsable(_ scale: Float) -> Bool { scale.isNormal && scale > 0 }
}
