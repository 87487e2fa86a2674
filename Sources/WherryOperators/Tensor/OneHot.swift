import WherryBytes
import WherryGraph

/// A new axis of extent `depth` on which the element at the index is `values[1]` and all others are
/// `values[0]`. Negative indices count from the end; one outside `-depth ..< depth` gives no `values[1]`.
///
/// - Source: ONNX operator specification, OneHot-28.
public struct OneHot: Operator {
  /// Where the new axis stands: in `-rank - 1 ... rank` of `indices`.
  public var axis = -1

  public init() {}

  private static let counts = ElementSet.numbers.subtracting(ElementSet(.bfloat16))

  public static let signature = Signature(
    "OneHot",
    [.init("indices", counts), .init("depth", counts), .init("values", .indexable)],
    [.init("output", .indexable)])

  public static let fields: [Field<OneHot>] = [Field("axis", \.axis)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let length = site.length(1), length != 1 {
      throw TypeError(.shape("depth is not one number"))
    }
    if let length = site.length(2), length != 2 { throw TypeError(.shape("values are not two")) }
    guard let indices = site.shape(0) else {
      site.set(0, site.element(2), nil)
      return
    }
    let axis = try InferenceSite.axis(axis, rank: indices.rank + 1)
    var depth = site.dimensions(1)?.first ?? .unknown
    if let content = site.content(1) {
      guard let number = content.wholeNumbers.first ?? nil, number >= 0 else {
        throw TypeError(.shape("depth is no extent"))
      }
      depth = .fixed(number)
    }
    site.set(
      0, site.element(2), Shape(indices.dimensions[..<axis] + [depth] + indices.dimensions[axis...])
    )
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (indices, values) = (try call.tensor(0), try call.tensor(2))
    let extents = try extents(call)
    let axis = axis < 0 ? axis + extents.count : axis
    let (depth, inner) = (extents[axis], extents[(axis + 1)...].reduce(1, *))
    guard values.count == 2 else { throw RunError(.badInput("values are not two")) }
    let source = ElementSource(values)
    var builder = ElementBuilder(repeating: values, count: Checked.product(extents) ?? 0)
    for (at, index) in indices.wholeNumbers.enumerated() {
      guard let index, index >= -depth, index < depth else { continue }
      let hot = index < 0 ? index + depth : index
      builder.copy(from: source, at: 1, to: (at / inner * depth + hot) * inner + at % inner)
    }
    return [.tensor(try builder.tensor(extents))]
  }
}

extension Tensor {
  /// The elements of a numeric tensor as integers, fractions cut off; nil for those beyond Int64.
  fileprivate var wholeNumbers: [Int?] {
    element.isFloat
      ? doubles.map { Int(exactly: $0.rounded(.towardZero)) } : integers.map { Int($0) }
  }
}
