import CZlib

/// Applies the deflate filter: one zlib stream a chunk.
///
/// - Source: RFC 1950 and 1951; HDF5 filter 1.
final class Deflater {
  private var stream = z_stream()
  private let isReady: Bool

  /// - Parameter level: 0 (none) to 9 (smallest).
  init(level: Int) {
    isReady =
      (0...9).contains(level)
      && deflateInit_(&stream, Int32(level), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        == Z_OK
  }

  deinit { if isReady { deflateEnd(&stream) } }

  /// The most bytes that `count` bytes can become.
  static func bound(_ count: Int) -> Int { count + count / 1000 + 1024 }

  /// - Returns: the bytes written; nil for a level out of range or an `output` below the bound.
  func deflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard isReady, deflateReset(&stream) == Z_OK, input.count <= UInt32.max,
      output.count <= UInt32.max
    else { return nil }
    let source = UnsafeMutableRawBufferPointer(mutating: input).bindMemory(to: UInt8.self)
    stream.next_in = source.baseAddress
    stream.avail_in = uInt(input.count)
    stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
    stream.avail_out = uInt(output.count)
    guard CZlib.deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
    return output.count - Int(stream.avail_out)
  }
}
