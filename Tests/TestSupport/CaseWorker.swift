import Glibc

/// Runs a list of cases in a second process of the same test program, so that a case that traps or
/// never ends costs only itself.
public enum CaseWorker {
  public enum Outcome: Sendable, Hashable {
    case passed
    case failed(String)
    case crashed
    case hung
  }

  private static let variable = "WHERRY_CASE_WORKER"
  private static let reportDescriptor: Int32 = 99

  /// In the worker: the name of its list and the index of the first case; nil in the ordinary process.
  private static var assignment: (list: String, first: Int)? {
    guard let value = Suites.environment(variable) else { return nil }
    let parts = value.split(separator: ":")
    guard parts.count == 2, let first = Int(parts[1]) else { return nil }
    return (String(parts[0]), first)
  }

  /// Runs every case and says how it ended, by position. In the worker process it never returns.
  ///
  /// - Parameters:
  ///   - test: the name of the test function that calls this, without parentheses.
  ///   - run: nil when a case passes, else why it fails.
  public static func run(
    _ count: Int, test: String, seconds: Int = 60, run: (Int) -> String?
  ) -> [Outcome] {
    if let assignment {
      if assignment.list == test { work(from: assignment.first, count, run) }
      return []
    }
    var outcomes: [Outcome] = []
    while outcomes.count < count {
      let before = outcomes.count
      let isHung = supervise(test, seconds: seconds, into: &outcomes)
      if outcomes.count < count { outcomes.append(isHung ? .hung : .crashed) }
      // A worker that dies before its first case again and again has another reason than the case.
      if outcomes.count == before { break }
    }
    return outcomes
  }

  private static func work(from first: Int, _ count: Int, _ run: (Int) -> String?) -> Never {
    for index in first..<count {
      var line = Array((run(index).map { "-\($0)" } ?? "+").utf8)
      line = line.map { $0 == 10 ? 32 : $0 } + [10]
      var done = 0
      while done < line.count {
        let written = line[done...].withUnsafeBytes {
          write(reportDescriptor, $0.baseAddress, $0.count)
        }
        guard written > 0 else { _exit(1) }
        done += written
      }
    }
    _exit(0)
  }

  /// Starts a worker at the first open case and gathers its lines until it ends.
  ///
  /// - Returns: whether it was stopped for not ending.
  private static func supervise(
    _ test: String, seconds: Int, into outcomes: inout [Outcome]
  ) -> Bool {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return false }
    defer { close(ends[0]) }
    let process = start(test, first: outcomes.count, report: ends[1])
    close(ends[1])
    guard process > 0 else { return false }
    var pending: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var isHung = false
    while true {
      var state = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
      if poll(&state, 1, Int32(seconds * 1000)) == 0 {
        isHung = true
        kill(process, SIGKILL)
        break
      }
      let count = read(ends[0], &chunk, chunk.count)
      guard count > 0 else { break }
      pending += chunk[..<count]
      while let end = pending.firstIndex(of: 10) {
        let line = String(decoding: pending[..<end], as: UTF8.self)
        pending.removeSubrange(...end)
        outcomes.append(line == "+" ? .passed : .failed(String(line.dropFirst())))
      }
    }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    return isHung
  }

  private static func start(_ test: String, first: Int, report: Int32) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, report, reportDescriptor)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    let words = [
      "/proc/self/exe", "--testing-library", "swift-testing", "--filter", "\\b\(test)\\b",
    ]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    var variables: [UnsafeMutablePointer<CChar>?] = []
    var entry = environ
    while let text = entry.pointee {
      variables.append(strdup(text))
      entry += 1
    }
    variables += [
      strdup("\(variable)=\(test):\(first)"), strdup("SWIFT_BACKTRACE=enable=no"), nil,
    ]
    defer { for pointer in arguments + variables { free(pointer) } }
    var process: pid_t = 0
    guard posix_spawn(&process, "/proc/self/exe", &actions, nil, &arguments, &variables) == 0 else {
      return -1
    }
    return process
  }
}
