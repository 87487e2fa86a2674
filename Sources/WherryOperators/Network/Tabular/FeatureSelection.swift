import WherryBytes
import WherryGraph

/// Each element replaced by a vector with a 1 at its category.
///
/// `X: [d0 … dn]`, `Y: [d0 … dn, categories] float32`.
/// - Source: ONNX operator specification, ai.onnx.ml OneHotEncoder-1.
public struct OneHotEncoder: Operator {
  public var catsInt64s: [Int]?
  public var catsStrings: [Bytes]?
  /// Whether an unknown category gives zeros instead of an error.
  public var zeros = true

  public init() {}

  public static let signature = Signature(
    "OneHotEncoder", domain: OperatorName.mlDomain, [.init("X", .features.union(.string))],
    [.init("Y", .float32)])

  public static let fields: [Field<OneHotEncoder>] = [
    Field("cats_int64s", \.catsInt64s), Field("cats_strings", \.catsStrings),
    Field("zeros", \.zeros),
  ]

  private var names: ClassNames { ClassNames(catsInt64s, catsStrings) }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(
      0, .float32, site.shape(0).map { Shape($0.dimensions + [.fixed(names.count)]) })
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (names, shape) = (names, x.shape + [names.count])
    var y = [Double](repeating: 0, count: try RunError.count(shape))
    let places: [Int?]
    if x.element == .string {
      let known = Dictionary(
        names.strings.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
      places = x.strings.map { known[$0] }
    } else {
      let known = Dictionary(
        names.integers.enumerated().map { (Int64($1), $0) }, uniquingKeysWith: { first, _ in first }
      )
      let keys =
        x.element.isInteger
        ? x.integers.map { Optional($0) }
        : x.doubles.map { Int64(exactly: $0.rounded(.towardZero)) }
      places = keys.map { $0.flatMap { known[$0] } }
    }
    for (index, place) in places.enumerated() {
      if let place {
        y[index * names.count + place] = 1
      } else if !zeros {
        throw RunError(.badValue("element \(index) is in no category"))
      }
    }
    return [Tensor(.float32, shape, doubles: y).map { .tensor($0) }]
  }
}

/// Elements of the last axis picked by index.
///
/// `X: [d0 … dn]`, `Y: [k]` in any shape; `Z: [d0 … d(n-1), k]`, or `[1, k]` for an `X` of one axis.
/// - Source: ONNX operator specification, ai.onnx.ml ArrayFeatureExtractor-1.
public struct ArrayFeatureExtractor: Operator {
  public init() {}

  static let elements = ElementSet.features.union(.string)
  public static let signature = Signature(
    "ArrayFeatureExtractor", domain: OperatorName.mlDomain,
    [.init("X", elements), .init("Y", .int64)], [.init("Z", elements)])

  public static let fields: [Field<ArrayFeatureExtractor>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireRank(0, 1...)
    guard let x = site.shape(0) else { return site.set(0, site.element(0), nil) }
    let count = site.shape(1)?.extents.flatMap { Checked.product($0) }
    let leading = x.rank == 1 ? [1] : Array(x.dimensions.dropLast())
    site.set(0, site.element(0), Shape(leading + [count.map { .fixed($0) } ?? .unknown]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, indices) = (try call.tensor(0), try call.tensor(1).integers)
    guard let width = x.shape.last else { throw RunError(.badInput("X is a scalar")) }
    if let bad = indices.first(where: { $0 < 0 || $0 >= width }) {
      throw RunError(.badValue("index \(bad) of \(width)"))
    }
    let leading = x.rank == 1 ? [1] : Array(x.shape.dropLast())
    let shape = leading + [indices.count]
    _ = try RunError.count(shape)
    let rows = leading.reduce(1, *)
    let sources = (0..<rows).flatMap { row in indices.map { row * width + Int($0) } }
    return [x.picking(sources, shape).map { .tensor($0) }]
  }
}

/// Inputs side by side as one row of features each.
///
/// Inputs `[N, Fi]` or `[Fi]`, cut or filled with zeros to `inputdimensions`; `Y: [N, Σ F] float32`.
/// - Source: ONNX operator specification, ai.onnx.ml FeatureVectorizer-1.
public struct FeatureVectorizer: Operator {
  /// The inputs' own widths when nil.
  public var inputdimensions: [Int]?

  public init() {}

  public static let signature = Signature(
    "FeatureVectorizer", domain: OperatorName.mlDomain, [.init("X", .features, .variadic)],
    [.init("Y", .float32)])

  public static let fields: [Field<FeatureVectorizer>] = [
    Field("inputdimensions", \.inputdimensions)
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let widths = site.inputs.indices.map { index in
      inputdimensions.flatMap { index < $0.count ? $0[index] : nil }
        ?? site.shape(index)?.dimensions.last?.extent
    }
    let total = widths.reduce(Optional(0)) { sum, width in
      sum.flatMap { sum in width.flatMap { Checked.add(sum, $0) } }
    }
    site.set(0, .float32, Shape([site.rows, total.map { .fixed($0) } ?? .unknown]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    var parts: [(width: Int, wanted: Int, values: [Double])] = []
    let count = try call.tensor(0).rows().count
    for index in call.inputs.indices {
      let (own, width, values) = try call.tensor(index).rows()
      let wanted = inputdimensions.flatMap { index < $0.count ? $0[index] : nil } ?? width
      guard own == count, wanted >= 0 else {
        throw RunError(.badInput("\(own) rows beside \(count)"))
      }
      _ = try RunError.count([count, wanted])
      parts.append((width, wanted, values))
    }
    var total = 0
    for part in parts { total = try RunError.count([1, Checked.add(total, part.wanted) ?? .max]) }
    _ = try RunError.count([count, total])
    var y: [Double] = []
    for row in 0..<count {
      for part in parts {
        let kept = min(part.width, part.wanted)
        y += part.values[row * part.width..<row * part.width + kept]
        y += repeatElement(0, count: part.wanted - kept)
      }
    }
    return [Tensor(.float32, [count, total], doubles: y).map { .tensor($0) }]
  }
}
