import Foundation
import TestSupport
import Testing
import Wherry
import WherryGraph
import WherryOperators
import WherryPasses

/// The README's tables are made from the code they describe.
@Suite(.serialized) struct ReadmeTests {
  private static let readme = URL(filePath: Suites.packageFolder + "/README.md")

  /// Compares the text between `<!-- name -->` and `<!-- end -->`; `WHERRY_RECORD=1` rewrites it and
  /// fails once.
  private func compare(_ name: String, _ expected: String) throws {
    var text = try String(contentsOf: Self.readme, encoding: .utf8)
    let start = try #require(text.range(of: "<!-- \(name) -->\n"))
    let end = try #require(text.range(of: "<!-- end -->", range: start.upperBound..<text.endIndex))
    let range = start.upperBound..<end.lowerBound
    if Suites.environment("WHERRY_RECORD") != nil, text[range] != expected {
      text.replaceSubrange(range, with: expected)
      try text.write(to: Self.readme, atomically: true, encoding: .utf8)
      Issue.record("recorded \(name)")
      return
    }
    #expect(
      text[range] == expected,
      "the README's table of \(name) is out of date; WHERRY_RECORD=1 rewrites it")
  }

  @Test func formatsTableIsTheRegistry() throws {
    var table = "| format | endings | |\n|---|---|---|\n"
    for format in Formats.all {
      table +=
        "| \(format.name) | \(format.extensions.joined(separator: ", ")) | \(format.summary) |\n"
    }
    try compare("formats", table)
  }

  @Test func operatorsTableIsTheOperatorSet() throws {
    var byDomain: [String: [String]] = [:]
    for name in OperatorSet.all.names {
      let word = RuntimeOperators.names.contains(name) ? "**\(name.name)**" : name.name
      byDomain[name.domain.isEmpty ? "ai.onnx" : name.domain, default: []].append(word)
    }
    var text = ""
    for (domain, names) in byDomain.sorted(by: { $0.key < $1.key }) {
      text += "`\(domain)` (\(names.count)): \(names.joined(separator: ", "))\n\n"
    }
    try compare("operators", text)
  }

  @Test func nodeTestsTableIsTheListOfExceptions() throws {
    var table =
      "Every case passes in the reference evaluator but these:\n\n| cases | reason |\n|---|---|\n"
    for entry in NodeTestExceptions.all {
      table += "| \(entry.names.joined(separator: ", ")) | \(entry.reason) |\n"
    }
    try compare("node-tests", table)
  }
}
