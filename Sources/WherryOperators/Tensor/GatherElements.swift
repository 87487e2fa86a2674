import WherryGraph

/// One element of `data` for each index: `output[…, i, …] = data[…, indices[…, i, …], …]` on `axis`.
/// `data` and `indices` have the same rank; the output has `indices`' shape.
///
/// - Source: ONNX operator specification, GatherElements-13.
public struct GatherElements: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0

  public init() {}

  public static let signature = Signature(
    "GatherElements", [.init("data", .indexable), .init("indices", .indices)],
    [.init("output", .indexable)])

  public static let fields: [Field<GatherElements>] = [Field("axis", \.axis)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    if let rank = site.rank(0) {
      _ = try InferenceSite.axis(axis, rank: rank)
      if let other = site.rank(1), other != rank {
        throw TypeError(.rank(input: 1, other, expected: "\(rank)"))
      }
    }
    site.set(0, site.element(0), site.shape(1).map { Shape($0.dimensions) })
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (data, indices) = (try call.tensor(0), try call.tensor(1))
    let extents = try extents(call)
    let positions = try ElementAddresses(data.shape, indices, axis: axis).positions
    let source = ElementSource(data)
    var builder = ElementBuilder(data.element, count: positions.count)
    for (index, position) in positions.enumerated() {
      builder.copy(from: source, at: position, to: index)
    }
    return [.tensor(try builder.tensor(extents))]
  }
}

/// Where the elements that an index tensor chooses along one axis stand in a tensor.
struct ElementAddresses {
  /// Linear positions, one an index.
  let positions: [Int]

  /// - Throws: `RunError.badValue` when an index, or an extent of `indices`, is outside the tensor's shape.
  init(_ shape: [Int], _ indices: Tensor, axis: Int) throws(RunError) {
    guard indices.rank == shape.count, !shape.isEmpty else {
      throw RunError(.badInput("indices of rank \(indices.rank) for a rank of \(shape.count)"))
    }
    let axis = axis < 0 ? axis + shape.count : axis
    for other in shape.indices where other != axis && indices.shape[other] > shape[other] {
      throw RunError(.badValue("indices \(indices.shape) reach outside \(shape)"))
    }
    let strides = Tensor.strides(shape)
    var coordinates = [Int](repeating: 0, count: shape.count)
    var positions: [Int] = []
    positions.reserveCapacity(indices.count)
    for index in indices.integers {
      var position = try Gather.position(index, shape[axis]) * strides[axis]
      for other in shape.indices where other != axis {
        position += coordinates[other] * strides[other]
      }
      positions.append(position)
      for other in shape.indices.reversed() {
        coordinates[other] += 1
        if coordinates[other] < indices.shape[other] { break }
        coordinates[other] = 0
      }
    }
    self.positions = positions
  }
}
