import CWherryKernels
import WherryBytes

/// A SHA-256.
///
/// - Source: FIPS 180-4.
struct Digest: Hashable {
  private(set) var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  init(of bytes: Bytes) {
    var hash = DigestStream()
    hash.add(bytes)
    self = hash.finish()
  }
}

/// A SHA-256 that grows.
struct DigestStream {
  private var state = wh_sha256()

  init() { wh_sha256_begin(&state) }

  mutating func add(_ bytes: Bytes) {
    bytes.withUnsafeBytes { raw in wh_sha256_add(&state, raw.baseAddress, raw.count) }
  }

  mutating func add(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { raw in wh_sha256_add(&state, raw.baseAddress, raw.count) }
  }

  mutating func finish() -> Digest {
    var digest = [UInt8](repeating: 0, count: 32)
    digest.withUnsafeMutableBufferPointer { wh_sha256_end(&state, $0.baseAddress) }
    return Digest(bytes: digest)
  }
}
