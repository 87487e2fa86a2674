import CWherryABI
import WherryBytes

/// 8-bit weights in a stream of `plan_int8.h`: the panels of QConv, or the blocks of QDepthwiseConv.
///
/// The source holds element (output, channel, tap) at the sum of each index times its stride.
public struct StreamView: Sendable, Hashable {
  public var isDepthwise: Bool
  public var groups: Int
  /// Outputs a group.
  public var filters: Int
  /// Of the input, a group.
  public var channels: Int
  public var taps: Int
  /// Taps that stand side by side in a run.
  public var rows: Int
  public var outputStride: Int
  public var channelStride: Int
  public var tapStride: Int
  /// What the stream says of each output besides its weights: bias, sum of weights, factor; 12 bytes.
  public var heads = Bytes()

  public static let headBytes = 12

  public var outputs: Int { groups * filters }

  /// Bytes of a run of weights of one output.
  private var run: Int { (rows * channels + 3) / 4 * 4 }

  /// Bytes before a panel's weights.
  private var head: Int { isDepthwise ? Int(WH_QDEPTHWISE_HEAD) : Int(WH_QCONV_HEAD) }

  /// Bytes of 16 outputs.
  private var panel: Int { head + (isDepthwise ? taps : taps / max(rows, 1) * run) * 16 }

  /// Panels of a group; a depthwise stream counts all outputs as one group.
  private var panels: Int { ((isDepthwise ? outputs : filters) + 15) / 16 }

  public var byteCount: Int { (isDepthwise ? 1 : groups) * panels * panel }

  /// Whether no number is too large to calculate with, and every weight has its place in the stream.
  public var isSound: Bool {
    let limit = Int(Int32.max)
    guard groups > 0, filters > 0, channels > 0, taps > 0, rows > 0, taps % rows == 0,
      let count = Checked.product([groups, filters, channels, taps]), count <= limit,
      !isDepthwise || channels == 1 && filters == 1,
      Checked.product([outputs / 16 + 1, taps, channels + 4, 16]).map({ $0 <= limit * 64 }) == true
    else { return false }
    return Weight.covers(
      0, [outputs, channels, taps], [outputStride, channelStride, tapStride], count: count)
  }

  /// Whether every element of a source of `count` stands in the stream exactly once.
  public func isReversible(count: Int) -> Bool {
    isSound && Checked.product([groups, filters, channels, taps]) == count
  }

  /// Where the stream holds an output's bias.
  func headOffset(_ output: Int) -> Int {
    let (group, filter) = isDepthwise ? (0, output) : (output / filters, output % filters)
    return (group * panels + filter / 16) * panel + filter % 16 * 4
  }

  /// Calls `body` with every weight's output, position in the source and position in the stream.
  func forEachTap(_ body: (_ output: Int, _ source: Int, _ target: Int) -> Void) {
    for output in 0..<outputs {
      let lane = (isDepthwise ? output : output % filters) % 16
      let base = headOffset(output) - lane * 4 + head
      for tap in 0..<taps {
        let source = output * outputStride + tap * tapStride
        if isDepthwise {
          body(output, source, base + tap * 16 + lane)
          continue
        }
        for channel in 0..<channels {
          let k = tap / rows * run + tap % rows * channels + channel
          body(output, source + channel * channelStride, base + k / 4 * 64 + lane * 4 + k % 4)
        }
      }
    }
  }

  /// The stream.
  func packed(_ source: Bytes) -> Bytes {
    source.withUnsafeBytes { from in
      Bytes(count: byteCount) { to in
        to.initializeMemory(as: UInt8.self, repeating: 0)
        writeHeads(to)
        forEachTap { _, source, target in
          if source < from.count, target < to.count { to[target] = from[source] }
        }
      }
    }
  }

  private func writeHeads(_ to: UnsafeMutableRawBufferPointer) {
    // A depthwise stream has no sums of weights.
    let fields = isDepthwise ? [0, 8] : [0, 4, 8]
    heads.withUnsafeBytes { heads in
      for output in 0..<outputs where (output + 1) * Self.headBytes <= heads.count {
        let base = headOffset(output)
        for (index, field) in fields.enumerated() where base + index * 64 + 4 <= to.count {
          let value = heads.loadUnaligned(
            fromByteOffset: output * Self.headBytes + field, as: UInt32.self)
          to.storeBytes(of: value, toByteOffset: base + index * 64, as: UInt32.self)
        }
      }
    }
  }

  /// The source that was packed into `stream`; `size` bytes.
  public func unpacked(_ stream: Bytes, size: Int) -> Bytes {
    stream.withUnsafeBytes { from in
      Bytes(count: size) { to in
        forEachTap { _, source, target in
          if source < to.count, target < from.count { to[source] = from[target] }
        }
      }
    }
  }

  /// The fields in the order the graph section writes them, `heads` left out.
  public var numbers: [Int] {
    [
      isDepthwise ? 1 : 0, groups, filters, channels, taps, rows, outputStride, channelStride,
      tapStride,
    ]
  }
}

extension StreamView {
  /// - Returns: nil unless there are nine numbers.
  public init?(numbers n: [Int], heads: Bytes = Bytes()) {
    guard n.count == 9 else { return nil }
    (isDepthwise, groups, filters, channels, taps) = (n[0] == 1, n[1], n[2], n[3], n[4])
    (rows, outputStride, channelStride, tapStride) = (n[5], n[6], n[7], n[8])
    self.heads = heads
  }
}
