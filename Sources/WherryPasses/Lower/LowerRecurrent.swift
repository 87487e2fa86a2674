import CWherryABI
import WherryBytes
import WherryGraph
import WherryOperators

extension Lowering {
  /// Recurrent layers: one operation a direction.
  static let recurrentLayers: [Lowering] = [
    Lowering(LSTM.self) { (lstm, site) throws(CompileProblem) in
      try RecurrentLowering(
        site, gates: 4, direction: lstm.direction, layout: lstm.layout, clip: lstm.clip,
        activations: RecurrentActivations(
          lstm.activations, ["Sigmoid", "Tanh", "Tanh"], lstm.activationAlpha, lstm.activationBeta)
      ).lower {
        .lstm($0)
      } adjust: {
        $0.input_forget = lstm.inputForget ? 1 : 0
      }
    },
    Lowering(GRU.self) { (gru, site) throws(CompileProblem) in
      var lowering = try RecurrentLowering(
        site, gates: 3, direction: gru.direction, layout: gru.layout, clip: gru.clip,
        activations: RecurrentActivations(
          gru.activations, ["Sigmoid", "Tanh"], gru.activationAlpha, gru.activationBeta))
      lowering.splitsHidden = !gru.linearBeforeReset
      lowering.keepsHiddenBias = true
      try lowering.lower {
        .gru($0)
      } adjust: {
        $0.linear_before_reset = gru.linearBeforeReset ? 1 : 0
      }
    },
    Lowering(RNN.self) { (rnn, site) throws(CompileProblem) in
      try RecurrentLowering(
        site, gates: 1, direction: rnn.direction, layout: rnn.layout, clip: rnn.clip,
        activations: RecurrentActivations(
          rnn.activations, ["Tanh"], rnn.activationAlpha, rnn.activationBeta)
      ).lower {
        .rnn($0)
      } adjust: { _ in
      }
    },
  ]
}

/// The activations of all directions, by kind, with their parameters.
struct RecurrentActivations {
  var kinds: [Int32] = []
  var alphas: [Float] = []
  var betas: [Float] = []
  let perDirection: Int

  /// Numbers of `alpha` and `beta` go, in order, to the activations that take one.
  ///
  /// - Throws: `unsupported` for an unknown name.
  init(
    _ names: [String]?, _ defaults: [String], _ alpha: [Float]?, _ beta: [Float]?
  ) throws(CompileProblem) {
    perDirection = defaults.count
    let list = (names ?? []).isEmpty ? defaults + defaults : names ?? []
    var (given, more) = ((alpha ?? [])[...], (beta ?? [])[...])
    for name in list {
      guard let known = Self.known[name.lowercased()] else {
        throw CompileProblem(.unsupported("activation \(name)"))
      }
      kinds.append(Int32(small: known.kind))
      alphas.append(known.alpha.map { fallback in given.popFirst() ?? fallback } ?? 0)
      betas.append(known.beta.map { fallback in more.popFirst() ?? fallback } ?? 0)
    }
  }

  private static let known: [String: (kind: Int, alpha: Float?, beta: Float?)] = [
    "sigmoid": (WH_ACT_SIGMOID, nil, nil), "tanh": (WH_ACT_TANH, nil, nil),
    "relu": (WH_ACT_RELU, nil, nil), "affine": (WH_ACT_AFFINE, 1, 0),
    "leakyrelu": (WH_ACT_LEAKY_RELU, 0.01, nil),
    "thresholdedrelu": (WH_ACT_THRESHOLDED_RELU, 1, nil),
    "scaledtanh": (WH_ACT_SCALED_TANH, 1, 1), "hardsigmoid": (WH_ACT_HARD_SIGMOID, 0.2, 0.5),
    "elu": (WH_ACT_ELU, 1, nil), "softsign": (WH_ACT_SOFTSIGN, nil, nil),
    "softplus": (WH_ACT_SOFTPLUS, nil, nil),
  ]

  /// Sets the activations of one direction.
  func fill(_ step: inout wh_recurrent, direction: Int) throws(CompileProblem) {
    let first = direction * perDirection
    guard first + perDirection <= kinds.count else {
      throw CompileProblem(.invalid("\(kinds.count) activations"))
    }
    let at = { (i: Int) in first + min(i, perDirection - 1) }
    step.activation = (kinds[at(0)], kinds[at(1)], kinds[at(2)])
    step.alpha = (alphas[at(0)], alphas[at(1)], alphas[at(2)])
    step.beta = (betas[at(0)], betas[at(1)], betas[at(2)])
  }
}

/// What the lowerings of LSTM, GRU and RNN share.
struct RecurrentLowering {
  let site: LoweringSite
  let clip: Float?
  let activations: RecurrentActivations
  /// Whether the hidden state's last gate has a matrix of its own.
  var splitsHidden = false
  /// Whether the last gate's two biases stay apart.
  var keepsHiddenBias = false
  private let extents: RecurrentExtents

  private var gates: Int { extents.gates }
  private var directions: Int { extents.directions }
  private var batch: Int { extents.batch }
  private var input: Int { extents.input }
  private var hidden: Int { extents.hidden }

  init(
    _ site: LoweringSite, gates: Int, direction: RecurrentDirection, layout: Int, clip: Float?,
    activations: RecurrentActivations
  ) throws(CompileProblem) {
    (self.site, self.clip, self.activations) = (site, clip, activations)
    for index in 0...2 { try site.require(.float32, index) }
    extents = try RecurrentExtents(
      x: site.shape(0), w: site.shape(1), r: site.shape(2), gates: gates, direction: direction,
      layout: layout)
  }

  func lower(
    _ step: (wh_recurrent) -> PlanStep, adjust: (inout wh_recurrent) -> Void
  ) throws(CompileProblem) {
    let x = try site.rowMajor(0)
    let lengths = try self.lengths()
    var results: [Lowered?] = []
    for index in 0..<3 {
      let exists = index < (gates == 4 ? 3 : 2)
      results.append(exists && site.wants(index) ? try site.makeOutput(index) : nil)
    }
    for direction in 0..<directions {
      var parameters = self.parameters(direction)
      try activations.fill(&parameters, direction: direction)
      adjust(&parameters)
      var inputs: [Int?] = [
        x.tensor, try matrix(1, direction, columns: gates * hidden, rows: input),
        try hiddenMatrix(direction), try bias(direction), try state(5, direction),
      ]
      let isLSTM = gates == 4
      inputs.append(isLSTM ? try state(6, direction) : nil)
      let peepholes =
        isLSTM && site.has(7)
        ? try site.block(
          7, StridedView(offset: direction * 3 * hidden, extents: [3 * hidden], strides: [1]),
          [3 * hidden]
        ).tensor : nil
      inputs += [peepholes, lengths]
      let floats = batch * gates * hidden * 2 + batch * hidden * 3
      let scratch = try site.builder.tensor(.uint8, [ArenaPlanner.aligned(floats * 4)])
      site.emit(step(parameters), inputs, results.map { $0?.tensor }, scratch: scratch)
      site.count(macs: extents.steps, batch, gates * hidden, input + hidden)
    }
    for (index, result) in results.enumerated() {
      if let result { try site.finish(index, result) }
    }
  }

  private func parameters(_ direction: Int) -> wh_recurrent {
    var p = wh_recurrent()
    (p.steps, p.batch) = (Int32(small: extents.steps), Int32(small: batch))
    (p.input, p.hidden) = (Int32(small: input), Int32(small: hidden))
    p.reverse = extents.reverse(direction)
    if let clip, clip > 0 { (p.clip_set, p.clip) = (1, clip) }
    let strides = extents.strides(direction)
    (p.x_step, p.x_batch) = (strides.xStep, strides.xBatch)
    (p.y_step, p.y_batch, p.y_offset) = (strides.yStep, strides.yBatch, strides.yOffset)
    (p.h_offset, p.h_batch) = (strides.hOffset, strides.hBatch)
    return p
  }

  private func lengths() throws(CompileProblem) -> Int? {
    guard site.has(4) else { return nil }
    let lengths = try site.rowMajor(4)
    guard lengths.element == .int32, lengths.shape == [batch] else {
      throw CompileProblem(.unsupportedElement(lengths.element))
    }
    if let known = site.constant(4), known.integers.allSatisfy({ $0 == extents.steps }) {
      return nil
    }
    return lengths.tensor
  }

  /// One direction's matrix, transposed into panels.
  private func matrix(
    _ index: Int, _ direction: Int, columns: Int, rows: Int, from first: Int = 0
  ) throws(CompileProblem) -> Int {
    let offset = (direction * gates * hidden + first) * rows
    return try site.panels(
      index,
      PanelView(
        offset: offset, inner: rows, innerStride: 1, columns: columns, columnStride: rows))
  }

  private func hiddenMatrix(_ direction: Int) throws(CompileProblem) -> Int {
    let two = 2 * hidden
    // Panels of all gates are those of the two matrices when the border falls between panels.
    guard splitsHidden, two % Int(WH_PANEL) != 0 else {
      return try matrix(2, direction, columns: gates * hidden, rows: hidden)
    }
    let base = direction * gates * hidden * hidden
    let views = [(0, two), (two, hidden)].map { first, columns in
      PanelView(
        offset: base + first * hidden, inner: hidden, innerStride: 1, columns: columns,
        columnStride: hidden)
    }
    if let tensor = site.constant(2) {
      var joined: [UInt8] = []
      for view in views {
        joined += Weight(tensor.bytes, width: 4, packing: .panels(view)).packed.array
      }
      let weight = Weight(Bytes(joined), width: 4)
      return try site.builder.weight(weight, .float32, [joined.count / 4])
    }
    let count = views.map(\.packedCount).reduce(0, +)
    let result = try site.make(.float32, [count])
    var at = 0
    for view in views {
      let part = try site.panels(2, view)
      try site.copy(
        [view.packedCount], from: part, strides: [1], to: result.tensor, targetOffset: at,
        targetStrides: [1], element: .float32)
      at += view.packedCount
    }
    return result.tensor
  }

  /// Wb + Rb of one direction; the last gate's stay apart where the kernel needs them so.
  private func bias(_ direction: Int) throws(CompileProblem) -> Int? {
    guard site.has(3) else { return nil }
    try site.require(.float32, 3)
    let rows = gates * hidden
    let summed = keepsHiddenBias ? rows - hidden : rows
    let first = direction * 2 * rows
    if let tensor = site.constant(3) {
      let b = tensor.doubles
      guard b.count == directions * 2 * rows else { throw CompileProblem(.invalid("B")) }
      var numbers = (0..<summed).map { Float(b[first + $0] + b[first + rows + $0]) }
      if keepsHiddenBias {
        numbers += b[first + summed..<first + rows].map { Float($0) }
        numbers += b[first + rows + summed..<first + 2 * rows].map { Float($0) }
      }
      return try site.weight(numbers).tensor
    }
    func part(_ offset: Int, _ count: Int) throws(CompileProblem) -> Lowered {
      try site.block(3, StridedView(offset: offset, extents: [count], strides: [1]), [count])
    }
    let sum = try site.binary(
      WH_ADD, try part(first, summed), try part(first + rows, summed), shape: [summed])
    guard keepsHiddenBias else { return sum.tensor }
    let result = try site.make(.float32, [summed + 2 * hidden])
    let own = try part(first + summed, hidden)
    let other = try part(first + rows + summed, hidden)
    var at = 0
    for piece in [sum, own, other] {
      try site.copy(
        piece.shape, from: piece.tensor, strides: [1], to: result.tensor, targetOffset: at,
        targetStrides: [1], element: .float32)
      at += piece.shape[0]
    }
    return result.tensor
  }

  /// One direction's initial state as [batch, hidden].
  private func state(_ index: Int, _ direction: Int) throws(CompileProblem) -> Int? {
    guard site.has(index) else { return nil }
    return try site.block(index, extents.state(direction), [batch, hidden]).tensor
  }
}
