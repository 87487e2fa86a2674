import WherryGraph

/// Scaled dot-product attention whose scores and probabilities a subgraph each may change.
///
/// `Q: [B, Hq, S, D]`, `K: [B, Hkv, L, D]`, `V: [B, Hkv, L, Dv]`, `Y: [B, Hq, S, Dv]`; the subgraphs take
/// and give one `[B, Hq, S, L]` of element type `softmax_precision`.
/// - Source: ONNX operator specification, ai.onnx.preview FlexAttention-1.
public struct FlexAttention: Operator {
  public var probMod: Graph?
  /// `1 / √D` when nil.
  public var scale: Float?
  public var scoreMod: Graph?
  /// float32 when nil, or float64 for float64 inputs; what the subgraphs see.
  public var softmaxPrecision: ElementType?

  public init() {}

  public static let signature = Signature(
    "FlexAttention", domain: "ai.onnx.preview",
    [.init("Q", .floats), .init("K", .floats), .init("V", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<FlexAttention>] = [
    Field("prob_mod", \.probMod), Field("scale", \.scale), Field("score_mod", \.scoreMod),
    Field("softmax_precision", \.softmaxPrecision),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 0...2 {
      if let rank = site.rank(index), rank != 4 {
        throw TypeError(.rank(input: index, rank, expected: "4"))
      }
    }
    let (q, k) = (site.shape(0), site.shape(1))
    let scores = Shape([q?[0] ?? .unknown, q?[1] ?? .unknown, q?[2] ?? .unknown, k?[2] ?? .unknown])
    if let element = precision(site.element(0)) {
      for graph in [scoreMod, probMod].compactMap({ $0 }) {
        _ = try site.infer(graph, [.tensor(element, scores)])
      }
    }
    site.set(
      0, site.element(0), Shape(scores.dimensions.dropLast() + [site.shape(2)?[3] ?? .unknown]))
  }

  private func precision(_ element: ElementType?) -> ElementType? {
    softmaxPrecision ?? element.map { $0 == .float64 ? .float64 : .float32 }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let query = try call.tensor(0)
    let core = try AttentionCore(
      Heads(query, heads: nil), Heads(call.tensor(1), heads: nil), Heads(call.tensor(2), heads: nil)
    )
    let factor = scale.map { Double($0) } ?? 1 / Double(core.q.size).squareRoot()
    let element = precision(query.element) ?? .float32
    let scores = try change(core.scores(scale: factor), scoreMod, element, core.scoreShape, call)
    let weights = softmaxRows(scores, width: core.k.length)
    let y = core.weighted(try change(weights, probMod, element, core.scoreShape, call))
    return [Tensor(query.element, core.outputShape, doubles: y).map { .tensor($0) }]
  }

  private func change(
    _ values: [Double], _ graph: Graph?, _ element: ElementType, _ shape: [Int],
    _ call: OperatorCall
  ) throws(RunError) -> [Double] {
    guard let graph else { return values }
    guard let input = Tensor(element, shape, doubles: values),
      let output = try call.run(graph, [.tensor(input)]).first?.tensor, output.shape == shape
    else { throw RunError(.badInput("the subgraph \"\(graph.name)\" changes the shape \(shape)")) }
    return output.doubles
  }
}
