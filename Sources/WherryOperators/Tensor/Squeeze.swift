import WherryBytes
import WherryGraph

/// The input without the axes of extent 1 that `axes: [K] int64` lists, or without any of them.
///
/// - Source: ONNX operator specification, Squeeze-25.
public struct Squeeze: Operator {
  public init() {}

  public static let signature = Signature(
    "Squeeze", [.init("data", .movable), .init("axes", .int64, .optional)],
    [.init("squeezed", .movable)])

  public static let fields: [Field<Squeeze>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.outputPartials[0] = site.dimensions(0).flatMap { $0.count == 1 ? $0 : nil }
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    if site.has(1) {
      guard let listed = site.integers(1) else {
        let rank = site.length(1).map { shape.rank - $0 }
        site.set(0, site.element(0), rank.flatMap { $0 >= 0 ? .unknown(rank: $0) : nil })
        return
      }
      let axes = Set(try InferenceSite.axes(listed, rank: shape.rank))
      for axis in axes {
        if let extent = shape[axis].extent, extent != 1 {
          throw TypeError(.shape("axis \(axis) of \(shape) has not the extent 1"))
        }
      }
      let kept = shape.dimensions.indices.filter { !axes.contains($0) }
      site.set(0, site.element(0), Shape(kept.map { shape[$0] }))
    } else {
      // An extent that is not known may be 1.
      let isKnown = shape.extents != nil
      site.set(0, site.element(0), isKnown ? Shape(shape.dimensions.filter { $0 != 1 }) : nil)
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard let result = try call.tensor(0).reshaped(try extents(call)) else {
      throw RunError(.badValue("only axes of extent 1 can go"))
    }
    return [.tensor(result)]
  }
}

/// The input with axes of extent 1 put in, where `axes: [K] int64` lists them in the output.
///
/// - Source: ONNX operator specification, Unsqueeze-25.
public struct Unsqueeze: Operator {
  public init() {}

  public static let signature = Signature(
    "Unsqueeze", [.init("data", .movable), .init("axes", .int64)], [.init("expanded", .movable)])

  public static let fields: [Field<Unsqueeze>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    guard let listed = site.integers(1) else {
      let rank = site.length(1).flatMap { $0 <= 64 ? $0 + shape.rank : nil }
      site.set(0, site.element(0), rank.map { .unknown(rank: $0) })
      return
    }
    let rank = shape.rank + listed.count
    if rank == 1 { site.outputPartials[0] = site.dimensions(0) }
    let axes = Set(try InferenceSite.axes(listed, rank: rank))
    var kept = shape.dimensions.makeIterator()
    site.set(
      0, site.element(0),
      Shape((0..<rank).map { axes.contains($0) ? 1 : kept.next() ?? .unknown }))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    guard let result = try call.tensor(0).reshaped(try extents(call)) else {
      throw RunError(.badValue("axes don't fit"))
    }
    return [.tensor(result)]
  }
}
