import WherryBytes
import WherryGraph
import WherryOperators
import WherryText

/// Recurrent layers.
extension NodeExpression {
  static let recurrences: [NodeExpression] = [
    NodeExpression(several: LSTM.self) { (net, site) throws(EncodeError) in
      guard net.clip == nil, !net.inputForget, !site.has(7) else {
        throw site.refusal("LSTM with peepholes, clipping or a coupled gate")
      }
      return try RecurrentSheet(
        site, className: "LSTM", gates: 4, order: [0, 2, 3, 1], direction: net.direction,
        layout: net.layout, functions: net.activations ?? [],
        alpha: net.activationAlpha ?? [], beta: net.activationBeta ?? []
      ).outputs()
    },
    NodeExpression(several: GRU.self) { (net, site) throws(EncodeError) in
      guard net.clip == nil else { throw site.refusal("GRU with clipping") }
      var sheet = RecurrentSheet(
        site, className: "GRU", gates: 3, order: [0, 1, 2], direction: net.direction,
        layout: net.layout, functions: net.activations ?? [],
        alpha: net.activationAlpha ?? [], beta: net.activationBeta ?? [])
      sheet.resetsAfter = net.linearBeforeReset
      return try sheet.outputs()
    },
    NodeExpression(several: RNN.self) { (net, site) throws(EncodeError) in
      guard net.clip == nil else { throw site.refusal("RNN with clipping") }
      return try RecurrentSheet(
        site, className: "SimpleRNN", gates: 1, order: [0], direction: net.direction,
        layout: net.layout, functions: net.activations, alpha: net.activationAlpha ?? [],
        beta: net.activationBeta ?? []
      ).outputs()
    },
  ]
}

/// A recurrent operator as a layer: its weights in Keras's order, its outputs in the graph's.
struct RecurrentSheet {
  let site: NodeSite
  let className: String
  let gates: Int
  /// The graph's gates in Keras's order.
  let order: [Int]
  let direction: RecurrentDirection
  let layout: Int
  let functions: [String]
  let alpha: [Float]
  let beta: [Float]
  var resetsAfter: Bool?

  init(
    _ site: NodeSite, className: String, gates: Int, order: [Int],
    direction: RecurrentDirection, layout: Int, functions: [String], alpha: [Float], beta: [Float]
  ) {
    (self.site, self.className, self.gates, self.order) = (site, className, gates, order)
    (self.direction, self.layout, self.functions) = (direction, layout, functions)
    (self.alpha, self.beta) = (alpha, beta)
  }

  private var directions: Int { direction == .bidirectional ? 2 : 1 }
  private var states: Int { className == "LSTM" ? 2 : 1 }

  /// The settings of the activations.
  private func activations() throws(EncodeError) -> [(String, JSONValue)] {
    let each = className == "LSTM" ? 3 : className == "GRU" ? 2 : 1
    let usual = className == "SimpleRNN" ? ["Tanh"] : ["Sigmoid", "Tanh", "Tanh"]
    let own = functions.isEmpty ? Array(usual.prefix(each)) : Array(functions.prefix(each))
    guard own.count == each,
      functions.count <= each || direction != .bidirectional
        || Array(functions.dropFirst(each).prefix(each)) == own,
      className != "LSTM" || own[1] == own[2]
    else { throw site.refusal("\(className) with activations \(functions)") }
    func named(_ function: String) throws(EncodeError) -> JSONValue {
      switch function.lowercased() {
      case "sigmoid": return "sigmoid"
      case "tanh": return "tanh"
      case "relu": return "relu"
      case "softsign": return "softsign"
      case "softplus": return "softplus"
      case "elu" where alpha.first ?? 1 == 1: return "elu"
      case "affine" where alpha.first ?? 1 == 1 && beta.first ?? 0 == 0: return "linear"
      default: throw site.refusal("\(className) with activation \(function)")
      }
    }
    if className == "SimpleRNN" { return [("activation", try named(own[0]))] }
    return [("activation", try named(own[1])), ("recurrent_activation", try named(own[0]))]
  }

  /// The weights of one direction.
  private func weights(_ index: Int, inner: String?) throws(EncodeError) -> [LayerSheet.Weight] {
    let (w, r) = (try site.known(1), try site.known(2))
    guard w.rank == 3, r.rank == 3, w.shape[0] == directions, r.shape[0] == directions,
      w.shape[1] % gates == 0
    else { throw site.refusal("\(className) with weights of shape \(w.shape)") }
    func part(_ tensor: Tensor) -> Tensor? {
      tensor.choosing([index], of: directions, axis: 0)
        .flatMap { $0.reshaped(Array($0.shape.dropFirst())) }
    }
    func rows(_ tensor: Tensor) throws(EncodeError) -> Tensor {
      try site.exact(part(tensor)?.choosing(order, of: gates, axis: 0)?.permuted([1, 0]))
    }
    var weights = [
      LayerSheet.Weight("kernel", try rows(w), inner: inner),
      LayerSheet.Weight("recurrent_kernel", try rows(r), inner: inner),
    ]
    guard site.has(3) else { return weights }
    let whole = try site.exact(part(try site.known(3))?.reshaped([2, w.shape[1]]))
    let ordered = try site.exact(whole.choosing(order, of: gates, axis: 1))
    if resetsAfter == true {
      weights.append(.init("bias", ordered, inner: inner))
    } else {
      let numbers = ordered.doubles
      let sums = (0..<w.shape[1]).map { numbers[$0] + numbers[$0 + w.shape[1]] }
      weights.append(
        .init(
          "bias", try site.exact(Tensor(w.element, [w.shape[1]], doubles: sums)), inner: inner))
    }
    return weights
  }

  /// The initial states, those of one direction first; none where they are zeros anyway.
  private func initialStates() throws(EncodeError) -> [Strand] {
    var parts: [[Strand]] = Array(repeating: [], count: directions)
    for index in 0..<states where site.has(5 + index) && site.uniform(5 + index) != 0 {
      guard site.constant(5 + index) == nil else {
        throw site.refusal("\(className) with constant states")
      }
      var whole = try site.numbers(5 + index)
      if layout == 1 { whole.axes = [1, 0, 2].map { whole.axes[$0] } }
      for direction in parts.indices {
        let part =
          directions == 1
          ? whole
          : try site.cropped(whole, axis: 0, before: direction, after: directions - 1 - direction)
        let state = try site.squeezed(part, [0])
        parts[direction].append(try site.composer.inOrder(state, at: site.place))
      }
    }
    let result = parts.flatMap { $0 }
    guard result.isEmpty || result.count == states * directions else {
      throw site.refusal("\(className) with some of its states")
    }
    return result
  }

  func outputs() throws(EncodeError) -> [Strand?] {
    var x = try site.numbers()
    guard x.rank == 3 else { throw site.refusal("\(className) of rank \(x.rank)") }
    if layout == 1 { x.axes = [1, 0, 2].map { x.axes[$0] } }
    let input = try site.composer.arranged(x, [1, 0, 2], at: site.place)
    try requireWholeSequences(input)
    let initial = try initialStates()
    let wantsSequence = site.isUsed(output: 0)
    let wantsStates = (1...states).contains { site.isUsed(output: $0) }
    // Run from the end alone, a layer's sequence would come turned round.
    let isWrapped = directions == 2 || direction == .reverse && wantsSequence
    let matrix = try site.known(1)
    guard matrix.rank == 3 else { throw site.refusal("\(className) with weights \(matrix.shape)") }
    let units = matrix.shape[1] / gates
    let givesStates = wantsStates && (wantsSequence || site.isUsed(output: 2))
    var settings: [(String, JSONValue)] = [
      ("return_sequences", .bool(wantsSequence)), ("return_state", .bool(givesStates)),
      ("go_backwards", .bool(direction == .reverse && !isWrapped)), ("stateful", false),
      ("unroll", false), ("units", .integer(Int64(units))),
      ("use_bias", .bool(site.has(3))),
    ]
    settings += try activations()
    if let resetsAfter { settings.append(("reset_after", .bool(resetsAfter))) }
    let (batch, time) = (input.extents[0], input.extents[1])
    guard isWrapped else {
      let layer = site.composer.layer(
        className, settings, [input], weights: try weights(0, inner: nil), states: initial,
        extents: wantsSequence ? [batch, time, units] : [batch, units], named: site.hint)
      var results: [Strand?] = [nil]
      // Y: [time, directions, batch, units]; states: [directions, batch, units].
      if wantsSequence {
        var sequence = layer
        sequence.axes = [1, nil, 0, 2]
        results = [sequence]
      }
      for index in 0..<states {
        var state = layer
        if givesStates { state.origin.output = index + 1 }
        (state.extents, state.axes) = ([batch, units], [nil, 0, 1])
        results.append(givesStates || index == 0 ? state : nil)
      }
      return placed(results)
    }
    // A wrapper takes the states of both directions, though only one may count.
    return placed(
      try wrapped(
        input, settings, initial: directions == 2 ? initial : initial + initial, units: units,
        wantsSequence: wantsSequence, givesStates: givesStates))
  }

  private func requireWholeSequences(_ input: Strand) throws(EncodeError) {
    guard site.has(4) else { return }
    guard let time = input.extents[1], site.uniform(4) == Double(time) else {
      throw site.refusal("\(className) with lengths of sequences")
    }
  }

  /// Layout 1 has the batch in front.
  private func placed(_ outputs: [Strand?]) -> [Strand?] {
    guard layout == 1 else { return outputs }
    return outputs.map { strand in
      guard var strand else { return nil }
      strand.axes = (strand.rank == 4 ? [2, 0, 1, 3] : [1, 0, 2]).map { strand.axes[$0] }
      return strand
    }
  }

  /// Both directions in one layer, one behind the other in the last axis.
  private func wrapped(
    _ input: Strand, _ settings: [(String, JSONValue)], initial: [Strand], units: Int,
    wantsSequence: Bool, givesStates: Bool
  ) throws(EncodeError) -> [Strand?] {
    func inner(_ name: String, isReversed: Bool) -> JSONValue {
      let config =
        [
          ("name", JSONValue.string(name)), ("trainable", true),
          ("dtype", .string(input.element.name)),
        ]
        + settings.map { $0.0 == "go_backwards" ? ($0.0, .bool(isReversed)) : $0 }
      return [
        "module": "keras.layers", "registered_name": nil, "class_name": .string(className),
        "config": .object(config.map { JSONMember($0.0, $0.1) }),
      ]
    }
    let (batch, time) = (input.extents[0], input.extents[1])
    let name = className.lowercased()
    let layer = site.composer.layer(
      "Bidirectional",
      [
        ("merge_mode", "concat"), ("layer", inner("forward_\(name)", isReversed: false)),
        ("backward_layer", inner("backward_\(name)", isReversed: true)),
      ], [input],
      weights: try weights(0, inner: "forward/forward_\(name)")
        + weights(directions - 1, inner: "backward/backward_\(name)"),
      states: initial,
      extents: wantsSequence ? [batch, time, 2 * units] : [batch, 2 * units], named: site.hint)
    let (composer, place) = (site.composer, site.place)
    /// One state of one direction, `[1, batch, units]`.
    func state(_ direction: Int, _ index: Int) -> Strand {
      Strand(
        .init(layer: layer.origin.layer, output: 1 + direction * states + index), layer.element,
        [batch, units], axes: [nil, 0, 1])
    }
    if directions == 1 {
      // The forward half is of no use to anybody.
      var half = try site.cropped(layer, axis: 2, before: units, after: 0)
      half.axes = [1, nil, 0, 2]
      return [half] + (0..<states).map { givesStates ? state(1, $0) : nil }
    }
    var results: [Strand?] = [nil]
    if wantsSequence {
      var sequence = try composer.reshaped(layer, [batch, time, 2, units], at: place)
      sequence.axes = [1, 2, 0, 3]
      results = [sequence]
    }
    guard givesStates else {
      if wantsSequence { return results }
      var last = try composer.reshaped(layer, [batch, 2, units], at: place)
      last.axes = [1, 0, 2]
      return results + [last]
    }
    for index in 0..<states {
      results.append(
        site.isUsed(output: 1 + index)
          ? try site.joined([state(0, index), state(1, index)], axis: 0) : nil)
    }
    return results
  }
}
