import WherryBytes
import WherryGraph

/// Whether each string is, as a whole, one that `pattern` describes; bool in the shape of `X`.
///
/// - Source: ONNX operator specification, RegexFullMatch-20; the syntax is RE2's.
public struct RegexFullMatch: Operator {
  public var pattern: String?

  public init() {}

  public static let signature = Signature(
    "RegexFullMatch", [.init("X", .string)], [.init("Y", .bool)])

  public static let fields: [Field<RegexFullMatch>] = [Field("pattern", \.pattern)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .bool, site.shape(0).map { Shape($0.dimensions) })
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    guard let pattern else { throw RunError(.type(.attribute("pattern", "is not given"))) }
    let expression: RegularExpression
    do {
      expression = try RegularExpression(pattern)
    } catch {
      throw RunError(.unsupported("the pattern \"\(pattern)\": \(error.reason)"))
    }
    var results: [Bool] = []
    for string in data.strings {
      guard let text = string.text else { throw RunError(.badValue("a string is not UTF-8")) }
      results.append(expression.matches(text))
    }
    return [Tensor(data.shape, booleans: results).map { .tensor($0) }]
  }
}
