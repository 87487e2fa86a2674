import WherryGraph

/// Pairs of elements of each head rotated by an angle that depends on the position.
///
/// `X: [B, heads, S, D]` or `[B, S, heads * D]`; caches `[positions, R / 2]` with `position_ids: [B, S]`, or
/// `[B, S, R / 2]` without, `R` being `rotary_embedding_dim` or `D`. Elements past `R` stay.
/// - Source: ONNX operator specification, RotaryEmbedding-23.
public struct RotaryEmbedding: Operator {
  /// Whether a pair is two neighbours instead of one element of each half.
  public var interleaved = false
  public var numHeads: Int?
  /// 0: all of `D`.
  public var rotaryEmbeddingDim = 0

  public init() {}

  static let elements = ElementSet(.float32, .float16, .bfloat16)
  public static let signature = Signature(
    "RotaryEmbedding",
    [
      .init("X", elements), .init("cos_cache", elements), .init("sin_cache", elements),
      .init("position_ids", .int64, .optional),
    ],
    [.init("Y", elements)])

  public static let fields: [Field<RotaryEmbedding>] = [
    Field("interleaved", \.interleaved), Field("num_heads", \.numHeads),
    Field("rotary_embedding_dim", \.rotaryEmbeddingDim),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 3, rank != 4 {
      throw TypeError(.rank(input: 0, rank, expected: "3 or 4"))
    }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let heads = try Heads(x, heads: numHeads)
    let rotated = rotaryEmbeddingDim == 0 ? heads.size : rotaryEmbeddingDim
    let half = rotated / 2
    let (cosines, sines) = (try call.tensor(1), try call.tensor(2))
    let positions = try call.optionalTensor(3)?.integers
    guard rotated >= 0, rotated <= heads.size, rotated % 2 == 0, cosines.shape == sines.shape,
      cosines.shape.last == half,
      positions.map({ $0.count == heads.batch * heads.length && cosines.rank == 2 })
        ?? (cosines.shape == [heads.batch, heads.length, half])
    else {
      throw RunError(.badInput("caches \(cosines.shape) and \(sines.shape) for X \(x.shape)"))
    }
    let (cos, sin) = (cosines.doubles, sines.doubles)
    var y = heads.values
    for row in 0..<heads.batch * heads.heads * heads.length {
      let token = row / (heads.heads * heads.length) * heads.length + row % heads.length
      let position = positions?[token] ?? Int64(token)
      guard position >= 0,
        position < (positions == nil ? Int64(heads.batch * heads.length) : Int64(cosines.shape[0]))
      else { throw RunError(.badValue("position \(position) in a cache of \(cosines.shape[0])")) }
      for pair in 0..<half {
        let first = row * heads.size + (interleaved ? 2 * pair : pair)
        let second = interleaved ? first + 1 : first + half
        let (c, s) = (cos[Int(position) * half + pair], sin[Int(position) * half + pair])
        (y[first], y[second]) = (c * y[first] - s * y[second], s * y[first] + c * y[second])
      }
    }
    if x.rank == 3 { y = swapMiddle(y, heads.batch, heads.heads, heads.length, heads.size) }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}
