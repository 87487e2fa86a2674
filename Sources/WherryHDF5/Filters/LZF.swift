/// Undoes h5py's LZF filter.
///
/// - Source: Marc Lehmann's LibLZF data format: runs of literals and references backwards.
enum LZF {
  /// - Returns: the bytes written; at most `output.count`.
  /// - Throws: `.invalid` for references before the start, runs past an end, and results larger than
  ///   `output`.
  static func decompress(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) -> Int {
    var (at, done) = (0, 0)
    while at < input.count {
      let control = Int(input[at])
      at += 1
      if control < 32 {
        let count = control + 1
        guard at + count <= input.count, done + count <= output.count else {
          throw .invalid("LZF data")
        }
        UnsafeMutableRawBufferPointer(rebasing: output[done..<done + count])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[at..<at + count]))
        at += count
        done += count
        continue
      }
      var count = control >> 5
      if count == 7 {
        guard at < input.count else { throw .invalid("LZF data") }
        count += Int(input[at])
        at += 1
      }
      guard at < input.count else { throw .invalid("LZF data") }
      let from = done - ((control & 31) << 8 | Int(input[at])) - 1
      at += 1
      count += 2
      guard from >= 0, done + count <= output.count else { throw .invalid("LZF data") }
      // The two runs may overlap: bytes are copied one after the other.
      for index in 0..<count { output[done + index] = output[from + index] }
      done += count
    }
    return done
  }
}
