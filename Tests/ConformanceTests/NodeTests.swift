import TestSupport
import Testing

/// ONNX's backend tests, read by our reader and run by the reference evaluator.
///
/// Environment: `WHERRY_NODE_FILTER` runs the cases whose name contains it and prints why each fails;
/// `WHERRY_NODE_REPORT` names a file that gets one line a case.
@Suite struct NodeTests {
  @Test func backendTestsGiveTheirOutputs() throws {
    guard let folder = Suites.find("onnx_node") else { return }
    let filter = Suites.environment("WHERRY_NODE_FILTER") ?? ""
    let cases = NodeTestCase.all(in: folder).filter { filter.isEmpty || $0.name.contains(filter) }
    #expect(!cases.isEmpty)
    let outcomes = CaseWorker.run(cases.count, test: "backendTestsGiveTheirOutputs") { index in
      cases[index].run()
    }
    guard !outcomes.isEmpty else { return }
    try report(cases, outcomes, isDetailed: !filter.isEmpty)
    for (test, outcome) in zip(cases, outcomes) {
      #expect(outcome != .crashed, "\(test.name) crashed")
      #expect(outcome != .hung, "\(test.name) did not end")
      let isListed = NodeTestExceptions.names.contains(test.name)
      #expect(
        (outcome == .passed) != isListed,
        "\(test.name): \(outcome), \(isListed ? "listed" : "unlisted")")
    }
  }

  private func report(
    _ cases: [NodeTestCase], _ outcomes: [CaseWorker.Outcome], isDetailed: Bool
  ) throws {
    var lines = ""
    var totals: [String: (passed: Int, all: Int)] = [:]
    for (test, outcome) in zip(cases, outcomes) {
      let (word, reason) =
        switch outcome {
        case .passed: ("PASS", "")
        case .failed(let reason): ("FAIL", reason)
        case .crashed: ("CRASH", "")
        case .hung: ("HANG", "")
        }
      lines += "\(test.category)\t\(test.name)\t\(test.group)\t\(word)\t\(reason)\n"
      if isDetailed || word == "CRASH" || word == "HANG" { print("\(word) \(test.name) \(reason)") }
      totals[test.group, default: (0, 0)].all += 1
      if outcome == .passed { totals[test.group, default: (0, 0)].passed += 1 }
    }
    for (group, total) in totals.sorted(by: { $0.key < $1.key }) {
      print("\(group): \(total.passed) of \(total.all)")
    }
    print("all: \(outcomes.filter { $0 == .passed }.count) of \(outcomes.count)")
    if let path = Suites.environment("WHERRY_NODE_REPORT") {
      try Folder.write(Array(lines.utf8), to: path)
    }
  }
}
