import CWherryABI
import WherryGraph

/// The 8-bit counterparts: clamps are exact on integers, and a residual sum follows a convolution's own
/// requantization.
extension PlanFusion {
  /// A clamp of 8-bit values becomes the bounds of what makes them.
  mutating func fuseClamp8(
    _ index: Int, _ operation: PlanOperation, _ bounds: ClosedRange<Int32>
  ) {
    guard builder.runs(.fuseActivation), let input = operation.inputs.first ?? nil,
      let maker = maker(of: input, for: index), var target = operations[maker],
      let fused = target.step.clamped8(bounds)
    else { return }
    target.step = fused
    builder.count(.fuseActivation)
    replace(maker, by: target, at: maker, taking: operation, removing: index)
  }

  /// y = convolution + another tensor of its size: the convolution moves to where both are ready.
  mutating func fuseResidual8(_ index: Int, _ operation: PlanOperation, _ binary: wh_qbinary) {
    let view = BinaryView(binary)
    guard builder.runs(.fuseResidual), view.isDense(0), view.isDense(1) else { return }
    let candidates = (0..<2).compactMap { side -> (side: Int, maker: Int, step: PlanStep)? in
      guard let whole = operation.inputs[side], let other = operation.inputs[1 - side],
        whole != other, builder.tensors[other].byteCount == builder.tensors[whole].byteCount,
        let maker = maker(of: whole, for: index), let target = operations[maker], target.hasNo(2),
        let step = target.step.adding(binary, isSecond: side == 1)
      else { return nil }
      return (side, maker, step)
    }
    guard let best = candidates.max(by: { $0.maker < $1.maker }),
      var target = operations[best.maker]
    else { return }
    target.step = best.step
    target.set(2, operation.inputs[1 - best.side])
    builder.count(.fuseResidual)
    replace(best.maker, by: target, at: index, taking: operation, removing: index)
  }
}

extension wh_qpool {
  /// The bounds of a pool that is nothing but a clamp.
  var clamp: ClosedRange<Int32>? {
    let ones = [
      `in`.0, `in`.1, `in`.2, out.0, out.1, out.2, kernel.0, kernel.1, kernel.2, stride.0, stride.1,
      stride.2,
    ]
    guard kind == 0, ones.allSatisfy({ $0 == 1 }), low <= high else { return nil }
    return low...high
  }
}

extension PlanStep {
  /// The same step with its 8-bit result held within bounds; nil when it has no place for them.
  fileprivate func clamped8(_ bounds: ClosedRange<Int32>) -> PlanStep? {
    func merge(_ low: inout Int32, _ high: inout Int32) -> Bool {
      guard max(low, bounds.lowerBound) <= min(high, bounds.upperBound) else { return false }
      (low, high) = (max(low, bounds.lowerBound), min(high, bounds.upperBound))
      return true
    }
    switch self {
    case .qConv(var value):
      guard value.result == Int32(WH_RESULT_Q8) else { return nil }
      return merge(&value.low, &value.high) ? .qConv(value) : nil
    case .qDepthwise(var value):
      return merge(&value.low, &value.high) ? .qDepthwise(value) : nil
    case .qBinary(var value): return merge(&value.low, &value.high) ? .qBinary(value) : nil
    case .qPool(var value): return merge(&value.low, &value.high) ? .qPool(value) : nil
    case .qMatMul(var value): return merge(&value.low, &value.high) ? .qMatMul(value) : nil
    default: return nil
    }
  }

  /// The convolution with a sum after it; nil for anything else.
  ///
  /// - Parameter isSecond: whether the convolution's result is the sum's second operand.
  fileprivate func adding(_ sum: wh_qbinary, isSecond: Bool) -> PlanStep? {
    func fused(_ value: wh_qconv) -> wh_qconv? {
      guard value.result == Int32(WH_RESULT_Q8), value.y_offset == 0,
        value.y_row == value.groups * value.filters
      else { return nil }
      var conv = value
      (conv.c_zero, conv.c_low, conv.c_high) = (value.y_zero, value.low, value.high)
      (conv.y_zero, conv.low, conv.high) = (sum.y_zero, sum.low, sum.high)
      conv.r_zero = isSecond ? sum.a_zero : sum.b_zero
      conv.c_factor = isSecond ? sum.b_factor : sum.a_factor
      conv.r_factor = isSecond ? sum.a_factor : sum.b_factor
      return conv
    }
    return switch self {
    case .qConv(let value): fused(value).map { .qConv($0) }
    case .qDepthwise(let value): fused(value).map { .qDepthwise($0) }
    default: nil
    }
  }
}
