import WherryBytes

/// What of a file was read last, in runs long enough that letting their pages go is worth a call.
struct ReadTrail {
  private static let shortest = 1 << 16
  private static let longest = 1 << 20

  private let file: Bytes
  private var run = 0..<0

  /// - Parameter file: what the ranges count in.
  init(_ file: Bytes) { self.file = file }

  /// Adds bytes that were read and that nothing needs again.
  mutating func add(_ range: Range<Int>) {
    if range.lowerBound >= run.lowerBound, range.lowerBound - run.upperBound <= Self.shortest {
      run = run.lowerBound..<max(run.upperBound, range.upperBound)
    } else {
      end()
      run = range
    }
    if run.count >= Self.longest { end() }
  }

  /// Lets go of what is left.
  mutating func end() {
    if run.count >= Self.shortest {
      // The system loads pages around a touched one, also some that were let go before.
      file.slice(max(0, run.lowerBound - Self.shortest)..<run.upperBound)?.releasePages()
    }
    run = run.upperBound..<run.upperBound
  }
}
