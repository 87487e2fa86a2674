import WherryBytes
import WherryGraph

/// The input in parts along `axis`: parts of the extents in `split: [K] int64`, or of equal extents, the
/// last one smaller when they don't divide evenly.
///
/// - Source: ONNX operator specification, Split-18.
public struct Split: Operator {
  /// In `-rank ..< rank`.
  public var axis = 0
  /// How many parts; only without `split`.
  public var numOutputs: Int?

  public init() {}

  public static let signature = Signature(
    "Split", [.init("input", .indexable), .init("split", .int64, .optional)],
    [.init("outputs", .indexable, .variadic)])

  public static let fields: [Field<Split>] = [
    Field("axis", \.axis), Field("num_outputs", \.numOutputs),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let numOutputs {
      guard !site.has(1), numOutputs == site.outputCount else {
        throw TypeError(.attribute("num_outputs", "\(numOutputs) contradicts the node"))
      }
    }
    guard let shape = site.shape(0) else {
      for index in 0..<site.outputCount { site.set(index, site.element(0), nil) }
      return
    }
    let axis = try InferenceSite.axis(axis, rank: shape.rank)
    var parts = [Dimension](repeating: .unknown, count: site.outputCount)
    if site.has(1) {
      if let listed = site.integers(1) {
        parts = try Self.given(listed, shape[axis], count: site.outputCount).map { .fixed($0) }
      }
    } else if let extent = shape[axis].extent {
      parts = try Self.equal(extent, count: site.outputCount).map { .fixed($0) }
    } else if site.outputCount == 1 {
      parts = [shape[axis]]
    }
    for (index, part) in parts.enumerated() {
      var result = Shape(shape.dimensions)
      result[axis] = part
      site.set(index, site.element(0), result)
    }
  }

  private static func given(
    _ parts: [Int], _ whole: Dimension, count: Int
  ) throws(TypeError) -> [Int] {
    var sum = 0
    for part in parts {
      guard part >= 0, let next = Checked.add(sum, part) else {
        throw TypeError(.shape("\(part) is no extent of a part"))
      }
      sum = next
    }
    guard parts.count == count, whole.extent ?? sum == sum else {
      throw TypeError(.shape("parts of \(parts) don't make \(count) outputs of \(whole)"))
    }
    return parts
  }

  private static func equal(_ extent: Int, count: Int) throws(TypeError) -> [Int] {
    guard count > 0 else { throw TypeError(.outputCount(0, allowed: 1...Int(Int32.max))) }
    let part = extent / count + (extent % count == 0 ? 0 : 1)
    let used = part * (count - 1)
    guard used <= extent else {
      throw TypeError(.shape("an extent of \(extent) can't be split in \(count) parts"))
    }
    return Array(repeating: part, count: count - 1) + [extent - used]
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let parts = try inferred(call).outputs
    let axis = axis < 0 ? axis + data.rank : axis
    var (results, start) = ([Value?](), 0)
    for type in parts {
      guard let part = type?.shape?[axis].extent else {
        throw RunError(.badInput("parts are open"))
      }
      results.append(.tensor(try data.section(axis: axis, start: start, count: part)))
      start += part
    }
    return results
  }
}

extension Tensor {
  /// The coordinates `start ..< start + count` of one axis.
  func section(axis: Int, start: Int, count: Int) throws(RunError) -> Tensor {
    let stride = strides[axis]
    var axes = walks
    axes[axis] = .steps(count: count, start: start * stride, stride: stride)
    return try moved(axes)
  }
}
