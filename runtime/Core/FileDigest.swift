import CWherryABI
import CWherryKernels

extension Container {
  /// Recomputes the tree of SHA-256 digests: each section's, then that of header and table. Bytes
  /// that no digest covers must be zero.
  /// - Throws: bad digest, with the offset of the digest; bad model for a gap that is not zero.
  func verifyDigests() throws(Refusal) {
    var end = tableEnd
    for index in 0..<sectionCount {
      let record = sections + index
      try verifyGap(end, record.pointee.offset)
      end = record.pointee.offset &+ record.pointee.bytes
      var hash = wh_sha256()
      wh_sha256_begin(&hash)
      add(&hash, record.pointee.offset, record.pointee.bytes)
      try compare(
        &hash, Self.recordOffset(index) &+ SectionField.digest, "a section's digest differs")
    }
    try verifyGap(end, size)

    var hash = wh_sha256()
    wh_sha256_begin(&hash)
    add(&hash, 0, HeaderField.digest)
    var zeros = InlineArray<32, UInt8>(repeating: 0)
    withUnsafePointer(to: &zeros) { wh_sha256_add(&hash, $0, 32) }
    let rest = HeaderField.digest &+ 32
    add(&hash, rest, tableEnd &- rest)
    try compare(&hash, HeaderField.digest, "the header's digest differs")
  }

  private func add(_ hash: inout wh_sha256, _ offset: UInt64, _ count: UInt64) {
    wh_sha256_add(
      &hash, bytes + Int(truncatingIfNeeded: offset), Int(truncatingIfNeeded: count))
  }

  private func compare(
    _ hash: inout wh_sha256, _ offset: UInt64, _ text: StaticString
  ) throws(Refusal) {
    var digest = InlineArray<32, UInt8>(repeating: 0)
    withUnsafeMutablePointer(to: &digest) {
      wh_sha256_end(&hash, UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt8.self))
    }
    let stored = bytes + Int(truncatingIfNeeded: offset)
    for index in 0..<32 where stored.load(fromByteOffset: index, as: UInt8.self) != digest[index] {
      throw Refusal(WHERRY_BAD_DIGEST, at: offset, text)
    }
  }

  private func verifyGap(_ from: UInt64, _ to: UInt64) throws(Refusal) {
    var at = from
    while at < to {
      guard bytes.load(fromByteOffset: Int(truncatingIfNeeded: at), as: UInt8.self) == 0 else {
        throw Refusal(WHERRY_BAD_MODEL, at: at, "a byte between sections is not zero")
      }
      at &+= 1
    }
  }
}

@c @implementation
public func wherry_verify(
  _ bytes: UnsafeRawPointer!, _ size: Int, _ error: UnsafeMutablePointer<wherry_error>!
) -> wherry_status {
  reporting(to: error) { () throws(Refusal) in
    try Container(bytes, size: size).verifyDigests()
  }
}
