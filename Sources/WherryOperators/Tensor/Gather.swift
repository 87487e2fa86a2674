import WherryBytes
import WherryGraph

/// Parts of `data` along one axis: `output = data[…, indices, …]`, with the axes of `indices` in place of
/// `axis`. Negative indices count from the end.
///
/// - Source: ONNX operator specification, Gather-13.
public struct Gather: Operator {
  /// In `-rank ..< rank` of `data`.
  public var axis = 0

  public init() {}

  public static let signature = Signature(
    "Gather", [.init("data", .indexable), .init("indices", .indices)], [.init("output", .indexable)]
  )

  public static let fields: [Field<Gather>] = [Field("axis", \.axis)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    guard let data = site.shape(0), let indices = site.shape(1) else {
      let rank = site.rank(0).flatMap { a in site.rank(1).map { a + $0 - 1 } }
      site.set(0, site.element(0), rank.map { .unknown(rank: $0) })
      return
    }
    let axis = try InferenceSite.axis(axis, rank: data.rank)
    site.set(
      0, site.element(0),
      Shape(data.dimensions[..<axis] + indices.dimensions + data.dimensions[(axis + 1)...]))
    if data.rank == 1, indices.rank <= 1, let whole = site.dimensions(0),
      let listed = site.dimensions(1)
    {
      let chosen = listed.compactMap { index -> Dimension? in
        guard let index = index.extent, index >= -whole.count, index < whole.count else {
          return nil
        }
        return whole[index < 0 ? index + whole.count : index]
      }
      if chosen.count == listed.count { site.outputPartials[0] = chosen }
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (data, indices) = (try call.tensor(0), try call.tensor(1))
    let extents = try extents(call)
    let axis = axis < 0 ? axis + data.rank : axis
    let (extent, stride) = (data.shape[axis], data.strides[axis])
    var offsets: [Int] = []
    offsets.reserveCapacity(indices.count)
    for index in indices.integers {
      offsets.append(try Self.position(index, extent) &* stride)
    }
    var walks = data.walks
    walks[axis] = .offsets(offsets)
    guard let result = try data.moved(walks).reshaped(extents) else {
      throw RunError(.badValue("extents \(extents)"))
    }
    return [.tensor(result)]
  }

  /// An index counted from the start.
  ///
  /// - Throws: `RunError.badValue` when it is outside `-extent ..< extent`.
  static func position(_ index: Int64, _ extent: Int) throws(RunError) -> Int {
    let index = Int(index)
    guard index >= -extent, index < extent else {
      throw RunError(.badValue("index \(index) is outside an extent of \(extent)"))
    }
    return index < 0 ? index + extent : index
  }
}
