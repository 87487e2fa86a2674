import WherryGraph

/// The `K` largest or smallest elements along `axis`, in order, and their coordinates there; of equal
/// elements the first comes first. NaN is larger than every number.
///
/// - Source: ONNX operator specification, TopK-24.
public struct TopK: Operator {
  /// In `-rank ..< rank`.
  public var axis = -1
  public var largest = true
  /// Whether the order of the results matters; they are ordered anyway.
  public var sorted = true

  public init() {}

  public static let signature = Signature(
    "TopK", [.init("X", .numbers), .init("K", .int64)],
    [.init("Values", .numbers), .init("Indices", .int64)])

  public static let fields: [Field<TopK>] = [
    Field("axis", \.axis), Field("largest", \.largest), Field("sorted", \.sorted),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let length = site.length(1), length != 1 { throw TypeError(.shape("K is not one number")) }
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      site.set(1, .int64, nil)
      return
    }
    let axis = try InferenceSite.axis(axis, rank: shape.rank)
    var result = Shape(shape.dimensions)
    result[axis] = site.dimensions(1)?.first ?? .unknown
    if let k = result[axis].extent {
      guard k >= 0, k <= shape[axis].extent ?? k else {
        throw TypeError(.shape("there are no \(k) elements in an extent of \(shape[axis])"))
      }
    }
    site.set(0, site.element(0), result)
    site.set(1, .int64, result)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let axis = axis < 0 ? axis + data.rank : axis
    let (k, extent, stride) = (extents[axis], data.shape[axis], data.strides[axis])
    let (order, source) = (ElementOrder(data), ElementSource(data))
    let count = extents.reduce(1, *)
    var builder = ElementBuilder(data.element, count: count)
    var indices = [Int64](repeating: 0, count: count)
    for lane in 0..<(k == 0 ? 0 : count / k) {
      let (outer, inner) = (lane / stride, lane % stride)
      let base = outer * extent * stride + inner
      let ranked = (0..<extent).sorted { a, b in
        let result = order.compare(base + a * stride, base + b * stride)
        return result == 0 ? a < b : largest ? result > 0 : result < 0
      }
      for (rank, coordinate) in ranked.prefix(k).enumerated() {
        let target = (outer * k + rank) * stride + inner
        builder.copy(from: source, at: base + coordinate * stride, to: target)
        indices[target] = Int64(coordinate)
      }
    }
    return [
      .tensor(try builder.tensor(extents)),
      Tensor(.int64, extents, integers: indices).map { .tensor($0) },
    ]
  }
}
