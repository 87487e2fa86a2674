import WherryBytes
import WherryGraph

/// Slices of `data` addressed by the last axis of `indices`: each vector there names the first
/// coordinates, after `batch_dims` axes that both share.
///
/// - Source: ONNX operator specification, GatherND-13.
public struct GatherND: Operator {
  /// At least 0, below both ranks.
  public var batchDims = 0

  public init() {}

  public static let signature = Signature(
    "GatherND", [.init("data", .indexable), .init("indices", .int64)], [.init("output", .indexable)]
  )

  public static let fields: [Field<GatherND>] = [Field("batch_dims", \.batchDims)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    try site.requireRank(1, 1...)
    guard let data = site.shape(0), let indices = site.shape(1) else {
      site.set(0, site.element(0), nil)
      return
    }
    guard batchDims >= 0, batchDims < min(data.rank, indices.rank) else {
      throw TypeError(.attribute("batch_dims", "\(batchDims) is not below both ranks"))
    }
    for axis in 0..<batchDims where Dimension.merge(data[axis], indices[axis]) == nil {
      throw TypeError(.shape("\(data) and \(indices) differ in batch axis \(axis)"))
    }
    guard let length = indices[indices.rank - 1].extent else {
      site.set(0, site.element(0), nil)
      return
    }
    guard length >= 1, length <= data.rank - batchDims else {
      throw TypeError(.shape("\(length) coordinates for \(data)"))
    }
    site.set(
      0, site.element(0),
      Shape(indices.dimensions.dropLast() + data.dimensions[(batchDims + length)...]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let slices = try SliceAddresses(data.shape, try call.tensor(1), batchDims: batchDims)
    let source = ElementSource(data)
    var builder = ElementBuilder(data.element, count: Checked.product(extents) ?? 0)
    for (index, start) in slices.starts.enumerated() {
      builder.copy(slices.length, from: source, at: start, to: index * slices.length)
    }
    return [.tensor(try builder.tensor(extents))]
  }
}

/// Where the slices that coordinate vectors name begin in a tensor.
struct SliceAddresses {
  /// Linear positions, one a vector.
  let starts: [Int]
  /// Elements of one slice.
  let length: Int

  /// - Parameter indices: `[…, K]`; the first `batchDims` axes are those of `shape`.
  /// - Throws: `RunError.badValue` when a coordinate is outside its extent.
  init(_ shape: [Int], _ indices: Tensor, batchDims: Int = 0) throws(RunError) {
    guard let width = indices.shape.last, width >= 1, batchDims >= 0,
      batchDims + width <= shape.count, batchDims < indices.rank
    else { throw RunError(.badInput("indices \(indices.shape) don't fit \(shape)")) }
    let strides = Tensor.strides(shape)
    length = Checked.product(shape[(batchDims + width)...]) ?? 0
    let perBatch = Checked.product(indices.shape[batchDims...].dropLast()) ?? 0
    let batchStride = batchDims == 0 ? 0 : strides[batchDims - 1]
    let numbers = indices.integers
    var starts: [Int] = []
    starts.reserveCapacity(numbers.count / width)
    for vector in 0..<numbers.count / width {
      var start = perBatch == 0 ? 0 : vector / perBatch &* batchStride
      for step in 0..<width {
        let axis = batchDims + step
        start &+= try Gather.position(numbers[vector * width + step], shape[axis]) &* strides[axis]
      }
      starts.append(start)
    }
    self.starts = starts
  }
}
