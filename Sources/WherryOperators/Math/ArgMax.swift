import WherryGraph

/// The place of an extreme element along one axis. NaN counts as the extreme, as in numpy.
public protocol ArgExtreme: Operator {
  var axis: Int { get set }
  var keepsAxis: Bool { get set }
  /// Of equal elements the last one, not the first.
  var takesLast: Bool { get set }
  static func isBetter<T: Comparable>(_ x: T, than best: T) -> Bool
}

extension ArgExtreme {
  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else { return site.set(0, .int64, nil) }
    let axis = try InferenceSite.axis(axis, rank: max(shape.rank, 1))
    var dimensions = shape.dimensions
    if shape.rank > 0 {
      if keepsAxis { dimensions[axis] = 1 } else { dimensions.remove(at: axis) }
    }
    site.set(0, .int64, Shape(dimensions))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = data.rank == 0 ? [1] : data.shape
    let axis = try checkedAxis(axis, rank: extents.count)
    let view = AxisView(extents, at: axis)
    var shape = data.shape
    if data.rank > 0 {
      if keepsAxis { shape[axis] = 1 } else { shape.remove(at: axis) }
    }
    guard try checkedCount(shape) == 0 || data.count > 0 else {
      throw RunError(.badInput("axis \(axis) of \(data.shape) has no elements"))
    }
    let places: [Int64]
    if data.element.isFloat {
      places = search(data.doubles, view) { x, best in
        best.isNaN
          ? x.isNaN && takesLast
          : x.isNaN || Self.isBetter(x, than: best) || takesLast && x == best
      }
    } else if case .unsigned(let values) = IntegerView(data) {
      places = search(values, view) { Self.isBetter($0, than: $1) || takesLast && $0 == $1 }
    } else {
      places = search(data.integers, view) { Self.isBetter($0, than: $1) || takesLast && $0 == $1 }
    }
    return single(Tensor(.int64, shape, integers: places))
  }

  private func search<T>(
    _ values: [T], _ view: AxisView, _ replaces: (_ x: T, _ best: T) -> Bool
  ) -> [Int64] {
    var places: [Int64] = []
    values.withUnsafeBufferPointer { values in
      view.forEachLine { start in
        var best = 0
        for index in 0..<view.length
        where replaces(values[start + index * view.inner], values[start + best * view.inner]) {
          best = index
        }
        places.append(Int64(best))
      }
    }
    return places
  }
}

/// Where the greatest element along `axis` is.
/// - Source: ONNX operator specification, ArgMax-13.
public struct ArgMax: ArgExtreme {
  public var axis = 0
  public var keepsAxis = true
  public var takesLast = false

  public init() {}
  public static let signature = Signature(
    "ArgMax", [.init("data", .numbers)], [.init("reduced", .int64)])
  public static let fields: [Field<ArgMax>] = [
    Field("axis", \.axis), Field("keepdims", \.keepsAxis),
    Field("select_last_index", \.takesLast),
  ]
  public static func isBetter<T: Comparable>(_ x: T, than best: T) -> Bool { x > best }
}

/// Where the least element along `axis` is.
/// - Source: ONNX operator specification, ArgMin-13.
public struct ArgMin: ArgExtreme {
  public var axis = 0
  public var keepsAxis = true
  public var takesLast = false

  public init() {}
  public static let signature = Signature(
    "ArgMin", [.init("data", .numbers)], [.init("reduced", .int64)])
  public static let fields: [Field<ArgMin>] = [
    Field("axis", \.axis), Field("keepdims", \.keepsAxis),
    Field("select_last_index", \.takesLast),
  ]
  public static func isBetter<T: Comparable>(_ x: T, than best: T) -> Bool { x < best }
}
