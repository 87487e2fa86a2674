import WherryBytes
import WherryGraph

/// Which element of a scale or zero point goes with which element of a tensor: one for all, one for
/// each step along an axis, or one for each block of steps.
///
/// - Source: ONNX operator specification, QuantizeLinear-28.
struct QuantizationGrain: Sendable {
  private let view: AxisView
  private let block: Int
  private let steps: (outer: Int, block: Int, inner: Int)

  /// - Parameters:
  ///   - scale: the shape of the scale.
  ///   - blockSize: steps that share a scale; 0 when there are no blocks.
  /// - Throws: `RunError.badInput` when the shapes don't fit.
  init(_ shape: [Int], scale: [Int], axis: Int, blockSize: Int) throws(RunError) {
    if Checked.product(scale) == 1, blockSize == 0 || scale.count != shape.count {
      view = AxisView([try checkedCount(shape)], at: 0)
      (block, steps) = (1, (0, 0, 0))
      return
    }
    let axis = try checkedAxis(axis, rank: shape.count)
    view = AxisView(shape, at: axis)
    if scale.count == 1, shape.count > 1 || blockSize == 0 {
      guard scale[0] == shape[axis] else {
        throw RunError(.badInput("\(scale[0]) scales for an axis of \(shape[axis])"))
      }
      (block, steps) = (1, (0, 1, 0))
      return
    }
    guard scale.count == shape.count, blockSize > 0 else {
      throw RunError(.badInput("scale \(scale) doesn't fit \(shape)"))
    }
    let blocks = scale[axis]
    for index in shape.indices where index != axis {
      guard scale[index] == shape[index] else {
        throw RunError(.badInput("scale \(scale) doesn't fit \(shape)"))
      }
    }
    // As many blocks as needed: the last may be shorter.
    let needed = shape[axis] / blockSize + (shape[axis] % blockSize == 0 ? 0 : 1)
    guard needed == blocks else {
      throw RunError(.badInput("\(blocks) blocks of \(blockSize) for an axis of \(shape[axis])"))
    }
    block = blockSize
    steps = (blocks * view.inner, view.inner, 1)
  }

  /// `body` of every element and the place of its scale, in order.
  func map<T, R>(_ values: [T], _ body: (T, Int) -> R) -> [R] {
    var result: [R] = []
    result.reserveCapacity(values.count)
    var at = 0
    for outer in 0..<view.outer {
      for step in 0..<view.length {
        let base = outer * steps.outer + step / block * steps.block
        for inner in 0..<view.inner {
          result.append(body(values[at], base + inner * steps.inner))
          at += 1
        }
      }
    }
    return result
  }
}
