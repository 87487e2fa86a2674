import WherryBytes
import WherryGraph

/// A regular part of the input: on each listed axis the coordinates from `starts` up to but without
/// `ends` in `steps`, with numpy's meaning of negative numbers and of numbers past the ends.
///
/// `starts`, `ends`, `axes`, `steps`: `[K]` int32 or int64; without `axes` the first K axes, without
/// `steps` 1.
/// - Source: ONNX operator specification, Slice-13.
public struct SliceOperator: Operator {
  public init() {}

  public static let signature = Signature(
    "Slice",
    [
      .init("data", .indexable), .init("starts", .indices), .init("ends", .indices),
      .init("axes", .indices, .optional), .init("steps", .indices, .optional),
    ],
    [.init("output", .indexable)])

  public static let fields: [Field<SliceOperator>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    guard let cuts = try Self.cuts(site, rank: shape.rank) else {
      site.set(0, site.element(0), Self.partlyKnown(site, shape))
      return
    }
    var result = Shape(shape.dimensions)
    for cut in cuts {
      if let extent = shape[cut.axis].extent {
        result[cut.axis] = .fixed(cut.range(extent).count)
      } else if !cut.keepsAll {
        result[cut.axis] = cut.isEmpty ? 0 : .unknown
      }
    }
    site.set(0, site.element(0), result)
    if shape.rank == 1, let whole = site.dimensions(0), let cut = cuts.first {
      let range = cut.range(whole.count)
      site.outputPartials[0] = (0..<range.count).map { whole[range.start + $0 * cut.step] }
    }
  }

  /// Axes that no cut can touch keep their extents when only the axes are known.
  private static func partlyKnown(_ site: InferenceSite, _ shape: Shape) -> Shape {
    var result = Shape(shape.dimensions)
    let listed =
      site.has(3) ? site.integers(3) : site.length(1).map { Array(0..<min(max($0, 0), shape.rank)) }
    guard let listed else { return .unknown(rank: shape.rank) }
    for axis in listed {
      let axis = axis < 0 ? axis + shape.rank : axis
      if axis >= 0, axis < shape.rank { result[axis] = .unknown }
    }
    return result
  }

  /// What is taken of one axis.
  struct Cut {
    let axis: Int
    let start: Int
    let end: Int
    let step: Int

    /// The first coordinate taken and how many are.
    func range(_ extent: Int) -> (start: Int, count: Int) {
      let (low, high) = step > 0 ? (0, extent) : (-1, extent - 1)
      func bound(_ value: Int) -> Int { min(max(value < 0 ? value + extent : value, low), high) }
      let (from, to) = (bound(start), bound(end))
      let distance = step > 0 ? to - from : from - to
      guard distance > 0 else { return (0, 0) }
      let size = step == .min ? Int.max : abs(step)
      return (from, distance / size + (distance % size == 0 ? 0 : 1))
    }

    /// Whether every extent stays as it is.
    var keepsAll: Bool {
      let most = Int(Int32.max)
      return step == 1 && start == 0 && end >= most || step == -1 && start == -1 && end <= -most
    }

    /// Whether no extent leaves anything.
    var isEmpty: Bool { step > 0 && start >= 0 && end >= 0 && end <= start }
  }

  /// The cuts; nil when an input is not constant.
  private static func cuts(_ site: InferenceSite, rank: Int) throws(TypeError) -> [Cut]? {
    guard let starts = site.integers(1), let ends = site.integers(2),
      let listed = site.has(3) ? site.integers(3) : Array(0..<starts.count),
      let steps = site.has(4) ? site.integers(4) : Array(repeating: 1, count: starts.count)
    else { return nil }
    guard starts.count == ends.count, starts.count == listed.count, starts.count == steps.count
    else {
      throw TypeError(.shape("starts, ends, axes and steps differ in length"))
    }
    let axes = try InferenceSite.axes(listed, rank: rank)
    guard !steps.contains(0) else { throw TypeError(.shape("a step is 0")) }
    return axes.indices.map {
      Cut(axis: axes[$0], start: starts[$0], end: ends[$0], step: steps[$0])
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let site = try inferred(call)
    let cuts = try RunError.from { () throws(TypeError) in try Self.cuts(site, rank: data.rank) }
    let strides = data.strides
    var axes = data.walks
    for cut in cuts ?? [] {
      let range = cut.range(data.shape[cut.axis])
      let stride = strides[cut.axis]
      axes[cut.axis] = .steps(
        count: range.count, start: range.start * stride,
        stride: range.count > 1 ? cut.step * stride : stride)
    }
    return [.tensor(try data.moved(axes))]
  }
}
