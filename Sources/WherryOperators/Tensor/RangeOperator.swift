import WherryBytes
import WherryGraph

/// The numbers `start`, `start + delta`, … up to but without `limit`; all three are scalars of one type.
///
/// - Source: ONNX operator specification, Range-27.
public struct RangeOperator: Operator {
  /// In which type float16 and bfloat16 are computed: float32 or float64.
  public var stashType = ElementType.float32

  public init() {}

  private static let elements = ElementSet(
    .float16, .bfloat16, .float32, .float64, .int16, .int32, .int64)

  public static let signature = Signature(
    "Range", [.init("start", elements), .init("limit", elements), .init("delta", elements)],
    [.init("output", elements)])

  public static let fields: [Field<RangeOperator>] = [Field("stash_type", \.stashType)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard stashType == .float32 || stashType == .float64 else {
      throw TypeError(.attribute("stash_type", "\(stashType) is no type to compute in"))
    }
    try site.requireSameElement(0, 1)
    try site.requireSameElement(0, 2)
    for index in 0..<3 {
      if let length = site.length(index), length != 1 {
        throw TypeError(.shape("input \(index) has \(length) elements, not 1"))
      }
    }
    let element = site.element(0) ?? site.element(1) ?? site.element(2)
    site.set(0, element, Shape([try length(site)]))
  }

  private func length(_ site: InferenceSite) throws(TypeError) -> Dimension {
    guard let start = site.content(0), let limit = site.content(1), let delta = site.content(2)
    else {
      // A range from 0 in steps of 1 has as many elements as its limit says.
      guard site.integers(0) == [0], site.integers(2) == [1], let limit = site.dimensions(1),
        limit.count == 1
      else { return .unknown }
      return limit[0]
    }
    let count =
      start.element.isFloat
      ? Self.count(start.doubles, limit.doubles, delta.doubles)
      : Self.count(start.integers, limit.integers, delta.integers)
    guard let count else { throw TypeError(.shape("the range has no number of elements")) }
    return .fixed(count)
  }

  private static func count(_ start: [Double], _ limit: [Double], _ delta: [Double]) -> Int? {
    guard let start = start.first, let limit = limit.first, let delta = delta.first, delta != 0
    else {
      return nil
    }
    let steps = ((limit - start) / delta).rounded(.up)
    return steps <= 0 ? 0 : Int(exactly: steps)
  }

  private static func count(_ start: [Int64], _ limit: [Int64], _ delta: [Int64]) -> Int? {
    guard let start = start.first, let limit = limit.first, let delta = delta.first, delta != 0
    else {
      return nil
    }
    guard delta > 0 ? limit > start : limit < start else { return 0 }
    let distance = UInt64(bitPattern: delta > 0 ? limit &- start : start &- limit)
    let (steps, rest) = distance.quotientAndRemainder(dividingBy: delta.magnitude)
    return Int(exactly: steps).flatMap { Checked.add($0, rest == 0 ? 0 : 1) }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (start, delta) = (try call.tensor(0), try call.tensor(2))
    let extents = try extents(call)
    let result: Tensor?
    if start.element.isFloat, let first = start.doubles.first, let step = delta.doubles.first {
      result = Tensor(
        start.element, extents, doubles: (0..<extents[0]).map { first + Double($0) * step })
    } else if let first = start.integers.first, let step = delta.integers.first {
      let numbers = (0..<extents[0]).map { first &+ Int64($0) &* step }
      result = Tensor(start.element, extents, integers: numbers)
    } else {
      result = nil
    }
    guard let result else { throw RunError(.badInput("start and delta are not numbers")) }
    return [.tensor(result)]
  }
}
