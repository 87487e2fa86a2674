import WherryGraph

/// The input with its axes in another order: axis `i` of the output is axis `perm[i]` of the input;
/// without `perm` the axes are reversed.
///
/// - Source: ONNX operator specification, Transpose-25.
public struct Transpose: Operator {
  /// A permutation of `0 ..< rank`.
  public var perm: [Int]?

  public init() {}

  public static let signature = Signature(
    "Transpose", [.init("data", .movable)], [.init("transposed", .movable)])

  public static let fields: [Field<Transpose>] = [Field("perm", \.perm)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else {
      site.set(0, site.element(0), perm.map { .unknown(rank: $0.count) })
      return
    }
    site.set(0, site.element(0), Shape(try permutation(rank: shape.rank).map { shape[$0] }))
  }

  private func permutation(rank: Int) throws(TypeError) -> [Int] {
    guard let perm else { return (0..<rank).reversed() }
    guard perm.count == rank else {
      throw TypeError(.rank(input: 0, rank, expected: "\(perm.count)"))
    }
    guard perm.sorted().elementsEqual(0..<rank) else {
      throw TypeError(.attribute("perm", "\(perm) is no permutation"))
    }
    return perm
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let order = try RunError.from { () throws(TypeError) in try permutation(rank: data.rank) }
    let walks = data.walks
    return [.tensor(try data.moved(order.map { walks[$0] }))]
  }
}
