import WherryBytes
import WherryGraph

/// The extents of the input from axis `start` up to but without `end`, as an int64 vector.
///
/// - Source: ONNX operator specification, Shape-25.
public struct ShapeOperator: Operator {
  /// Negative ones count from the end; past the ends they are cut to `0 ... rank`.
  public var start = 0
  public var end: Int?

  public init() {}

  public static let signature = Signature(
    "Shape", [.init("data", .movable)], [.init("shape", .int64)])

  public static let fields: [Field<ShapeOperator>] = [Field("start", \.start), Field("end", \.end)]

  private func range(rank: Int) -> Range<Int> {
    func bound(_ axis: Int) -> Int { min(max(axis < 0 ? axis + rank : axis, 0), rank) }
    let (low, high) = (bound(start), bound(end ?? rank))
    return low..<max(low, high)
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, .int64, Shape([.unknown]))
      return
    }
    let chosen = Array(shape.dimensions[range(rank: shape.rank)])
    site.set(0, .int64, Shape([.fixed(chosen.count)]))
    site.outputPartials[0] = chosen
    site.outputContents[0] = Shape(chosen).extents.map { Tensor(vector: $0) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    return [.tensor(Tensor(vector: Array(data.shape[range(rank: data.rank)])))]
  }
}

/// The number of elements of the input, as an int64 scalar.
///
/// - Source: ONNX operator specification, Size-25.
public struct Size: Operator {
  public init() {}

  public static let signature = Signature(
    "Size", [.init("data", .movable)], [.init("size", .int64)])

  public static let fields: [Field<Size>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .int64, Shape([]))
    guard let shape = site.shape(0) else { return }
    let count = Dimension.product(shape.dimensions)
    site.outputPartials[0] = [count]
    site.outputContents[0] = count.extent.flatMap { Tensor(.int64, [], integers: [Int64($0)]) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    [Tensor(.int64, [], integers: [Int64(try call.tensor(0).count)]).map { .tensor($0) }]
  }
}
