import Glibc
import WherryBytes

/// Memory for elements that are about to be written, every byte of them.
enum ResultBuffer {
  /// `count` bytes that `fill` writes without a gap; aligned to 64 bytes at least.
  ///
  /// Unlike `Bytes(count:fill:)` this does not clear the memory first, and large results ask for large
  /// pages: touching 100 MB for the first time costs more than copying them.
  static func bytes<E: Error>(
    _ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
  ) throws(E) -> Bytes {
    let page = 1 << 21
    let isLarge = count >= 2 * page
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(count, 1), alignment: isLarge ? page : 64)
    if isLarge { madvise(memory.baseAddress, count, MADV_HUGEPAGE) }
    // From here on the store owns the memory, also when `fill` throws.
    let store = ByteStore(UnsafeRawBufferPointer(rebasing: memory[..<count])) { bytes in
      UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.deallocate()
    }
    try fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
    return Bytes(store: store)
  }
}
