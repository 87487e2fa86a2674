import CWherryABI
import WherryBytes
import WherryGraph

/// Constant int8 weights of a convolution or dense layer, on their way into a stream of `plan_int8.h`.
///
/// `values` are `[groups * filters, channels, taps]`, row-major; scales are per output channel.
struct IntegerKernel {
  var values: [Int8]
  /// The tensor the values come from: in their order, or `[channels, outputs]` when `isTransposed`.
  var source: Bytes
  var isTransposed = false
  var groups: Int
  var channels: Int
  var filters: Int
  var taps: Int
  /// One number, or one an output channel.
  var scales: [Float]
  /// One an output channel; empty when there is none.
  var bias: [Int64] = []

  var outputs: Int { groups * filters }
  private var depth: Int { channels * taps }

  func scale(_ output: Int) -> Double {
    Double(scales.count == 1 ? scales[0] : scales[output])
  }

  func sum(_ output: Int) -> Int64 {
    values[output * depth..<(output + 1) * depth].reduce(0) { $0 + Int64($1) }
  }

  /// - Throws: `CompileProblem` when an accumulator could leave int32.
  func checkBound() throws(CompileProblem) {
    for output in 0..<outputs {
      let weights = values[output * depth..<(output + 1) * depth]
      let largest = weights.reduce(Int64(0)) { $0 + Int64($1.magnitude) } * 255
      let offset = bias.isEmpty ? 0 : abs(bias[output])
      guard largest + offset < 1 << 31 else {
        throw CompileProblem(.unsupported("sums of channel \(output) that may not fit int32"))
      }
    }
  }

  /// The stream of a convolution or dense layer as a weight of the plan.
  ///
  /// - Parameters:
  ///   - zero: the zero point of the input; 0 when it is known at run time only.
  ///   - factors: of the accumulators, one an output channel.
  ///   - rows: taps that stand side by side in a run: those of a row of the window, or one.
  func weight(
    zero: Int32, factors: [Float], rows: Int, isDepthwise: Bool = false
  ) -> Weight {
    let heads = Bytes(count: outputs * StreamView.headBytes) { target in
      for output in 0..<outputs {
        let sum = self.sum(output)
        let offset = (bias.isEmpty ? 0 : bias[output]) - Int64(zero) * sum
        let at = output * StreamView.headBytes
        target.storeBytes(
          of: Int32(truncatingIfNeeded: offset), toByteOffset: at, as: Int32.self)
        target.storeBytes(
          of: Int32(truncatingIfNeeded: sum), toByteOffset: at + 4, as: Int32.self)
        target.storeBytes(of: factors[output], toByteOffset: at + 8, as: Float.self)
      }
    }
    var view = StreamView(
      isDepthwise: isDepthwise, groups: groups, filters: filters, channels: channels, taps: taps,
      rows: rows, outputStride: depth, channelStride: taps, tapStride: 1, heads: heads)
    if isTransposed {
      (view.outputStride, view.channelStride, view.tapStride) = (1, outputs, outputs)
    }
    return Weight(source, width: 1, packing: .stream(view))
  }
}

extension LoweringSite {
  /// Constant 8-bit weights less their zero points as int8; nil when they don't fit or aren't
  /// constant.
  ///
  /// - Parameters:
  ///   - axis: that of output channels.
  ///   - zeroPoint: an input of one number, or one a channel.
  func int8Weights(_ index: Int, zeroPoint: Int, axis: Int) -> Tensor? {
    guard let tensor = constant(index), tensor.element == .int8 || tensor.element == .uint8,
      axis < tensor.rank, !has(zeroPoint) || constant(zeroPoint) != nil
    else { return nil }
    if let zero = constant(zeroPoint), zero.element != tensor.element { return nil }
    let zeros = constant(zeroPoint)?.integers ?? [0]
    if tensor.element == .int8, zeros.allSatisfy({ $0 == 0 }) { return tensor }
    guard zeros.count == 1 || zeros.count == tensor.shape[axis] else { return nil }
    let inner = tensor.shape[(axis + 1)...].reduce(1, *)
    let shifted = tensor.integers.enumerated().map { position, value in
      value - zeros[zeros.count == 1 ? 0 : position / max(inner, 1) % zeros.count]
    }
    guard shifted.allSatisfy({ $0 >= -128 && $0 <= 127 }) else { return nil }
    return Tensor(.int8, tensor.shape, integers: shifted)
  }

  /// A stream as a weight of the plan.
  func weight(stream: Weight) throws(CompileProblem) -> Int {
    try builder.weight(stream, .int8, [stream.byteCount])
  }
}

extension Tensor {
  /// The elements of an int8 tensor.
  var int8Values: [Int8] { bytes.withUnsafeBytes { $0.map { Int8(bitPattern: $0) } } }
}
