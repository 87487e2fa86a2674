import ArgumentParser
import FoundationEssentials
import Glibc
import Wherry
import WherryBytes
import WherryGraph
import WherryPasses

/// What the shell is told, after BSD's sysexits.h.
enum Exit {
  static let failed = ExitCode(1)
  static let badData = ExitCode(65)
  static let noInput = ExitCode(66)
  static let bug = ExitCode(70)
  static let cantWrite = ExitCode(73)
}

/// Printing for people and machines.
enum Report {
  /// One line on standard error.
  static func note(_ text: String) {
    raw(text + "\n")
  }

  /// Text on standard error as it is.
  static func raw(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(2, bytes, bytes.count)
  }

  static func line(_ text: String = "") {
    print(text)
  }

  /// One JSON document on standard output.
  static func json(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// `1234567` as `1.2 MB`.
  static func bytes(_ count: Int) -> String {
    var (value, unit) = (Double(count), 0)
    while value >= 1000, unit < 4 { (value, unit) = (value / 1000, unit + 1) }
    return unit == 0 ? "\(count) B" : "\(rounded(value, 1)) \(["B", "kB", "MB", "GB", "TB"][unit])"
  }

  static func rounded(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }
}

/// Gives every error its exit code and its message; anything unforeseen is our bug.
func reporting<R>(_ body: () throws -> R) throws -> R {
  do {
    return try body()
  } catch let failure as ReadFailure {
    for error in failure.errors { Report.note("error: \(error)") }
    throw isMissing(failure) ? Exit.noInput : Exit.badData
  } catch let error as DecodeError {
    Report.note("error: \(error)")
    if case .file = error.reason { throw Exit.noInput }
    throw Exit.badData
  } catch let error as EncodeError {
    Report.note("error: \(error)")
    if case .file = error.reason { throw Exit.cantWrite }
    throw Exit.badData
  } catch let error as FileError {
    Report.note("error: \(error)")
    throw error.reason == .notFound ? Exit.noInput : Exit.cantWrite
  } catch let error as RunError {
    Report.note("error: \(error)")
    throw Exit.badData
  } catch let error as ExecutionError {
    for line in error.lines { Report.note("error: \(line)") }
    throw Exit.badData
  } catch let error as QuantizationError {
    Report.note("error: \(error)")
    throw Exit.badData
  } catch let code as ExitCode {
    throw code
  } catch let error as ValidationError {
    throw error
  } catch {
    Report.note("internal error: \(error)")
    throw Exit.bug
  }
}

private func isMissing(_ failure: ReadFailure) -> Bool {
  failure.errors.allSatisfy { if case .file = $0.reason { true } else { false } }
}

/// Says what is going on once it takes longer than a second, on a terminal only.
final class Progress: @unchecked Sendable {
  private let task: Task<Void, any Error>?

  init(_ what: String) {
    guard isatty(2) == 1 else {
      task = nil
      return
    }
    let start = ContinuousClock.now
    task = Task.detached {
      while true {
        try await Task.sleep(for: .seconds(1))
        let seconds = start.duration(to: .now).components.seconds
        Report.raw("\r\u{1B}[K\(what) \(seconds) s")
      }
    }
  }

  func done() {
    guard let task else { return }
    task.cancel()
    Report.raw("\r\u{1B}[K")
  }
}

/// Runs `body` under a progress line.
func progressing<R>(_ what: String, _ body: () throws -> R) rethrows -> R {
  let progress = Progress(what)
  defer { progress.done() }
  return try body()
}
