import Glibc

/// Where a writer puts its bytes, front to back.
public protocol ByteSink: AnyObject {
  /// Bytes taken so far.
  var count: Int { get }
  /// - Throws: `FileError` when the bytes can't be stored.
  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError)
  /// Says that about `count` more bytes will come; a sink in memory makes room once.
  func expect(_ count: Int)
}

extension ByteSink {
  public func expect(_ count: Int) {}

  public func append(_ bytes: Bytes) throws(FileError) {
    try bytes.withUnsafeBytes { (raw) throws(FileError) in try append(raw) }
  }

  public func append(_ bytes: [UInt8]) throws(FileError) {
    try bytes.span.withUnsafeBytes { (raw) throws(FileError) in try append(raw) }
  }

  public func append(_ text: String) throws(FileError) {
    try append(Array(text.utf8))
  }

  /// Zero bytes until `count` is a multiple of `alignment`.
  public func pad(to alignment: Int) throws(FileError) {
    let missing = (alignment - count % alignment) % alignment
    if missing > 0 { try append([UInt8](repeating: 0, count: missing)) }
  }
}

/// Collects bytes in memory.
public final class MemorySink: ByteSink {
  public private(set) var bytes: [UInt8] = []
  public init() {}
  public var count: Int { bytes.count }
  public func append(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }
  public func expect(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }
}

/// A file that appears whole or not at all: written beside its place under a temporary name, then
/// flushed to the disk and renamed by `commit()`. Without `commit()` nothing is left behind.
public final class AtomicFile: ByteSink {
  public let path: String
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private var written = 0
  private static let bufferSize = 1 << 16

  /// - Throws: `FileError` when the folder can't be written.
  public init(_ path: String) throws(FileError) {
    self.path = path
    var template = Array("\(path).XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    temporary = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    guard descriptor >= 0 else { throw FileError(errno: errno, path: path) }
    let mask = umask(0)
    umask(mask)
    fchmod(descriptor, 0o666 & ~mask)
    buffer.reserveCapacity(Self.bufferSize)
  }

  public var count: Int { written + buffer.count }

  public func append(_ raw: UnsafeRawBufferPointer) throws(FileError) {
    if buffer.count + raw.count > Self.bufferSize { try flush() }
    if raw.count >= Self.bufferSize {
      try put(raw)
    } else {
      buffer.append(contentsOf: raw)
    }
  }

  /// Replaces bytes already appended, such as a header whose fields are known only at the end.
  public func overwrite(_ bytes: [UInt8], at offset: Int) throws(FileError) {
    try flush()
    let done = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard done == bytes.count else { throw FileError(errno: errno, path: path) }
  }

  /// Makes the file appear under its name, replacing what was there.
  public func commit() throws(FileError) {
    try flush()
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw FileError(errno: errno, path: path)
    }
    close(descriptor)
    descriptor = -1
  }

  private func flush() throws(FileError) {
    guard !buffer.isEmpty else { return }
    let pending = buffer
    buffer = []
    buffer.reserveCapacity(Self.bufferSize)
    try pending.span.withUnsafeBytes { (raw) throws(FileError) in try put(raw) }
  }

  private func put(_ raw: UnsafeRawBufferPointer) throws(FileError) {
    var done = 0
    while done < raw.count {
      let count = write(descriptor, raw.baseAddress! + done, raw.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError(errno: errno, path: path)
      }
      done += count
    }
    written += done
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }
}
