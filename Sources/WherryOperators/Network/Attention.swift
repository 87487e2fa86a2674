import Glibc
import WherryBytes
import WherryGraph

/// Scaled dot-product attention with masks, windows and a key-value cache.
///
/// `Q: [B, Hq, S, D]` or `[B, S, Hq * D]`, `K` and `V` likewise with `Hkv` heads and length `L`; past
/// key and value `[B, Hkv, P, …]` go before them. `attn_mask` broadcasts to `[B, Hq, S, T]`, `T = P + L`,
/// and may be shorter in its last axis; `nonpad_kv_seqlen: [B]`. `Y` has the layout of `Q`; a query that
/// may see no key gives zeros.
/// - Source: ONNX operator specification, Attention-25.
public struct Attention: Operator {
  public var isCausal = false
  public var kvNumHeads: Int?
  /// Keys before the query's position that it sees; -1: all.
  public var leftWindowSize = -1
  public var qNumHeads: Int?
  /// What the fourth output holds: 0 scores, 1 after the soft cap, 2 after the mask, 3 probabilities.
  public var qkMatmulOutputMode = 0
  public var rightWindowSize = -1
  /// `1 / √D` when nil.
  public var scale: Float?
  public var softcap: Float = 0
  /// Evaluation is in float64 whichever it is.
  public var softmaxPrecision: ElementType?

  public init() {}

  public static let signature = Signature(
    "Attention",
    [
      .init("Q", .floats), .init("K", .floats), .init("V", .floats),
      .init("attn_mask", .numbers.union(.bool), .optional), .init("past_key", .floats, .optional),
      .init("past_value", .floats, .optional), .init("nonpad_kv_seqlen", .int64, .optional),
    ],
    [
      .init("Y", .floats), .init("present_key", .floats, .optional),
      .init("present_value", .floats, .optional), .init("qk_matmul_output", .floats, .optional),
    ])

  public static let fields: [Field<Attention>] = [
    Field("is_causal", \.isCausal), Field("kv_num_heads", \.kvNumHeads),
    Field("left_window_size", \.leftWindowSize), Field("q_num_heads", \.qNumHeads),
    Field("qk_matmul_output_mode", \.qkMatmulOutputMode),
    Field("right_window_size", \.rightWindowSize), Field("scale", \.scale),
    Field("softcap", \.softcap), Field("softmax_precision", \.softmaxPrecision),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 0...2 {
      if let rank = site.rank(index), rank != 3, rank != 4 {
        throw TypeError(.rank(input: index, rank, expected: "3 or 4"))
      }
    }
    guard let q = site.shape(0) else { return site.set(0, site.element(0), nil) }
    let isFlat = q.rank == 3
    func split(_ index: Int, _ heads: Int?) throws(TypeError) -> [Dimension]? {
      guard let shape = site.shape(index) else { return nil }
      guard shape.rank == 3 else { return shape.dimensions }
      guard let heads, heads > 0 else {
        throw TypeError(.attribute("num_heads", "missing for inputs of rank 3"))
      }
      let size = try shape[2].divided(by: heads)
      return [shape[0], .fixed(heads), shape[1], size]
    }
    let (queries, keys) = (try split(0, qNumHeads), try split(1, kvNumHeads))
    let values = try split(2, kvNumHeads)
    guard let queries else { return }
    let size = values?[3] ?? .unknown
    if isFlat {
      let hidden = size.extent.flatMap { s in qNumHeads.flatMap { Checked.multiply(s, $0) } }
      site.set(0, site.element(0), Shape([q[0], q[1], hidden.map { .fixed($0) } ?? .unknown]))
    } else {
      site.set(0, site.element(0), Shape([q[0], q[1], q[2], size]))
    }
    var total = keys?[2] ?? .unknown
    if site.has(4) {
      let past = site.shape(4).flatMap { $0.rank == 4 ? $0[2].extent : nil }
      let sum = past.flatMap { p in total.extent.flatMap { Checked.add(p, $0) } }
      total = sum.map { .fixed($0) } ?? .unknown
    }
    site.set(1, site.element(1), keys.map { Shape([$0[0], $0[1], total, $0[3]]) })
    site.set(2, site.element(2), values.map { Shape([$0[0], $0[1], total, $0[3]]) })
    site.set(3, site.element(0), Shape([queries[0], queries[1], queries[2], total]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (query, key, value) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    let q = try Heads(query, heads: qNumHeads)
    var k = try Heads(key, heads: kvNumHeads)
    var v = try Heads(value, heads: kvNumHeads)
    var past = 0
    if let pastKey = try call.optionalTensor(4) {
      let old = try Heads(pastKey, heads: nil)
      k = try k.appended(to: old)
      v = try v.appended(to: try Heads(try call.tensor(5), heads: nil))
      past = old.length
    }
    let core = try AttentionCore(q, k, v)
    let lengths = try call.optionalTensor(6)?.integers
    guard lengths?.count ?? q.batch == q.batch else {
      throw RunError(.badInput("nonpad_kv_seqlen for a batch of \(q.batch)"))
    }
    let factor = scale.map { Double($0) } ?? 1 / Double(q.size).squareRoot()
    var scores = core.scores(scale: factor)
    var shown = scores
    if softcap > 0 {
      let cap = Double(softcap)
      for index in scores.indices { scores[index] = cap * tanh(scores[index] / cap) }
      if qkMatmulOutputMode == 1 { shown = scores }
    }
    let bias = try self.bias(core, try call.optionalTensor(3), past: past, lengths: lengths)
    for index in scores.indices { scores[index] += bias[index] }
    if qkMatmulOutputMode == 2 { shown = scores }
    var weights = softmaxRows(scores, width: k.length)
    if k.length > 0 {
      for start in stride(from: 0, to: weights.count, by: k.length)
      where bias[start..<start + k.length].allSatisfy({ $0 == -.infinity }) {
        for index in start..<start + k.length { weights[index] = 0 }
      }
    }
    if qkMatmulOutputMode == 3 { shown = weights }
    var y = core.weighted(weights)
    var shape = core.outputShape
    if query.rank == 3 {
      y = swapMiddle(y, q.batch, q.heads, q.length, v.size)
      shape = [q.batch, q.length, q.heads * v.size]
    }
    return [
      Tensor(query.element, shape, doubles: y).map { .tensor($0) },
      Tensor(key.element, k.shape, doubles: k.values).map { .tensor($0) },
      Tensor(value.element, v.shape, doubles: v.values).map { .tensor($0) },
      Tensor(query.element, core.scoreShape, doubles: shown).map { .tensor($0) },
    ]
  }

  /// What is added to each score: 0, the mask, or minus infinity for keys a query must not see.
  private func bias(
    _ core: AttentionCore, _ mask: Tensor?, past: Int, lengths: [Int64]?
  ) throws(RunError) -> [Double] {
    let (queries, keys) = (core.q.length, core.k.length)
    var bias = [Double](repeating: 0, count: core.scoreShape.reduce(1, *))
    if let mask {
      guard let width = mask.shape.last, width <= keys else {
        throw RunError(.badInput("a mask of shape \(mask.shape) for \(keys) keys"))
      }
      let places = try broadcastOffsets(
        mask.shape, to: Array(core.scoreShape.dropLast()) + [width])
      let values =
        mask.element == .bool ? mask.integers.map { $0 != 0 ? 0 : -.infinity } : mask.doubles
      for index in bias.indices {
        let key = index % keys
        bias[index] = key < width ? values[places[index / keys * width + key]] : -.infinity
      }
    }
    for row in 0..<(keys == 0 ? 0 : bias.count / keys) {
      let image = row / (queries * core.q.heads)
      // Valid keys before the first query.
      let length = lengths.map { Int($0[image]) }
      let offset = length.map { past == 0 ? $0 - queries : past } ?? past
      let position = row % queries + offset
      for key in 0..<keys {
        let isHidden =
          isCausal && key > position
          || leftWindowSize >= 0 && position - key > leftWindowSize
          || rightWindowSize >= 0 && key - position > rightWindowSize
          || length.map { key >= $0 } ?? false
        if isHidden { bias[row * keys + key] = -.infinity }
      }
    }
    return bias
  }
}

extension Dimension {
  /// - Throws: `TypeError.shape` when the extent is not a multiple.
  func divided(by divisor: Int) throws(TypeError) -> Dimension {
    guard let extent else { return .unknown }
    guard divisor > 0, extent % divisor == 0 else {
      throw TypeError(.shape("an extent of \(extent) in \(divisor) parts"))
    }
    return .fixed(extent / divisor)
  }
}
