import CZlib

/// Undoes the deflate filter: zlib streams.
///
/// The frame of a stream is read here, and zlib inflates what is inside: its own check sum takes a
/// twelfth of the whole time, ours next to nothing.
///
/// - Source: RFC 1950 and 1951; HDF5 filter 1.
final class Inflater {
  private var stream = z_stream()
  private var isReady = false

  deinit { if isReady { inflateEnd(&stream) } }

  /// Inflates a whole stream.
  ///
  /// - Returns: the bytes written; at most `output.count`.
  /// - Throws: `.invalid` for data that is no zlib stream, and for one that holds more than `output`.
  func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) -> Int {
    guard input.count >= 6 else { throw .invalid("deflated data") }
    let (method, flags) = (input[0], input[1])
    guard method & 0x0F == 8, method >> 4 <= 7, flags & 0x20 == 0,
      (UInt16(method) << 8 | UInt16(flags)) % 31 == 0
    else { throw .invalid("deflated data") }
    let body = UnsafeRawBufferPointer(rebasing: input[2...])
    let (read, written) = try inflateBody(body, into: output)
    guard body.count - read >= 4 else { throw .invalid("deflated data") }
    let stated = UInt32(bigEndian: body.loadUnaligned(fromByteOffset: read, as: UInt32.self))
    guard stated == Adler32.checksum(UnsafeRawBufferPointer(rebasing: output[..<written])) else {
      throw .checksum
    }
    return written
  }

  private func inflateBody(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) -> (read: Int, written: Int) {
    if isReady {
      inflateReset(&stream)
    } else {
      let size = Int32(MemoryLayout<z_stream>.size)
      // Negative: the largest window, and no frame.
      guard inflateInit2_(&stream, -15, ZLIB_VERSION, size) == Z_OK else {
        throw .invalid("deflate state")
      }
      isReady = true
    }
    // zlib counts in 32 bits, chunks may be larger.
    let most = 1 << 30
    let source = UnsafeMutableRawBufferPointer(mutating: input).bindMemory(to: UInt8.self)
    let target = output.bindMemory(to: UInt8.self)
    var (read, written) = (0, 0)
    while true {
      let (inputs, outputs) = (min(most, input.count - read), min(most, output.count - written))
      stream.next_in = source.baseAddress.map { $0 + read }
      stream.avail_in = uInt(inputs)
      stream.next_out = target.baseAddress.map { $0 + written }
      stream.avail_out = uInt(outputs)
      let isWhole = read + inputs == input.count && written + outputs == output.count
      let status = CZlib.inflate(&stream, isWhole ? Z_FINISH : Z_NO_FLUSH)
      let (taken, made) = (inputs - Int(stream.avail_in), outputs - Int(stream.avail_out))
      read += taken
      written += made
      if status == Z_STREAM_END { return (read, written) }
      guard !isWhole, status == Z_OK, taken + made > 0 else { throw .invalid("deflated data") }
    }
  }
}
