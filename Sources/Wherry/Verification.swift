import WherryBytes
import WherryGraph
import WherryNative
import WherryRuntime

/// What is wrong with a native file's checksums and self-test.
public struct Verification: Sendable {
  /// One line each; empty when the file is sound.
  public private(set) var problems: [String] = []
  /// Self-test cases that were run.
  public private(set) var testCases = 0

  /// Recomputes every checksum, then runs the self-test vectors in the runtime.
  ///
  /// - Throws: `DecodeError` when the bytes are no native file.
  public init(_ bytes: Bytes) throws(DecodeError) {
    guard NativeFormat.recognizes(bytes) else {
      throw DecodeError(.notThisFormat("a native file"), .byte(0))
    }
    problems = try NativeFormat.verifyDigests(bytes).map(\.description)
    guard problems.isEmpty, NativeFormat.plan(bytes) != nil else { return }
    do {
      let session = try ModelSession(bytes)
      testCases = session.facts.testCount
      if testCases > 0 { try session.selfTest() }
    } catch {
      problems += error.lines
    }
  }
}
