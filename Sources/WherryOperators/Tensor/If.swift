import WherryGraph

/// Runs one of two graphs, both without inputs and with the same number of outputs.
///
/// - Source: ONNX operator specification, If-25.
public struct If: Operator {
  public var thenBranch = Graph()
  public var elseBranch = Graph()

  public init() {}

  public static let signature = Signature(
    "If", [.init("cond", .bool)], [.init("outputs", .movable, .variadic)])

  public static let fields: [Field<If>] = [
    Field("else_branch", \.elseBranch, required: true),
    Field("then_branch", \.thenBranch, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let length = site.length(0), length != 1 {
      throw TypeError(.shape("cond is not one element"))
    }
    for branch in [thenBranch, elseBranch] {
      guard branch.inputs.isEmpty, branch.outputs.count >= site.outputCount else {
        throw TypeError(.attribute("then_branch", "inputs or outputs don't fit the node"))
      }
    }
    if let condition = site.content(0)?.booleans.first {
      let types = try site.infer(condition ? thenBranch : elseBranch, [])
      for (index, type) in types.prefix(site.outputCount).enumerated() {
        site.outputs[index] = type
      }
      return
    }
    let (a, b) = try types(site)
    for (index, (x, y)) in zip(a, b).prefix(site.outputCount).enumerated() {
      guard let x, let y else { continue }
      guard let both = ValueType.union(x, y) else {
        throw TypeError(.contradiction(declared: x, inferred: y))
      }
      site.outputs[index] = both
    }
  }

  /// The types of both branches. A branch whose types contradict each other is one that is never taken.
  private func types(
    _ site: InferenceSite
  ) throws(TypeError) -> ([ValueType?], [ValueType?]) {
    let first: [ValueType?]
    do {
      first = try site.infer(thenBranch, [])
    } catch {
      let second = try site.infer(elseBranch, [])
      return (second, second)
    }
    do {
      return (first, try site.infer(elseBranch, []))
    } catch {
      return (first, first)
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let condition = try call.tensor(0)
    guard condition.count == 1, let isTrue = condition.booleans.first else {
      throw RunError(.badInput("cond is not one element"))
    }
    return try call.run(isTrue ? thenBranch : elseBranch, [])
  }
}
