import WherryBytes
import WherryGraph
import WherryOperators

extension LayerBinding {
  static let attentionLayers: [LayerBinding] = [
    LayerBinding(
      "MultiHeadAttention",
      slots: { (settings) throws(DecodeError) in
        let hasBias = try settings.flag("use_bias", true)
        return ["query", "key", "value", "output"].flatMap { part in
          ["kernel", "bias"].prefix(hasBias ? 2 : 1).enumerated().map { index, key in
            WeightSlot(
              "\(part)/\(key)", "\(part)_dense/vars/\(index)", "_\(part)_dense/vars/\(index)")
          }
        }
      }
    ) { (site) throws(DecodeError) in try site.manyHeads() },
    LayerBinding(
      "Attention",
      slots: { (settings) throws(DecodeError) in
        let isConcat = try settings.text("score_mode", "dot") == "concat"
        return WeightSlot.list([
          try settings.flag("use_scale") ? "scale" : nil, isConcat ? "concat_score_weight" : nil,
        ])
      }
    ) { (site) throws(DecodeError) in try site.attention() },
    LayerBinding(
      "AdditiveAttention",
      slots: { (settings) throws(DecodeError) in
        WeightSlot.list([try settings.flag("use_scale", true) ? "scale" : nil])
      }
    ) { (site) throws(DecodeError) in try site.attention() },
    LayerBinding(
      "EinsumDense",
      slots: { (settings) throws(DecodeError) in
        WeightSlot.list(["kernel", settings["bias_axes"] == nil ? nil : "bias"])
      }
    ) { (site) throws(DecodeError) in [try site.einsumDense()] },
  ]
}

extension LayerSite {
  /// Queries, keys and values projected onto several heads, attention in each, and a projection back.
  fileprivate func manyHeads() throws(DecodeError) -> [KerasTensor] {
    let query = try argument(0, "query")
    let value = try argument(1, "value")
    let key = arguments.isEmpty ? value : optional(2, "key") ?? value
    guard query.rank == 3, value.rank == 3, key.rank == 3 else {
      throw unsupported("attention over other than one axis")
    }
    let heads = try settings.integer("num_heads")
    guard heads > 0 else { throw settings.fault("num_heads", "\(heads)") }
    guard try !settings.flag("use_gate") else { throw settings.unsupported("use_gate", "a gate") }
    let q = try projected(query, "query", heads)
    let k = try projected(key, "key", heads)
    let v = try projected(value, "value", heads)
    let width = try weight("query/kernel", rank: 3).shape[2]
    let scale = try scalar(1 / Double(width).squareRoot(), q.element, "scale")
    let scaled = try emit(Mul(), [try permuted(q, [0, 2, 1, 3]), scale])
    var scores = try emit(MatMul(), [scaled, try permuted(k, [0, 2, 3, 1])], "Scores")
    if let mask = try headMask(query, value, key, scores) {
      let lowest = try scalar(-1e9, scores.element, "lowest")
      scores = try emit(Where(), [mask, scores, lowest])
    }
    let weights = try emit(Softmax(), [scores], "Weights")
    let mixed = try permuted(
      try emit(MatMul(), [weights, try permuted(v, [0, 2, 1, 3])], "Mixed"), [0, 2, 1, 3])
    let joined = try emit(Reshape(), [mixed, try vector([0, 0, -1])])
    let rank = try weight("output/kernel").shape.count
    guard rank >= 3 else { throw invalid("an output kernel of rank \(rank)") }
    guard rank == 3 else { throw unsupported("an output of several axes") }
    let output = try constant("output/kernel", form: "matrix") { tensor in
      tensor.reshaped([tensor.shape[0] * tensor.shape[1], tensor.shape[2]])
    }
    var result = try emit(MatMul(), [joined, output])
    if try settings.flag("use_bias", true) {
      result = try emit(Add(), [result, try constant("output/bias")])
    }
    let attended = KerasTensor(result, mask: query.mask)
    return flag(keyword: "return_attention_scores")
      ? [attended, KerasTensor(weights)] : [attended]
  }

  /// A tensor given by position or by name.
  private func argument(_ position: Int, _ name: String) throws(DecodeError) -> KerasTensor {
    guard let tensor = optional(position, name) else { throw DecodeError(.missing(name), place) }
    return tensor
  }

  private func optional(_ position: Int, _ name: String) -> KerasTensor? {
    if let tensor = tensor(keyword: name) { return tensor }
    let given = call.arguments.flatMap(\.tensors)
    guard position < given.count, given[position] < arguments.count else { return nil }
    return arguments[given[position]]
  }

  /// `[batch, time, features]` as `[batch, time, heads, width]`.
  private func projected(
    _ x: KerasTensor, _ part: String, _ heads: Int
  ) throws(DecodeError) -> Wire {
    let shape = try weight("\(part)/kernel", rank: 3).shape
    guard shape[1] == heads else { throw invalid("\(shape[1]) heads instead of \(heads)") }
    let kernel = try constant("\(part)/kernel", form: "matrix") { tensor in
      tensor.reshaped([shape[0], shape[1] * shape[2]])
    }
    var wire = try emit(MatMul(), [try plain(x), kernel], "\(part)")
    if try settings.flag("use_bias", true) {
      let bias = try constant("\(part)/bias", form: "vector") { tensor in
        tensor.reshaped([shape[1] * shape[2]])
      }
      wire = try emit(Add(), [wire, bias], "\(part)/Add")
    }
    return try emit(Reshape(), [wire, try vector([0, 0, shape[1], shape[2]])], "\(part)/Heads")
  }

  /// Which scores count: bool, broadcast to `[batch, heads, queries, keys]`; nil when all do.
  private func headMask(
    _ query: KerasTensor, _ value: KerasTensor, _ key: KerasTensor, _ scores: Wire
  ) throws(DecodeError) -> Wire? {
    var parts: [Wire] = []
    if let mask = tensor(keyword: "attention_mask") {
      var wire = try plain(mask)
      if wire.element != .bool {
        var cast = Cast()
        cast.target = .bool
        wire = try emit(cast, [wire])
      }
      if wire.rank == 3 { wire = try emit(Unsqueeze(), [wire, try vector([1])]) }
      parts.append(wire)
    }
    if let mask = query.mask {
      parts.append(try emit(Unsqueeze(), [try mask.wire(), try vector([1, 3])], "Query mask"))
    }
    var masks = [value.mask]
    if key.wire.name != value.wire.name { masks.append(key.mask) }
    for mask in masks.compactMap({ $0 }) {
      parts.append(try emit(Unsqueeze(), [try mask.wire(), try vector([1, 2])], "Value mask"))
    }
    if flag(keyword: "use_causal_mask") { parts.append(try causalMask(scores)) }
    guard var mask = parts.first else { return nil }
    for part in parts.dropFirst() { mask = try emit(And(), [mask, part]) }
    return mask
  }

  /// Each query sees the keys up to its own place: `[queries, keys]` of the last two axes.
  private func causalMask(_ scores: Wire) throws(DecodeError) -> Wire {
    let rank = scores.rank
    var lower = Trilu()
    lower.upper = false
    if let queries = scores.shape[rank - 2].extent, let keys = scores.shape[rank - 1].extent,
      queries > 0, keys > 0, queries * keys <= 1 << 24
    {
      let flags = (0..<queries * keys).map { $0 % keys <= $0 / keys }
      return try constant(made: "causal", Tensor([queries, keys], booleans: flags))
    }
    var shape = ShapeOperator()
    shape.start = rank - 2
    var ones = ConstantOfShape()
    ones.value = Tensor(.int64, [1], integers: [1])
    let full = try emit(ones, [try emit(shape, [scores])])
    var cast = Cast()
    cast.target = .bool
    return try emit(cast, [try emit(lower, [full])])
  }

  /// Attention of one head without projections, with scores by product or by sum.
  fileprivate func attention() throws(DecodeError) -> [KerasTensor] {
    guard (2...3).contains(inputs.count) else { throw invalid("\(inputs.count) inputs") }
    let isAdditive = layer.className == "AdditiveAttention"
    let (query, value) = (inputs[0], inputs[1])
    let key = inputs.count > 2 ? inputs[2] : value
    let (q, k, v) = (try plain(query), try plain(key), try plain(value))
    guard q.rank == 3, k.rank == 3, v.rank == 3 else {
      throw unsupported("attention over other than one axis")
    }
    let hasScale = try settings.flag("use_scale", isAdditive)
    let scale = hasScale ? try constant("scale") : nil
    var scores: Wire
    if isAdditive {
      scores = try summed(q, k, inner: nil, outer: scale)
    } else if try settings.text("score_mode", "dot") == "concat" {
      scores = try summed(q, k, inner: scale, outer: nil)
      scores = try emit(Mul(), [scores, try constant("concat_score_weight")])
    } else {
      scores = try emit(MatMul(), [q, try permuted(k, [0, 2, 1])], "Scores")
      if let scale { scores = try emit(Mul(), [scores, scale]) }
    }
    var masks: [Wire] = []
    if let mask = value.mask {
      masks.append(try emit(Unsqueeze(), [try mask.wire(), try vector([1])], "Value mask"))
    }
    let isCausal = try settings.flag("causal")
    if flag(keyword: "use_causal_mask") || isCausal {
      masks.append(try causalMask(scores))
    }
    if var mask = masks.first {
      for other in masks.dropFirst() { mask = try emit(And(), [mask, other]) }
      let lowered = try emit(Sub(), [scores, try scalar(1e9, scores.element, "much")])
      scores = try emit(Where(), [mask, scores, lowered])
    }
    let weights = try emit(Softmax(), [scores], "Weights")
    var result = try emit(MatMul(), [weights, v])
    if let mask = query.mask {
      let condition = try emit(Unsqueeze(), [try mask.wire(), try vector([2])], "Query mask")
      result = try emit(Where(), [condition, result, try scalar(0, result.element, "zero")])
    }
    let attended = KerasTensor(result, mask: query.mask)
    return flag(keyword: "return_attention_scores")
      ? [attended, KerasTensor(weights)] : [attended]
  }

  /// `Σ outer · tanh(inner · (q + k))` over the features.
  private func summed(
    _ q: Wire, _ k: Wire, inner: Wire?, outer: Wire?
  ) throws(DecodeError) -> Wire {
    var sum = try emit(
      Add(),
      [
        try emit(Unsqueeze(), [q, try vector([2])]), try emit(Unsqueeze(), [k, try vector([1])]),
      ])
    if let inner { sum = try emit(Mul(), [sum, inner]) }
    var value = try emit(Tanh(), [sum])
    if let outer { value = try emit(Mul(), [value, outer]) }
    var reduce = ReduceSum()
    reduce.keepsAxes = false
    return try emit(reduce, [value, try vector([3])], "Scores")
  }

  /// A product by an Einstein summation, a bias and an activation.
  fileprivate func einsumDense() throws(DecodeError) -> KerasTensor {
    let equation = String(try settings.text("equation").filter { !$0.isWhitespace })
    let x = try input()
    let kernel = try constant("kernel")
    var result: Wire
    if Self.isProduct(equation, rank: x.rank) {
      result = try emit(MatMul(), [try plain(x), kernel])
    } else {
      var einsum = Einsum()
      einsum.equation = equation
      result = try emit(einsum, [try plain(x), kernel])
    }
    if settings["bias_axes"] != nil { result = try emit(Add(), [result, try constant("bias")]) }
    return try activated(KerasTensor(result, mask: x.mask))
  }

  /// Whether the equation is a product over the last axis: `…x,xy->…y`.
  private static func isProduct(_ equation: String, rank: Int) -> Bool {
    let sides = equation.split(separator: ">", maxSplits: 1).map { $0.filter { $0 != "-" } }
    let inputs = sides.first?.split(separator: ",") ?? []
    guard sides.count == 2, inputs.count == 2, inputs[1].count == 2, let sum = inputs[1].first,
      let made = inputs[1].last, sum != made, inputs[0].last == sum, sides[1].last == made,
      inputs[0].dropLast() == sides[1].dropLast(), !inputs[0].dropLast().contains(sum),
      !inputs[0].contains(made)
    else { return false }
    return inputs[0].hasPrefix("...") || inputs[0].count == rank
  }
}
