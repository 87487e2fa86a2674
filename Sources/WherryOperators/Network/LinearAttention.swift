import Glibc
import WherryBytes
import WherryGraph

/// Attention as a recurrence over a state matrix for each key-value head.
///
/// `query: [B, T, Hq * dk]`, `key: [B, T, Hkv * dk]`, `value: [B, T, Hkv * dv]`,
/// `past_state: [B, Hkv, dk, dv]`, `decay: [B, T, Hkv * dk]` or `[B, T, Hkv]` (logarithms),
/// `beta: [B, T, Hkv]` or `[B, T, 1]`; `output: [B, T, Hq * dv]`. At each step the state decays by `exp(decay)`
/// (gated rules) and gains `key ⊗ value`, of which delta rules first take away what the state already
/// gives for the key, times `beta`; the output is `scale * stateᵀ query`.
/// - Source: ONNX operator specification, LinearAttention-27.
public struct LinearAttention: Operator {
  public enum UpdateRule: String, AttributeConvertible {
    case linear, gated, delta
    case gatedDelta = "gated_delta"
  }

  /// A hint that does not change the result.
  public var chunkSize = 64
  public var kvNumHeads = 1
  public var qNumHeads = 1
  /// 0: `1 / √dk`.
  public var scale: Float = 0
  public var updateRule = UpdateRule.gatedDelta

  public init() {}

  static let elements = ElementSet(.float32, .float16, .bfloat16)
  public static let signature = Signature(
    "LinearAttention",
    [
      .init("query", elements), .init("key", elements), .init("value", elements),
      .init("past_state", elements, .optional), .init("decay", elements, .optional),
      .init("beta", elements, .optional),
    ],
    [.init("output", elements), .init("present_state", elements)])

  public static let fields: [Field<LinearAttention>] = [
    Field("chunk_size", \.chunkSize), Field("kv_num_heads", \.kvNumHeads, required: true),
    Field("q_num_heads", \.qNumHeads, required: true), Field("scale", \.scale),
    Field("update_rule", \.updateRule),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 0...2 {
      if let rank = site.rank(index), rank != 3 {
        throw TypeError(.rank(input: index, rank, expected: "3"))
      }
    }
    guard qNumHeads > 0, kvNumHeads > 0, qNumHeads % kvNumHeads == 0, qNumHeads < 1 << 30 else {
      throw TypeError(.attribute("q_num_heads", "\(qNumHeads) over \(kvNumHeads)"))
    }
    let (q, v) = (site.shape(0), site.shape(2))
    let keySize = try q?[2].divided(by: qNumHeads) ?? .unknown
    let valueSize = try v?[2].divided(by: kvNumHeads) ?? .unknown
    let width = valueSize.extent.flatMap { Checked.multiply($0, qNumHeads) }
    let batch = q?[0] ?? v?[0] ?? .unknown
    site.set(
      0, site.element(0),
      Shape([batch, q?[1] ?? .unknown, width.map { .fixed($0) } ?? .unknown]))
    site.set(
      1, site.element(3) ?? site.element(0),
      Shape([batch, .fixed(kvNumHeads), keySize, valueSize]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let query = try call.tensor(0)
    let (q, k) = (try Heads(query, heads: qNumHeads), try Heads(call.tensor(1), heads: kvNumHeads))
    let v = try Heads(call.tensor(2), heads: kvNumHeads)
    let (batch, steps, dk, dv) = (q.batch, q.length, q.size, v.size)
    guard query.rank == 3, k.shape == [batch, kvNumHeads, steps, dk],
      v.shape == [batch, kvNumHeads, steps, dv], qNumHeads % kvNumHeads == 0
    else { throw RunError(.badInput("query \(q.shape), key \(k.shape), value \(v.shape)")) }
    let shape = [batch, kvNumHeads, dk, dv]
    let past = try call.optionalTensor(3)
    guard past?.shape ?? shape == shape else {
      throw RunError(.badInput("past_state \(past?.shape ?? [])"))
    }
    let size = try RunError.count(shape)
    var states = past?.doubles ?? Array(repeating: 0, count: size)
    let isGated = updateRule == .gated || updateRule == .gatedDelta
    let isDelta = updateRule == .delta || updateRule == .gatedDelta
    let decay = isGated ? try PerStep(call.tensor(4), batch, steps, kvNumHeads, dk) : nil
    let beta = isDelta ? try PerStep(call.tensor(5), batch, steps, kvNumHeads, 1) : nil
    let factor = scale == 0 ? 1 / Double(dk).squareRoot() : Double(scale)
    var y = [Double](repeating: 0, count: try RunError.count([batch, qNumHeads, steps, dv]))
    let group = qNumHeads / kvNumHeads
    for image in 0..<batch {
      for head in 0..<kvNumHeads {
        let start = (image * kvNumHeads + head) * dk * dv
        var state = Array(states[start..<start + dk * dv])
        let (keys, values) = (Array(k[image, head]), Array(v[image, head]))
        for step in 0..<steps {
          if let decay {
            for row in 0..<dk {
              let gate = exp(decay[image, step, head, row])
              for column in 0..<dv { state[row * dv + column] *= gate }
            }
          }
          for column in 0..<dv {
            var gain = values[step * dv + column]
            if let beta {
              for row in 0..<dk { gain -= state[row * dv + column] * keys[step * dk + row] }
              gain *= beta[image, step, head, 0]
            }
            for row in 0..<dk { state[row * dv + column] += keys[step * dk + row] * gain }
          }
          for member in head * group..<(head + 1) * group {
            let queries = q[image, member]
            let target = ((image * steps + step) * qNumHeads + member) * dv
            for row in 0..<dk {
              let weight = queries[queries.startIndex + step * dk + row] * factor
              for column in 0..<dv { y[target + column] += weight * state[row * dv + column] }
            }
          }
        }
        states.replaceSubrange(start..<start + dk * dv, with: state)
      }
    }
    return [
      Tensor(query.element, [batch, steps, qNumHeads * dv], doubles: y).map { .tensor($0) },
      Tensor(past?.element ?? query.element, shape, doubles: states).map { .tensor($0) },
    ]
  }

  /// Numbers for each image, step and head, with one for each of `size` rows or one for all, and one for
  /// each head or one for all.
  private struct PerStep {
    let values: [Double]
    let steps: Int
    let width: Int
    let heads: Int
    let size: Int

    init(_ tensor: Tensor, _ batch: Int, _ steps: Int, _ heads: Int, _ size: Int) throws(RunError) {
      guard tensor.rank == 3, tensor.shape[0] == batch, tensor.shape[1] == steps,
        tensor.shape[2] == heads || tensor.shape[2] == heads * size || tensor.shape[2] == 1
      else { throw RunError(.badInput("\(tensor.shape) for \(heads) heads of \(size)")) }
      (values, self.steps, width) = (tensor.doubles, steps, tensor.shape[2])
      (self.heads, self.size) = (heads, size)
    }

    subscript(image: Int, step: Int, head: Int, row: Int) -> Double {
      let start = (image * steps + step) * width
      if width == heads { return values[start + head] }
      return width == 1 ? values[start] : values[start + head * size + row]
    }
  }
}
