import WherryBytes
import WherryGraph

/// What stands around a padded tensor.
public enum PadMode: String, AttributeConvertible {
  case constant
  /// Mirrored at the first and the last element, which are not repeated.
  case reflect
  /// The nearest element.
  case edge
  /// The tensor over and over.
  case wrap
}

/// The input with elements put around it, or with negative `pads` cut off.
///
/// `pads: [2 K] int64`: what is added before each axis, then what is added after each; `constant_value`
/// is one element, else zero, false or ""; `axes: [K]`, else all. Cutting comes before padding.
/// - Source: ONNX operator specification, Pad-25.
public struct Pad: Operator {
  public var mode = PadMode.constant

  public init() {}

  public static let signature = Signature(
    "Pad",
    [
      .init("data", .movable), .init("pads", .int64), .init("constant_value", .movable, .optional),
      .init("axes", .indices, .optional),
    ],
    [.init("output", .movable)])

  public static let fields: [Field<Pad>] = [Field("mode", \.mode)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireSameElement(0, 2)
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    guard let pads = try Self.pads(site, rank: shape.rank) else {
      site.set(0, site.element(0), .unknown(rank: shape.rank))
      return
    }
    var result = Shape(shape.dimensions)
    for (axis, pad) in pads.enumerated() where pad != (0, 0) {
      guard let extent = shape[axis].extent else {
        result[axis] = .unknown
        continue
      }
      guard let grown = Checked.add(extent, pad.before), let all = Checked.add(grown, pad.after),
        all >= 0
      else { throw TypeError(.shape("an extent of \(extent) can't be padded by \(pad)")) }
      let left = extent + min(pad.before, 0) + min(pad.after, 0)
      guard left > 0 || left == 0 && (mode == .constant || all == 0) else {
        throw TypeError(.shape("a pad of \(pad) leaves nothing of axis \(axis)"))
      }
      result[axis] = .fixed(all)
    }
    site.set(0, site.element(0), result)
  }

  /// What is added before and after each axis; nil when it isn't constant.
  private static func pads(
    _ site: InferenceSite, rank: Int
  ) throws(TypeError) -> [(before: Int, after: Int)]? {
    guard let listed = site.integers(1),
      let given = site.has(3) ? site.integers(3) : Array(0..<rank)
    else { return nil }
    let axes = try InferenceSite.axes(given, rank: rank)
    guard listed.count == 2 * axes.count else {
      throw TypeError(.shape("\(listed.count) pads for \(axes.count) axes"))
    }
    var result = [(before: Int, after: Int)](repeating: (0, 0), count: rank)
    for (index, axis) in axes.enumerated() {
      result[axis] = (listed[index], listed[index + axes.count])
    }
    return result
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let site = try inferred(call)
    let fill = mode == .constant ? try call.optionalTensor(2) : nil
    if let fill, fill.count != 1 { throw RunError(.badInput("constant_value is not one element")) }
    let pads =
      try RunError.from { () throws(TypeError) in try Self.pads(site, rank: data.rank) } ?? []
    guard Checked.product(extents) != 0 else {
      return [.tensor(try ElementBuilder(data.element, count: 0).tensor(extents))]
    }
    let strides = data.strides
    var axes = data.walks
    for (axis, pad) in pads.enumerated() where pad != (0, 0) {
      let low = -min(pad.before, 0)
      let kept = data.shape[axis] - low + min(pad.after, 0)
      let stride = strides[axis]
      axes[axis] = try .table(extents[axis]) { index in
        mode.source(index - max(pad.before, 0), kept).map { ($0 + low) &* stride } ?? -1
      }
    }
    return [.tensor(try data.moved(axes, fill: fill))]
  }
}

extension PadMode {
  /// The coordinate within `0 ..< extent` that stands at `index`; nil for the constant.
  func source(_ index: Int, _ extent: Int) -> Int? {
    if index >= 0, index < extent { return index }
    switch self {
    case .constant: return nil
    case .edge: return min(max(index, 0), extent - 1)
    case .wrap: return (index % extent + extent) % extent
    case .reflect:
      guard extent > 1 else { return 0 }
      let period = 2 * (extent - 1)
      let phase = (index % period + period) % period
      return phase < extent ? phase : period - phase
    }
  }
}

/// The input cut or padded with zeros to the extents in `shape: [K]`, equally on both sides of each axis;
/// an odd element is cut or added at the end.
///
/// - Source: ONNX operator specification, CenterCropPad-18.
public struct CenterCropPad: Operator {
  /// The axes that `shape` speaks of; nil for all.
  public var axes: [Int]?

  public init() {}

  public static let signature = Signature(
    "CenterCropPad", [.init("input_data", .indexable), .init("shape", .indices)],
    [.init("output_data", .indexable)])

  public static let fields: [Field<CenterCropPad>] = [Field("axes", \.axes)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    let axes = try InferenceSite.axes(axes ?? Array(0..<shape.rank), rank: shape.rank)
    var result = Shape(shape.dimensions)
    let wanted = site.dimensions(1) ?? Array(repeating: .unknown, count: axes.count)
    guard wanted.count == axes.count else {
      throw TypeError(.shape("\(wanted.count) extents for \(axes.count) axes"))
    }
    for (axis, dimension) in zip(axes, wanted) {
      if let extent = dimension.extent, extent < 0 {
        throw TypeError(.shape("\(extent) is no extent"))
      }
      result[axis] = dimension
    }
    site.set(0, site.element(0), result)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    guard Checked.product(extents) != 0 else {
      return [.tensor(try ElementBuilder(data.element, count: 0).tensor(extents))]
    }
    let strides = data.strides
    var walks = data.walks
    for (axis, extent) in extents.enumerated() where extent != data.shape[axis] {
      let (own, stride) = (data.shape[axis], strides[axis])
      if extent < own {
        walks[axis] = .steps(count: extent, start: (own - extent) / 2 * stride, stride: stride)
      } else {
        let before = (extent - own) / 2
        walks[axis] = try .table(extent) {
          PadMode.constant.source($0 - before, own).map { $0 &* stride } ?? -1
        }
      }
    }
    return [.tensor(try data.moved(walks))]
  }
}
