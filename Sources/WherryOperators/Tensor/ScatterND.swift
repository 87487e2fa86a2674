import WherryGraph

/// `data` with slices replaced by, or reduced with, `updates`: each vector along the last axis of
/// `indices: […, K] int64` names the first K coordinates of a slice.
///
/// `updates: indices.shape[..<last] + data.shape[K...]`.
/// - Source: ONNX operator specification, ScatterND-18.
public struct ScatterND: Operator {
  public var reduction = ScatterReduction.none

  public init() {}

  public static let signature = Signature(
    "ScatterND",
    [.init("data", .indexable), .init("indices", .int64), .init("updates", .indexable)],
    [.init("output", .indexable)])

  public static let fields: [Field<ScatterND>] = [Field("reduction", \.reduction)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    try site.requireRank(1, 1...)
    try site.requireSameElement(0, 2)
    if let data = site.shape(0), let indices = site.shape(1),
      let width = indices[indices.rank - 1].extent
    {
      guard width >= 1, width <= data.rank else {
        throw TypeError(.shape("\(width) coordinates for \(data)"))
      }
      if let updates = site.shape(2) {
        let wanted = Shape(indices.dimensions.dropLast() + data.dimensions[width...])
        guard updates.rank == wanted.rank,
          zip(updates.dimensions, wanted.dimensions).allSatisfy({ Dimension.merge($0, $1) != nil })
        else { throw TypeError(.shape("updates are \(updates), not \(wanted)")) }
      }
    }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    _ = try extents(call)
    let slices = try SliceAddresses(data.shape, try call.tensor(1))
    return [
      .tensor(
        try reduction.apply(data, try call.tensor(2), starts: slices.starts, length: slices.length))
    ]
  }
}
