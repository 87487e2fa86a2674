import WherryBytes
import WherryGraph

/// The input broadcast, in both directions, with the extents in `shape: [R] int64`.
///
/// - Source: ONNX operator specification, Expand-13.
public struct Expand: Operator {
  public init() {}

  public static let signature = Signature(
    "Expand", [.init("input", .indexable), .init("shape", .int64)], [.init("output", .indexable)])

  public static let fields: [Field<Expand>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let open = site.length(1).flatMap {
      $0 <= 64 ? Array(repeating: Dimension.unknown, count: $0) : nil
    }
    guard let shape = site.shape(0), let wanted = site.dimensions(1) ?? open else {
      site.set(0, site.element(0), nil)
      return
    }
    for case .fixed(let extent) in wanted where extent < 0 {
      throw TypeError(.shape("\(extent) is no extent"))
    }
    guard let result = Shape.broadcast(shape, Shape(wanted)) else {
      throw TypeError(.shape("\(shape) can't be expanded to \(Shape(wanted))"))
    }
    site.set(0, site.element(0), result)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    [.tensor(try call.tensor(0).broadcast(to: try extents(call)))]
  }
}

extension Tensor {
  /// The tensor repeated along its missing axes and those of extent 1.
  func broadcast(to extents: [Int]) throws(RunError) -> Tensor {
    if shape == extents { return self }
    let missing = extents.count - rank
    guard missing >= 0 else {
      throw RunError(.badInput("\(shape) does not broadcast to \(extents)"))
    }
    let strides = strides
    var axes: [AxisWalk] = []
    for (axis, extent) in extents.enumerated() {
      let own = axis < missing ? 1 : shape[axis - missing]
      guard own == extent || own == 1 else {
        throw RunError(.badInput("\(shape) does not broadcast to \(extents)"))
      }
      axes.append(.steps(count: extent, stride: own == 1 ? 0 : strides[axis - missing]))
    }
    return try moved(axes)
  }
}

/// The input repeated along each axis as often as `repeats: [rank] int64` says.
///
/// - Source: ONNX operator specification, Tile-13.
public struct Tile: Operator {
  public init() {}

  public static let signature = Signature(
    "Tile", [.init("input", .indexable), .init("repeats", .int64)], [.init("output", .indexable)])

  public static let fields: [Field<Tile>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), site.length(1).flatMap { $0 <= 64 ? .unknown(rank: $0) : nil })
      return
    }
    guard let repeats = site.dimensions(1) else {
      site.set(0, site.element(0), .unknown(rank: shape.rank))
      return
    }
    guard repeats.count == shape.rank else {
      throw TypeError(.shape("\(repeats.count) repeats for a rank of \(shape.rank)"))
    }
    var result: [Dimension] = []
    for (extent, times) in zip(shape.dimensions, repeats) {
      if let times = times.extent {
        guard times >= 0, extent.extent.map({ Checked.multiply($0, times) != nil }) ?? true else {
          throw TypeError(.shape("an extent of \(extent) can't be repeated \(times) times"))
        }
      }
      result.append(.product([extent, times]))
    }
    site.set(0, site.element(0), Shape(result))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let strides = data.strides
    guard Checked.product(extents) != 0 else {
      return [.tensor(try ElementBuilder(data.element, count: 0).tensor(extents))]
    }
    var axes: [AxisWalk] = []
    // An axis repeated is two axes: the repetitions, which stay in place, and the extent itself.
    for (axis, extent) in extents.enumerated() {
      axes.append(.steps(count: extent / data.shape[axis], stride: 0))
      axes.append(.steps(count: data.shape[axis], stride: strides[axis]))
    }
    guard let result = try data.moved(axes).reshaped(extents) else {
      throw RunError(.badValue("extents \(extents)"))
    }
    return [.tensor(result)]
  }
}
