import WherryGraph

/// The input itself: a tensor, sequence or optional.
///
/// - Source: ONNX operator specification, Identity-25.
public struct Identity: Operator {
  public init() {}

  public static let signature = Signature(
    "Identity", [.init("input", .movable)], [.init("output", .movable)])

  public static let fields: [Field<Identity>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.outputs[0] = site.type(0)
    site.outputContents[0] = site.content(0)
    site.outputPartials[0] = site.dimensions(0)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] { [call.value(0)] }
}
