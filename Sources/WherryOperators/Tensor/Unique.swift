import WherryBytes
import WherryGraph

/// The distinct elements of the flattened input, or its distinct slices along `axis`.
///
/// Besides them, as int64 vectors: where each one first stands, for each element of the input which of
/// them it is, and how often each occurs.
/// - Source: ONNX operator specification, Unique-28.
public struct Unique: Operator {
  /// In `-rank ..< rank`; nil for the flattened input.
  public var axis: Int?
  /// In ascending order, else in that of first occurrence.
  public var sorted = true

  public init() {}

  public static let signature = Signature(
    "Unique", [.init("X", .indexable)],
    [
      .init("Y", .indexable), .init("indices", .int64, .optional),
      .init("inverse_indices", .int64, .optional), .init("counts", .int64, .optional),
    ])

  public static let fields: [Field<Unique>] = [Field("axis", \.axis), Field("sorted", \.sorted)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 1..<4 { site.set(index, .int64, Shape([.unknown])) }
    guard let axis else {
      site.set(0, site.element(0), Shape([.unknown]))
      if let shape = site.shape(0) { site.set(2, .int64, Shape([.product(shape.dimensions)])) }
      return
    }
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    let normal = try InferenceSite.axis(axis, rank: shape.rank)
    var result = Shape(shape.dimensions)
    result[normal] = .unknown
    site.set(0, site.element(0), result)
    site.set(2, .int64, Shape([shape[normal]]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    _ = try inferred(call)
    var data = try call.tensor(0)
    if axis == nil, let flat = data.reshaped([data.count]) { data = flat }
    let axis = axis.map { $0 < 0 ? $0 + data.rank : $0 } ?? 0
    let groups = try Self.groups(data, axis: axis)
    let order =
      sorted ? Array(groups.indices) : groups.indices.sorted { groups[$0][0] < groups[$1][0] }
    let firsts = order.map { groups[$0][0] }
    let stride = data.strides[axis]
    var walks = data.walks
    walks[axis] = .offsets(firsts.map { $0 &* stride })
    var inverse = [Int](repeating: 0, count: data.shape[axis])
    for (position, group) in order.enumerated() {
      for member in groups[group] { inverse[member] = position }
    }
    return [
      .tensor(try data.moved(walks)), .tensor(Tensor(vector: firsts)),
      .tensor(Tensor(vector: inverse)), .tensor(Tensor(vector: order.map { groups[$0].count })),
    ]
  }

  /// The coordinates on `axis` whose slices are equal, each group ascending; groups in slice order.
  private static func groups(_ data: Tensor, axis: Int) throws(RunError) -> [[Int]] {
    var walks = data.walks
    walks.insert(walks.remove(at: axis), at: 0)
    let (rows, width) = (data.shape[axis], data.count / max(data.shape[axis], 1))
    guard width > 0 || rows <= AxisWalk.longestTable else {
      throw RunError(.limit("\(AxisWalk.longestTable) extents of an axis"))
    }
    let order = ElementOrder(try data.moved(walks))
    func compare(_ a: Int, _ b: Int) -> Int {
      for column in 0..<width {
        let result = order.compare(a * width + column, b * width + column)
        if result != 0 { return result }
      }
      return 0
    }
    let ranked = (0..<rows).sorted { a, b in
      let result = compare(a, b)
      return result == 0 ? a < b : result < 0
    }
    var groups: [[Int]] = []
    for row in ranked {
      if let last = groups.last, compare(last[0], row) == 0 {
        groups[groups.count - 1].append(row)
      } else {
        groups.append([row])
      }
    }
    return groups
  }
}
