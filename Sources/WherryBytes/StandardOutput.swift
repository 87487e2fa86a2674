import Glibc

/// Standard output as a sink; a closed pipe is an error, not a signal.
public final class StandardOutput: ByteSink {
  public private(set) var count = 0

  public init() {}

  public func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let step = write(1, bytes.baseAddress! + done, bytes.count - done)
      if step < 0 {
        if errno == EINTR { continue }
        throw FileError(errno: errno, path: "-")
      }
      done += step
    }
    count += done
  }
}
