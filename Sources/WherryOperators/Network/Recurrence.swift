import Glibc
import WherryGraph

/// Which way a recurrent layer runs over the sequence.
public enum RecurrentDirection: String, AttributeConvertible {
  case forward, reverse, bidirectional

  var count: Int { self == .bidirectional ? 2 : 1 }
}

/// What LSTM, GRU and RNN share: shapes, directions, sequence lengths and layout.
///
/// `X: [seq, batch, input]`, `W: [dirs, gates * hidden, input]`, `R: [dirs, gates * hidden, hidden]`,
/// `Y: [seq, dirs, batch, hidden]`, states `[dirs, batch, hidden]`; with layout 1 the batch comes first
/// in `X`, `Y` and the states.
struct Recurrence: Sendable {
  let direction: RecurrentDirection
  let layout: Int
  let gates: Int
  let sequence: Int
  let batch: Int
  let inputs: Int
  let hidden: Int
  let element: ElementType
  /// `[seq, batch, input]`
  let x: [Double]
  let w: [Double]
  let r: [Double]
  /// `[dirs, 2 * gates * hidden]`
  let b: [Double]
  let lengths: [Int]

  init(
    _ call: OperatorCall, gates: Int, direction: RecurrentDirection, layout: Int, hiddenSize: Int?
  ) throws(RunError) {
    let (x, w, r) = (try call.tensor(0), try call.tensor(1), try call.tensor(2))
    (self.direction, self.layout, self.gates, element) = (direction, layout, gates, x.element)
    guard x.rank == 3, w.rank == 3, r.rank == 3 else {
      throw RunError(.badInput("X, W and R must have rank 3"))
    }
    sequence = x.shape[layout == 0 ? 0 : 1]
    batch = x.shape[layout == 0 ? 1 : 0]
    (inputs, hidden) = (x.shape[2], r.shape[2])
    _ = try RunError.count([8, direction.count, hidden])
    let rows = gates * hidden
    guard hidden == hiddenSize ?? hidden, w.shape == [direction.count, rows, inputs],
      r.shape == [direction.count, rows, hidden]
    else { throw RunError(.badInput("W \(w.shape) and R \(r.shape) don't fit X \(x.shape)")) }
    self.x = layout == 0 ? x.doubles : swapAxes(x.doubles, batch, sequence, inputs)
    (self.w, self.r) = (w.doubles, r.doubles)
    let zeros = [Double](repeating: 0, count: direction.count * 2 * rows)
    b = try call.optionalTensor(3)?.doubles ?? zeros
    lengths =
      try call.optionalTensor(4)?.integers.map { Int($0) }
      ?? Array(repeating: sequence, count: batch)
    let longest = sequence
    guard b.count == zeros.count, lengths.count == batch,
      lengths.allSatisfy({ $0 >= 0 && $0 <= longest })
    else { throw RunError(.badInput("B or sequence_lens don't fit X \(x.shape)")) }
    _ = try RunError.count([sequence, direction.count, batch, hidden])
    _ = try RunError.count([sequence, batch, rows])
  }

  /// An initial state as `[dirs, batch, hidden]`; zeros when left out.
  func state(_ tensor: Tensor?) throws(RunError) -> [Double] {
    let dirs = direction.count
    guard let tensor else { return Array(repeating: 0, count: dirs * batch * hidden) }
    guard tensor.shape == (layout == 0 ? [dirs, batch, hidden] : [batch, dirs, hidden]) else {
      throw RunError(.badInput("an initial state of shape \(tensor.shape)"))
    }
    return layout == 0 ? tensor.doubles : swapAxes(tensor.doubles, batch, dirs, hidden)
  }

  /// One step of one sequence: input and recurrent weights' products, biases included where `bias` says
  /// so, hidden state; returns the new hidden state.
  typealias Step = (
    _ direction: Int, _ entry: Int, _ input: ArraySlice<Double>, _ hidden: inout [Double]
  ) -> Void

  /// Runs `step` over every direction, sequence and time; `input` is `W x + Wb` of all gates.
  ///
  /// - Returns: `Y` and `Y_h` in the caller's layout.
  func run(initial: [Double], _ step: Step) -> (y: Tensor?, last: Tensor?) {
    let dirs = direction.count
    let rows = gates * hidden
    var y = [Double](repeating: 0, count: sequence * dirs * batch * hidden)
    var last = initial
    for dir in 0..<dirs {
      let weights = w[dir * rows * inputs..<(dir + 1) * rows * inputs]
      let bias = b[dir * 2 * rows..<dir * 2 * rows + rows]
      var projected = product(
        x[...], weights, m: sequence * batch, k: inputs, n: rows, transposed: true)
      for index in projected.indices { projected[index] += bias[bias.startIndex + index % rows] }
      let isReversed = direction == .reverse || dir == 1
      for entry in 0..<batch {
        let own = (dir * batch + entry) * hidden
        var state = Array(initial[own..<own + hidden])
        for count in 0..<lengths[entry] {
          let time = isReversed ? lengths[entry] - 1 - count : count
          let row = (time * batch + entry) * rows
          step(dir, entry, projected[row..<row + rows], &state)
          let target = ((time * dirs + dir) * batch + entry) * hidden
          y.replaceSubrange(target..<target + hidden, with: state)
        }
        last.replaceSubrange(own..<own + hidden, with: state)
      }
    }
    return (tensor(sequenceOf: y), tensor(state: last))
  }

  /// Adds the recurrent product `R[gates] h` of one direction to `sums`, with or without its bias.
  func addRecurrent(
    _ dir: Int, _ gates: Range<Int>, _ state: [Double], to sums: inout [Double]
  ) {
    let rows = self.gates * hidden
    for row in gates.lowerBound * hidden..<gates.upperBound * hidden {
      let start = (dir * rows + row) * hidden
      var sum = b[dir * 2 * rows + rows + row]
      r.withUnsafeBufferPointer { r in
        for index in 0..<hidden { sum += r[start + index] * state[index] }
      }
      sums[row] += sum
    }
  }

  private func tensor(sequenceOf y: [Double]) -> Tensor? {
    let dirs = direction.count
    guard layout != 0 else { return Tensor(element, [sequence, dirs, batch, hidden], doubles: y) }
    // [seq, dirs, batch, hidden] to [batch, seq, dirs, hidden]
    let moved = swapAxes(y, sequence * dirs, batch, hidden)
    return Tensor(element, [batch, sequence, dirs, hidden], doubles: moved)
  }

  /// A state tensor in the caller's layout.
  func tensor(state: [Double]) -> Tensor? {
    let dirs = direction.count
    guard layout != 0 else { return Tensor(element, [dirs, batch, hidden], doubles: state) }
    return Tensor(element, [batch, dirs, hidden], doubles: swapAxes(state, dirs, batch, hidden))
  }

  /// The types of `Y` and the `states` states after it.
  static func infer(
    _ site: inout InferenceSite, direction: RecurrentDirection, layout: Int, hiddenSize: Int?,
    states: Int
  ) throws(TypeError) {
    for index in 0...2 {
      if let rank = site.rank(index), rank != 3 {
        throw TypeError(.rank(input: index, rank, expected: "3"))
      }
    }
    let dirs = Dimension.fixed(direction.count)
    let hidden = hiddenSize.map { .fixed($0) } ?? site.shape(2)?[2] ?? .unknown
    let sequence = site.shape(0)?[layout == 0 ? 0 : 1] ?? .unknown
    let batch = site.shape(0)?[layout == 0 ? 1 : 0] ?? .unknown
    site.set(
      0, site.element(0),
      Shape(layout == 0 ? [sequence, dirs, batch, hidden] : [batch, sequence, dirs, hidden]))
    for index in 1...states {
      site.set(
        index, site.element(0), Shape(layout == 0 ? [dirs, batch, hidden] : [batch, dirs, hidden]))
    }
  }
}

/// `[a, b, c]` to `[b, a, c]`.
func swapAxes<T>(_ x: [T], _ a: Int, _ b: Int, _ c: Int) -> [T] {
  var result: [T] = []
  result.reserveCapacity(x.count)
  for second in 0..<b {
    for first in 0..<a {
      let start = (first * b + second) * c
      result += x[start..<start + c]
    }
  }
  return result
}

/// An activation of a recurrent layer, with its parameters, applied to the clipped input.
struct RecurrentActivation: Sendable {
  let apply: @Sendable (Double) -> Double
  /// The same without clipping.
  let unclipped: @Sendable (Double) -> Double

  /// The activations of every direction, `count` each: those named, else `defaults`.
  ///
  /// Values of `alpha` and `beta` go, in order, to the activations that take one; the rest have the
  /// default of the ONNX operator of that name.
  /// - Throws: `RunError.unsupported` for an unknown name.
  static func list(
    _ names: [String]?, defaults: [String], directions: Int, alpha: [Float]?, beta: [Float]?,
    clip: Float?
  ) throws(RunError) -> [RecurrentActivation] {
    var names = names ?? []
    if names.isEmpty { names = Array(repeating: defaults, count: directions).flatMap { $0 } }
    guard names.count >= defaults.count * directions else {
      throw RunError(.badInput("\(names.count) activations for \(directions) directions"))
    }
    var (alphas, betas) = ((alpha ?? [])[...], (beta ?? [])[...])
    var result: [RecurrentActivation] = []
    for name in names {
      let defaults: (alpha: Double?, beta: Double?)
      switch name.lowercased() {
      case "affine": defaults = (1, 0)
      case "leakyrelu": defaults = (0.01, nil)
      case "thresholdedrelu", "elu": defaults = (1, nil)
      case "scaledtanh": defaults = (1, 1)
      case "hardsigmoid": defaults = (0.2, 0.5)
      default: defaults = (nil, nil)
      }
      let a =
        defaults.alpha.map { fallback in alphas.popFirst().map { Double($0) } ?? fallback } ?? 0
      let b = defaults.beta.map { fallback in betas.popFirst().map { Double($0) } ?? fallback } ?? 0
      guard let function = function(name.lowercased(), a, b) else {
        throw RunError(.unsupported("activation \(name)"))
      }
      if let limit = clip.map({ Double($0) }), limit > 0 {
        result.append(
          RecurrentActivation(
            apply: { function(min(max($0, -limit), limit)) }, unclipped: function))
      } else {
        result.append(RecurrentActivation(apply: function, unclipped: function))
      }
    }
    return result
  }

  private static func function(
    _ name: String, _ a: Double, _ b: Double
  ) -> (@Sendable (Double) -> Double)? {
    switch name {
    case "relu": { max($0, 0) }
    case "tanh": { tanh($0) }
    case "sigmoid": { 1 / (1 + exp(-$0)) }
    case "affine": { a * $0 + b }
    case "leakyrelu": { $0 >= 0 ? $0 : a * $0 }
    case "thresholdedrelu": { $0 > a ? $0 : 0 }
    case "scaledtanh": { a * tanh(b * $0) }
    case "hardsigmoid": { min(max(a * $0 + b, 0), 1) }
    case "elu": { $0 >= 0 ? $0 : a * expm1($0) }
    case "softsign": { $0 / (1 + $0.magnitude) }
    case "softplus": { max($0, 0) + log1p(exp(-$0.magnitude)) }
    default: nil
    }
  }
}
