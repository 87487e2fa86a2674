import WherryGraph

/// What the 8-bit LSTM and GRU share: operands, products, directions and layout.
///
/// Inputs: `X: [seq, batch, input]` 8-bit, its scale and zero point, `W: [dirs, gates * hidden, input] int8`, its
/// scales, `R: [dirs, gates * hidden, hidden] int8`, its scales, `B: [dirs, 2 * gates * hidden] float32`, the initial
/// states `[dirs, batch, hidden] float32`, and the scale and zero point of the hidden state. Scales of weights are one
/// number, one a gate and unit, or one a direction, gate and unit.
///
/// Every step is exact on integers or one float32 operation.
/// - Source: runtime/ARITHMETIC.md, "LSTM and GRU steps".
struct QuantizedRecurrence {
  let direction: RecurrentDirection
  let layout: Int
  let gates: Int
  let sequence, batch, inputs, hidden: Int
  /// Of the hidden state and `Y`.
  let target: QuantizedTarget
  /// float32(1 / scale of the hidden state)
  let inverse: Float
  /// `[seq, batch, input]`, less the zero point.
  private let x: [Int64]
  private let w, r: [Int64]
  private let xFactors, hFactors: [Float]
  /// `[dirs, 2 * gates * hidden]`, if there is one.
  private let bias: [Double]?

  /// - Parameter yScale: which input is the scale of the hidden state.
  init(
    _ call: OperatorCall, gates: Int, direction: RecurrentDirection, layout: Int, hiddenSize: Int?,
    yScale: Int
  ) throws(RunError) {
    (self.direction, self.layout, self.gates) = (direction, layout, gates)
    let x = try call.quantized(0, scale: 1, zeroPoint: 2)
    let (w, r) = (try call.tensor(3), try call.tensor(5))
    guard x.shape.count == 3, w.rank == 3, r.rank == 3, w.element == .int8, r.element == .int8
    else { throw RunError(.badInput("X, W and R must have rank 3, W and R must be int8")) }
    sequence = x.shape[layout == 0 ? 0 : 1]
    batch = x.shape[layout == 0 ? 1 : 0]
    (inputs, hidden) = (x.shape[2], r.shape[2])
    let dirs = direction.count
    let rows = gates * hidden
    guard hidden == hiddenSize ?? hidden, w.shape == [dirs, rows, inputs],
      r.shape == [dirs, rows, hidden]
    else { throw RunError(.badInput("W \(w.shape) and R \(r.shape) don't fit X \(x.shape)")) }
    _ = try RunError.count([sequence, dirs, batch, hidden])
    _ = try RunError.count([sequence, batch, rows])
    self.x = layout == 0 ? x.centred : swapAxes(x.centred, batch, sequence, inputs)
    (self.w, self.r) = (w.integers, r.integers)
    target = try call.target(scale: yScale, zeroPoint: yScale + 1, element: x.element)
    inverse = Float(1 / Double(target.scale))
    bias = try call.optionalTensor(7)?.doubles
    guard bias?.count ?? dirs * 2 * rows == dirs * 2 * rows else {
      throw RunError(.badInput("B doesn't fit X \(x.shape)"))
    }
    xFactors = try Self.factors(call, 4, of: x.scale, rows: rows, dirs: dirs)
    hFactors = try Self.factors(call, 6, of: target.scale, rows: rows, dirs: dirs)
  }

  /// float32(4096 * scale * weights' scale), one a direction, gate and unit.
  private static func factors(
    _ call: OperatorCall, _ index: Int, of scale: Float, rows: Int, dirs: Int
  ) throws(RunError) -> [Float] {
    let scales = try call.tensor(index).doubles
    guard [1, rows, dirs * rows].contains(scales.count), !scales.isEmpty else {
      throw RunError(.badInput("\(scales.count) scales for \(dirs * rows) rows of weights"))
    }
    return (0..<dirs * rows).map { Float(4096 * Double(scale) * scales[$0 % scales.count]) }
  }

  /// An initial state as `[dirs, batch, hidden]`; zeros when left out.
  func state(_ tensor: Tensor?) throws(RunError) -> [Float] {
    let dirs = direction.count
    guard let tensor else { return Array(repeating: 0, count: dirs * batch * hidden) }
    guard tensor.shape == (layout == 0 ? [dirs, batch, hidden] : [batch, dirs, hidden]) else {
      throw RunError(.badInput("an initial state of shape \(tensor.shape)"))
    }
    let values = tensor.doubles.map { RecurrentFixedPoint.state(Float($0)) }
    return layout == 0 ? values : swapAxes(values, batch, dirs, hidden)
  }

  /// 4096 times the bias of a row: of `W`'s product, of `R`'s, or the sum of both.
  func bias(_ dir: Int, _ row: Int, input: Bool, recurrent: Bool) -> Float? {
    guard let bias else { return nil }
    let first = dir * 2 * gates * hidden
    let own = input ? bias[first + row] : 0
    return Float(4096 * (own + (recurrent ? bias[first + gates * hidden + row] : 0)))
  }

  /// The product of some rows of `R` with a hidden state less its zero point, in units of 2^-12.
  func product(_ dir: Int, _ rows: Range<Int>, _ h: [Int64]) -> [Float] {
    rows.map { row in
      let start = (dir * gates * hidden + row) * hidden
      var sum: Int64 = 0
      for unit in 0..<hidden { sum += h[unit] * r[start + unit] }
      return Float(sum) * hFactors[dir * gates * hidden + row]
    }
  }

  private func inputProduct(_ dir: Int, _ time: Int, _ entry: Int) -> [Float] {
    (0..<gates * hidden).map { row in
      let start = (dir * gates * hidden + row) * inputs
      let own = (time * batch + entry) * inputs
      var sum: Int64 = 0
      for index in 0..<inputs { sum += x[own + index] * w[start + index] }
      return Float(sum) * xFactors[dir * gates * hidden + row]
    }
  }

  /// What one step does: products with `x` without bias; hidden state, less its zero point; state in float32.
  typealias Step = (
    _ direction: Int, _ x: [Float], _ h: inout [Int64], _ state: inout [Float]
  ) -> Void

  /// Runs `step` over every direction, sequence and time.
  ///
  /// - Parameters:
  ///   - initialH: makes the first hidden state; nil for none, which is the zero point.
  ///   - state: the float32 state, `[dirs, batch, hidden]`; the last one on return.
  /// - Returns: `Y` in the caller's layout, and the last hidden state less its zero point.
  func run(initialH: [Float]?, state: inout [Float], _ step: Step) -> (y: Tensor?, h: [Int64]) {
    let dirs = direction.count
    var y = [Int64](repeating: 0, count: sequence * dirs * batch * hidden)
    var last = [Int64](repeating: 0, count: dirs * batch * hidden)
    for dir in 0..<dirs {
      let isReversed = direction == .reverse || dir == 1
      for entry in 0..<batch {
        let own = (dir * batch + entry) * hidden
        var h = (own..<own + hidden).map { index in
          initialH.map { target.round($0[index] * inverse) - target.zeroPoint } ?? 0
        }
        var kept = Array(state[own..<own + hidden])
        for count in 0..<sequence {
          let time = isReversed ? sequence - 1 - count : count
          step(dir, inputProduct(dir, time, entry), &h, &kept)
          let at = ((time * dirs + dir) * batch + entry) * hidden
          y.replaceSubrange(at..<at + hidden, with: h.map { $0 + target.zeroPoint })
        }
        last.replaceSubrange(own..<own + hidden, with: h)
        state.replaceSubrange(own..<own + hidden, with: kept)
      }
    }
    guard layout != 0 else {
      return (Tensor(target.element, [sequence, dirs, batch, hidden], integers: y), last)
    }
    let moved = swapAxes(y, sequence * dirs, batch, hidden)
    return (Tensor(target.element, [batch, sequence, dirs, hidden], integers: moved), last)
  }

  /// A state tensor in the caller's layout.
  func tensor(state: [Float]) -> Tensor? {
    let dirs = direction.count
    guard layout != 0 else {
      return Tensor(.float32, [dirs, batch, hidden], elements: state)
    }
    return Tensor(
      .float32, [batch, dirs, hidden], elements: swapAxes(state, dirs, batch, hidden))
  }

  /// The types of `Y` and the `states` states after it.
  static func infer(
    _ site: inout InferenceSite, direction: RecurrentDirection, layout: Int, hiddenSize: Int?,
    states: Int, yZero: Int
  ) throws(TypeError) {
    for index in [0, 3, 5] {
      if let rank = site.rank(index), rank != 3 {
        throw TypeError(.rank(input: index, rank, expected: "3"))
      }
    }
    let dirs = Dimension.fixed(direction.count)
    let hidden = hiddenSize.map { .fixed($0) } ?? site.shape(5)?[2] ?? .unknown
    let sequence = site.shape(0)?[layout == 0 ? 0 : 1] ?? .unknown
    let batch = site.shape(0)?[layout == 0 ? 1 : 0] ?? .unknown
    site.set(
      0, site.has(yZero) ? site.element(yZero) : site.element(0),
      Shape(layout == 0 ? [sequence, dirs, batch, hidden] : [batch, sequence, dirs, hidden]))
    for index in 1...states {
      site.set(
        index, .float32, Shape(layout == 0 ? [dirs, batch, hidden] : [batch, dirs, hidden]))
    }
  }
}
