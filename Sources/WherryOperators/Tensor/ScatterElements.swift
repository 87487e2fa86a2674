import WherryGraph

/// `data` with single elements replaced by, or reduced with, `updates`:
/// `output[…, indices[…, i, …], …] = updates[…, i, …]` on `axis`. All three have the same rank.
///
/// - Source: ONNX operator specification, ScatterElements-18.
public struct ScatterElements: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0
  public var reduction = ScatterReduction.none

  public init() {}

  public static let signature = Signature(
    "ScatterElements",
    [.init("data", .indexable), .init("indices", .indices), .init("updates", .indexable)],
    [.init("output", .indexable)])

  public static let fields: [Field<ScatterElements>] = [
    Field("axis", \.axis), Field("reduction", \.reduction),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    try site.requireSameElement(0, 2)
    if let rank = site.rank(0) {
      _ = try InferenceSite.axis(axis, rank: rank)
      for index in 1...2 {
        if let other = site.rank(index), other != rank {
          throw TypeError(.rank(input: index, other, expected: "\(rank)"))
        }
      }
    }
    if let a = site.shape(1), let b = site.shape(2) {
      for (x, y) in zip(a.dimensions, b.dimensions) where Dimension.merge(x, y) == nil {
        throw TypeError(.shape("indices \(a) and updates \(b) differ"))
      }
    }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    _ = try extents(call)
    let positions = try ElementAddresses(data.shape, try call.tensor(1), axis: axis).positions
    return [.tensor(try reduction.apply(data, try call.tensor(2), starts: positions, length: 1))]
  }
}

/// `ScatterElements` without a reduction, under its former name.
///
/// - Source: ONNX operator specification, Scatter-11 (deprecated).
public struct Scatter: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0

  public init() {}

  private static let elements = ElementSet.sequenced

  public static let signature = Signature(
    "Scatter", [.init("data", elements), .init("indices", .indices), .init("updates", elements)],
    [.init("output", elements)])

  public static let fields: [Field<Scatter>] = [Field("axis", \.axis)]

  private var successor: ScatterElements {
    var successor = ScatterElements()
    successor.axis = axis
    return successor
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) { try successor.infer(&site) }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try successor.evaluate(call)
  }
}
