import WherryOperators

/// The extents of a recurrent layer, and where its directions lie in inputs and outputs.
struct RecurrentExtents {
  let gates, directions, steps, batch, input, hidden: Int
  private let isReversed, isBatchFirst: Bool

  /// - Parameters:
  ///   - x: the input, `[steps, batch, input]`, or with the batch first where `layout` is 1.
  ///   - w: `[directions, gates * hidden, input]`.
  ///   - r: `[directions, gates * hidden, hidden]`.
  init(
    x: [Int], w: [Int], r: [Int], gates: Int, direction: RecurrentDirection, layout: Int
  ) throws(CompileProblem) {
    self.gates = gates
    directions = direction == .bidirectional ? 2 : 1
    isReversed = direction == .reverse
    isBatchFirst = layout != 0
    guard x.count == 3, w.count == 3, r.count == 3, r[1] == gates * r[2], w[2] == x[2],
      w[1] == r[1], w[0] == directions, r[0] == directions
    else { throw CompileProblem(.invalid("a recurrent layer of \(x), \(w), \(r)")) }
    (steps, batch) = isBatchFirst ? (x[1], x[0]) : (x[0], x[1])
    (input, hidden) = (x[2], r[2])
    guard input > 0, hidden > 0 else {
      throw CompileProblem(.unsupported("a recurrent layer of extent 0"))
    }
  }

  /// Rows of one direction's matrices.
  var rows: Int { gates * hidden }

  /// 1 for a direction that starts at the last step.
  func reverse(_ direction: Int) -> Int32 { isReversed || direction == 1 ? 1 : 0 }

  /// Elements between steps and between examples, and where a direction's part begins.
  struct Strides {
    let xStep, xBatch, yStep, yBatch, yOffset, hOffset, hBatch: Int64
  }

  func strides(_ direction: Int) -> Strides {
    let width = directions * hidden
    let (own, x, y) =
      isBatchFirst
      ? (
        direction * hidden, (step: input, batch: steps * input), (step: width, batch: steps * width)
      )
      : (
        direction * batch * hidden, (step: batch * input, batch: input),
        (step: batch * width, batch: hidden)
      )
    return Strides(
      xStep: Int64(x.step), xBatch: Int64(x.batch), yStep: Int64(y.step), yBatch: Int64(y.batch),
      yOffset: Int64(own), hOffset: Int64(own), hBatch: Int64(isBatchFirst ? width : hidden))
  }

  /// One direction's initial state as `[batch, hidden]`.
  func state(_ direction: Int) -> StridedView {
    let strides = strides(direction)
    return StridedView(
      offset: Int(strides.hOffset), extents: [batch, hidden], strides: [Int(strides.hBatch), 1])
  }
}
