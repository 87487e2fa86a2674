import WherryBytes
import WherryGraph

/// Ones on a diagonal, zeros elsewhere, in the shape of a matrix.
///
/// - Source: ONNX operator specification, EyeLike-22.
public struct EyeLike: Operator {
  /// The element type of the output; nil for the input's.
  public var dtype: ElementType?
  /// Which diagonal: above the main one when positive, below when negative.
  public var k = 0

  public init() {}

  private static let elements = ElementSet.numbers.union(.bool)

  public static let signature = Signature(
    "EyeLike", [.init("input", elements)], [.init("output", elements)])

  public static let fields: [Field<EyeLike>] = [Field("dtype", \.dtype), Field("k", \.k)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let dtype, !Self.elements.contains(dtype) {
      throw TypeError(.attribute("dtype", "\(dtype) has no one"))
    }
    if let rank = site.rank(0), rank != 2 { throw TypeError(.rank(input: 0, rank, expected: "2")) }
    site.set(0, dtype ?? site.element(0), site.shape(0) ?? .unknown(rank: 2))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let input = try call.tensor(0)
    let element = dtype ?? input.element
    let extents = try extents(call)
    guard let one = Tensor(element, [1], doubles: [1]) else {
      throw RunError(.unsupported("a one of \(element)"))
    }
    let source = ElementSource(one)
    let (rows, columns) = (extents[0], extents[1])
    var builder = ElementBuilder(element, count: rows * columns)
    for row in 0..<(columns == 0 ? 0 : rows) {
      guard let column = Checked.add(row, k), column >= 0, column < columns else { continue }
      builder.copy(from: source, at: 0, to: row * columns + column)
    }
    return [.tensor(try builder.tensor(extents))]
  }
}

/// The upper or lower triangles of the matrices in the last two axes; zeros elsewhere.
///
/// - Source: ONNX operator specification, Trilu-14.
public struct Trilu: Operator {
  public var upper = true

  public init() {}

  public static let signature = Signature(
    "Trilu", [.init("input", .indexable), .init("k", .int64, .optional)],
    [.init("output", .indexable)])

  public static let fields: [Field<Trilu>] = [Field("upper", \.upper)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 2...)
    if let length = site.length(1), length != 1 { throw TypeError(.shape("k is not one number")) }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let extents = try extents(call)
    let k = Int(try call.optionalTensor(1)?.integers.first ?? 0)
    let (rows, columns) = (extents[data.rank - 2], extents[data.rank - 1])
    let source = ElementSource(data)
    var builder = ElementBuilder(data.element, count: data.count)
    guard columns > 0 else { return [.tensor(data)] }
    for line in 0..<data.count / columns {
      // Beyond the extents every diagonal is as good as the nearest outside.
      let diagonal = min(max(k, -rows - 1), columns + 1) + line % rows
      let first = min(max(upper ? diagonal : 0, 0), columns)
      let last = min(max(upper ? columns : diagonal + 1, 0), columns)
      let start = line * columns + first
      builder.copy(max(last - first, 0), from: source, at: start, to: start)
    }
    return [.tensor(try builder.tensor(extents))]
  }
}
