import WherryBytes
import WherryGraph

/// Elements of `X` where `condition` is true and of `Y` elsewhere; all three broadcast to one shape.
///
/// - Source: ONNX operator specification, Where-16.
public struct Where: Operator {
  public init() {}

  public static let signature = Signature(
    "Where", [.init("condition", .bool), .init("X", .indexable), .init("Y", .indexable)],
    [.init("output", .indexable)])

  public static let fields: [Field<Where>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    try site.requireSameElement(1, 2)
    let element = site.element(1) ?? site.element(2)
    guard let a = site.shape(0), let b = site.shape(1), let c = site.shape(2) else {
      site.set(0, element, nil)
      return
    }
    guard let values = Shape.broadcast(b, c), let result = Shape.broadcast(a, values) else {
      throw TypeError(.shape("\(a), \(b) and \(c) don't broadcast"))
    }
    site.set(0, element, result)
    if let condition = site.content(0), condition.rank <= 1, result.rank <= 1,
      let x = site.dimensions(1), let y = site.dimensions(2)
    {
      site.outputPartials[0] = Self.choose(condition.booleans, x, y)
    }
  }

  private static func choose(_ condition: [Bool], _ x: [Dimension], _ y: [Dimension])
    -> [Dimension]?
  {
    let count = max(condition.count, x.count, y.count)
    guard [condition.count, x.count, y.count].allSatisfy({ $0 == 1 || $0 == count }) else {
      return nil
    }
    return (0..<count).map { index in
      condition[condition.count == 1 ? 0 : index]
        ? x[x.count == 1 ? 0 : index] : y[y.count == 1 ? 0 : index]
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let extents = try extents(call)
    let condition = try call.tensor(0).broadcast(to: extents).booleans
    let x = ElementSource(try call.tensor(1).broadcast(to: extents))
    let y = ElementSource(try call.tensor(2).broadcast(to: extents))
    var builder = ElementBuilder(x.element, count: condition.count)
    for (index, isTrue) in condition.enumerated() {
      builder.copy(from: isTrue ? x : y, at: index, to: index)
    }
    return [.tensor(try builder.tensor(extents))]
  }
}
