/// Undoes the scale-offset filter: each number of a chunk is stored as its distance from the smallest,
/// in as many bits as the largest distance takes; floating-point numbers are scaled by a power of ten
/// first.
///
/// - Source: HDF5 filter 6.
struct ScaleOffset {
  private let isFloat: Bool
  private let size: Int
  private let elements: Int
  private let isBig: Bool
  /// Bits of the fill value, where the data set has one.
  private let fill: UInt64?
  /// For floating-point numbers: they were multiplied by ten to this power.
  private let exponent: Int
  /// Whether the filter left the chunk as it was.
  private let isIdle: Bool

  /// - Throws: `.unsupported` for the method that was specified but never written, `.invalid` for
  ///   parameters out of range.
  init(_ parameters: [UInt32]) throws(FilterFailure) {
    guard parameters.count >= 10, parameters[3] <= 1 else {
      throw .invalid("parameters of the scale-offset filter")
    }
    isFloat = parameters[3] == 1
    guard let size = Int(exactly: parameters[4]),
      isFloat ? [4, 8].contains(size) : [1, 2, 4, 8].contains(size)
    else { throw .invalid("parameters of the scale-offset filter") }
    self.size = size
    elements = Int(parameters[2])
    guard !isFloat || parameters[0] == 0 else { throw .unsupported("scale-offset by exponent") }
    isBig = parameters[6] == 1
    exponent = Int(Int32(bitPattern: parameters[1]))
    isIdle = !isFloat && exponent == 8 * size
    let stored = UInt64(parameters[9]) << 32 | UInt64(parameters[8])
    fill = parameters[7] == 1 ? stored & Self.ones(8 * size) : nil
  }

  private static func ones(_ count: Int) -> UInt64 {
    count >= 64 ? .max : 1 << UInt64(count) - 1
  }

  /// - Returns: the bytes written; at most `output.count`.
  func undo(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) -> Int {
    if isIdle {
      guard input.count <= output.count else { throw .size(input.count) }
      output.copyMemory(from: input)
      return input.count
    }
    // Bits of a number (4 bytes), width of the smallest number (1 byte), the smallest (16 bytes).
    guard input.count >= 21 else { throw .invalid("head of scale-offset data") }
    let bits = UInt32(littleEndian: input.loadUnaligned(as: UInt32.self))
    guard bits <= 8 * size else { throw .invalid("bits of scale-offset data") }
    var least: UInt64 = 0
    for index in 0..<min(8, Int(input[4])) {
      least |= UInt64(input[5 + index]) << UInt64(8 * index)
    }
    var cursor = BitCursor(UnsafeRawBufferPointer(rebasing: input[21...]))
    let count = min(elements, output.count / size)
    let isWhole = bits == 8 * size
    let scale = isFloat ? Double("1e\(max(-400, min(exponent, 400)))") ?? 1 : 1
    let full = Self.ones(Int(bits))
    for index in 0..<count {
      var value = try cursor.take(isWhole ? 0 : Int(bits))
      if isWhole {
        // Whole numbers are stored as they lie in memory.
        for byte in 0..<size { value |= try cursor.take(8) << UInt64(8 * byte) }
      } else if let fill, value == full {
        value = fill
      } else if isFloat {
        value = scaled(value, least, scale)
      } else {
        value &+= least
      }
      for byte in 0..<size {
        output[index * size + (isBig ? size - 1 - byte : byte)] =
          UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
      }
    }
    return count * size
  }

  /// In the type's own precision, as libhdf5 computes since release 1.10.
  private func scaled(_ value: UInt64, _ least: UInt64, _ scale: Double) -> UInt64 {
    if size == 4 {
      let distance = Float(Int32(truncatingIfNeeded: value)) / Float(scale)
      return UInt64((distance + Float(bitPattern: UInt32(truncatingIfNeeded: least))).bitPattern)
    }
    return (Double(Int64(bitPattern: value)) / scale + Double(bitPattern: least)).bitPattern
  }
}
