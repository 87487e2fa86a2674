import WherryBytes

extension StreamView {
  /// What a stream says of its outputs: bias, sum of weights and factor, one each an output.
  public struct Heads: Sendable {
    public var biases: [Int32]
    public var sums: [Int32]
    public var factors: [Float]
  }

  /// The heads of a stream in memory; sums are made from the weights, because depthwise streams hold none.
  public func unpackedHeads(_ stream: Bytes) -> Heads {
    var heads = Heads(
      biases: [Int32](repeating: 0, count: outputs), sums: [Int32](repeating: 0, count: outputs),
      factors: [Float](repeating: 0, count: outputs))
    stream.withUnsafeBytes { from in
      for output in 0..<outputs {
        let base = headOffset(output)
        let factor = base + (isDepthwise ? 64 : 128)
        guard factor + 4 <= from.count else { return }
        heads.biases[output] = from.loadUnaligned(fromByteOffset: base, as: Int32.self)
        heads.factors[output] = from.loadUnaligned(fromByteOffset: factor, as: Float.self)
      }
      forEachTap { output, _, target in
        guard target < from.count else { return }
        heads.sums[output] &+= Int32(Int8(bitPattern: from[target]))
      }
    }
    return heads
  }

  /// The heads that the stream will get.
  public var ownHeads: Heads {
    heads.withUnsafeBytes { from in
      var own = Heads(biases: [], sums: [], factors: [])
      for at in stride(from: 0, to: from.count / Self.headBytes * Self.headBytes, by: 12) {
        own.biases.append(from.loadUnaligned(fromByteOffset: at, as: Int32.self))
        own.sums.append(from.loadUnaligned(fromByteOffset: at + 4, as: Int32.self))
        own.factors.append(from.loadUnaligned(fromByteOffset: at + 8, as: Float.self))
      }
      return own
    }
  }
}
