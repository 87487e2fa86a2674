import Glibc

/// Why a file could not be read or written.
public struct FileError: Error, Hashable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    case notFound
    case notRegular
    case denied
    case system(errno: Int32)
  }
  public let reason: Reason
  public let path: String

  public init(_ reason: Reason, path: String) {
    (self.reason, self.path) = (reason, path)
  }

  init(errno code: Int32, path: String) {
    switch code {
    case ENOENT, ENOTDIR: reason = .notFound
    case EACCES, EPERM, EROFS: reason = .denied
    default: reason = .system(errno: code)
    }
    self.path = path
  }

  public var description: String {
    switch reason {
    case .notFound: "\(path): no such file"
    case .notRegular: "\(path): not a regular file"
    case .denied: "\(path): permission denied"
    case .system(let code): "\(path): \(String(cString: strerror(code)))"
    }
  }
}

extension Bytes {
  /// The content of a regular file, mapped rather than read: pages are loaded when touched.
  ///
  /// - Parameter following: whether a symbolic link at the end of `path` is followed.
  /// - Throws: `FileError` when there is no such regular file or it can't be mapped.
  public init(mapping path: String, following: Bool = true) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | (following ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else { throw FileError(errno: errno, path: path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(errno: errno, path: path) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(.notRegular, path: path) }
    guard status.st_size > 0 else {
      self.init()
      return
    }
    let size = Int(status.st_size)
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else {
      throw FileError(errno: errno, path: path)
    }
    self.init(
      store: ByteStore(mapped: UnsafeRawBufferPointer(start: base, count: size)) { bytes in
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
      })
  }

  /// Says that the bytes were read and are not needed soon.
  ///
  /// Pages of a mapped file, also those that the bytes fill only in part, leave memory; they come back
  /// when they are touched again. For bytes that are not of a mapped file nothing happens.
  public func releasePages() {
    guard store.isMapped, let base = store.buffer.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    guard page > 0, count > 0 else { return }
    // The mapping starts at a page.
    let start = offset / page * page
    madvise(UnsafeMutableRawPointer(mutating: base + start), offset + count - start, MADV_DONTNEED)
  }

  /// Everything a descriptor gives until its end, such as standard input (0).
  ///
  /// - Throws: `FileError` when reading fails; `.system(EFBIG)` past `limit` bytes.
  public init(reading descriptor: Int32, limit: Int = .max) throws(FileError) {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError(errno: errno, path: "-")
      }
      guard all.count + count <= limit else { throw FileError(.system(errno: EFBIG), path: "-") }
      all.append(contentsOf: chunk[..<count])
    }
    self.init(all)
  }
}
