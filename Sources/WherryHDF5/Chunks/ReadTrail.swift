import WherryBytes

/// What of a file was read last, in runs long enough that letting their pages go is worth a call.
struct ReadTrail {
  private static let shortest = 1 << 16
  private static let longest = 1 << 18
  /// The system loads a large page around a touched address, so parts that were let go come back.
  private static let reach = 1 << 21

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
      file.slice(max(0, run.lowerBound - Self.reach)..<run.upperBound)?.releasePages()
    }
    run = run.upperBound..<run.upperBound
  }
}
