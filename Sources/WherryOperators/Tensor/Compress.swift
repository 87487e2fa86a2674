import WherryBytes
import WherryGraph

/// The parts of the input along `axis`, or the elements of the flattened input, where `condition` is true.
/// A condition that is too short is false for the rest.
///
/// - Source: ONNX operator specification, Compress-28.
public struct Compress: Operator {
  /// In `-rank ..< rank`; nil for the flattened input.
  public var axis: Int?

  public init() {}

  public static let signature = Signature(
    "Compress", [.init("input", .indexable), .init("condition", .bool)],
    [.init("output", .indexable)])

  public static let fields: [Field<Compress>] = [Field("axis", \.axis)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(1), rank != 1 { throw TypeError(.rank(input: 1, rank, expected: "1")) }
    let kept = site.content(1).map { Dimension.fixed($0.booleans.count { $0 }) } ?? .unknown
    guard let axis else {
      site.set(0, site.element(0), Shape([kept]))
      return
    }
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), nil)
      return
    }
    var result = Shape(shape.dimensions)
    result[try InferenceSite.axis(axis, rank: shape.rank)] = kept
    site.set(0, site.element(0), result)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    _ = try extents(call)
    var data = try call.tensor(0)
    let chosen = try call.tensor(1).booleans.enumerated().filter(\.element).map(\.offset)
    if axis == nil, let flat = data.reshaped([data.count]) { data = flat }
    let axis = axis.map { $0 < 0 ? $0 + data.rank : $0 } ?? 0
    guard chosen.last ?? -1 < data.shape[axis] else {
      throw RunError(.badValue("condition is true past an extent of \(data.shape[axis])"))
    }
    let stride = data.strides[axis]
    var walks = data.walks
    walks[axis] = .offsets(chosen.map { $0 &* stride })
    return [.tensor(try data.moved(walks))]
  }
}

/// The coordinates of the elements that are not zero, false or "": `[rank, count]`, in row-major order.
///
/// - Source: ONNX operator specification, NonZero-13.
public struct NonZero: Operator {
  public init() {}

  public static let signature = Signature("NonZero", [.init("X", .indexable)], [.init("Y", .int64)])

  public static let fields: [Field<NonZero>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .int64, Shape([site.rank(0).map { .fixed($0) } ?? .unknown, .unknown]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let found = Self.isZero(data).enumerated().filter { !$0.element }.map(\.offset)
    var coordinates: [Int64] = []
    for (extent, stride) in zip(data.shape, data.strides) {
      coordinates += found.map { Int64($0 / stride % extent) }
    }
    return [Tensor(.int64, [data.rank, found.count], integers: coordinates).map { .tensor($0) }]
  }

  private static func isZero(_ data: Tensor) -> [Bool] {
    if data.element == .string { return data.strings.map(\.isEmpty) }
    if data.element.isInteger || data.element == .bool { return data.integers.map { $0 == 0 } }
    let numbers = data.doubles
    guard data.element.isComplex else { return numbers.map { $0 == 0 } }
    return (0..<numbers.count / 2).map { numbers[2 * $0] == 0 && numbers[2 * $0 + 1] == 0 }
  }
}
