import CWherryABI
import WherryBytes
import WherryGraph

/// Constant int8 weights of a convolution or dense layer, on their way into a stream of `plan_int8.h`.
///
/// `values` are `[groups * filters, channels, taps]`, row-major; scales are per output channel.
struct IntegerKernel {
  var values: [Int8]
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

  /// A stream of `WH_QConv`.
  ///
  /// - Parameters:
  ///   - zero: the zero point of the input; 0 when it is known at run time only.
  ///   - factors: of the accumulators, one an output channel.
  ///   - rows: taps that stand side by side in a run: those of a row of the window, or one.
  func stream(zero: Int32, factors: [Float], rows: Int) -> Bytes {
    let run = (rows * channels + 3) / 4 * 4
    let runs = taps / max(rows, 1)
    let panel = Int(WH_QCONV_HEAD) + runs * run * 16
    let panels = (filters + 15) / 16
    return Bytes(count: groups * panels * panel) { target in
      target.initializeMemory(as: UInt8.self, repeating: 0)
      for group in 0..<groups {
        for filter in 0..<filters {
          let output = group * filters + filter
          let base = (group * panels + filter / 16) * panel
          let lane = filter % 16
          let sum = self.sum(output)
          let offset = bias.isEmpty ? 0 : bias[output]
          func store<T: BitwiseCopyable>(_ value: T, _ at: Int) {
            target.storeBytes(of: value, toByteOffset: base + at + lane * 4, as: T.self)
          }
          store(Int32(truncatingIfNeeded: offset - Int64(zero) * sum), 0)
          store(Int32(truncatingIfNeeded: sum), 64)
          store(factors[output], 128)
          for tap in 0..<taps {
            for channel in 0..<channels {
              let k = tap / rows * run + tap % rows * channels + channel
              let at = base + Int(WH_QCONV_HEAD) + k / 4 * 64 + lane * 4 + k % 4
              let value = values[output * depth + channel * taps + tap]
              target[at] = UInt8(bitPattern: value)
            }
          }
        }
      }
    }
  }

  /// A stream of `WH_QDepthwiseConv`.
  func depthwiseStream(zero: Int32, factors: [Float]) -> Bytes {
    let block = Int(WH_QDEPTHWISE_HEAD) + taps * 16
    return Bytes(count: (outputs + 15) / 16 * block) { target in
      target.initializeMemory(as: UInt8.self, repeating: 0)
      for output in 0..<outputs {
        let (base, lane) = (output / 16 * block, output % 16)
        let offset = (bias.isEmpty ? 0 : bias[output]) - Int64(zero) * sum(output)
        target.storeBytes(
          of: Int32(truncatingIfNeeded: offset), toByteOffset: base + lane * 4, as: Int32.self)
        target.storeBytes(
          of: factors[output], toByteOffset: base + 64 + lane * 4, as: Float.self)
        for tap in 0..<taps {
          target[base + Int(WH_QDEPTHWISE_HEAD) + tap * 16 + lane] = UInt8(
            bitPattern: values[output * taps + tap])
        }
      }
    }
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
  func weight(stream: Bytes) throws(CompileProblem) -> Int {
    try builder.weight(Weight(stream, width: 1), .int8, [stream.count])
  }
}

extension Tensor {
  /// The elements of an int8 tensor.
  var int8Values: [Int8] { bytes.withUnsafeBytes { $0.map { Int8(bitPattern: $0) } } }
}
