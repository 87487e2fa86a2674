import Foundation
import Testing

/// How the code reads: sizes, names, docs and words.
@Suite struct ReadabilityTests {
  @Test func noFileHoldsTwoIdeas() {
    for file in SourceTree.files("swift", "c", "h") where !file.isGenerated {
      let limit = file.isTest ? 600 : 400
      #expect(file.lines.count <= limit + 1, "\(file.path) has \(file.lines.count) lines")
    }
  }

  @Test func fileNamesAreUnique() {
    var seen: [String: String] = [:]
    for file in SourceTree.files("swift") {
      if let other = seen[file.name] { Issue.record("\(file.path) and \(other)") }
      seen[file.name] = file.path
    }
    #expect(seen.count > 50)
  }

  @Test func nothingTrapsWhereUntrustedBytesPass() {
    let traps = ["try!", "as!", "fatalError(", "preconditionFailure(", "precondition("]
    for file in SourceTree.files("swift") where !file.isTest {
      for (number, line) in file.lines.enumerated()
      where !line.drop(while: { $0 == " " }).hasPrefix("//") {
        for trap in traps where line.contains(trap) {
          Issue.record("\(file.path):\(number + 1) uses \(trap)")
        }
      }
    }
  }

  /// Types and functions at file level that are public say what they are.
  @Test func publicTypesHaveADocComment() {
    var undocumented: [String] = []
    for file in SourceTree.files("swift") where !file.isTest && !file.isGenerated {
      let lines = file.lines
      for (number, line) in lines.enumerated() {
        let isType = ["public struct ", "public enum ", "public final class ", "public protocol "]
          .contains { line.hasPrefix($0) }
        guard isType else { continue }
        var above = number - 1
        while above >= 0, lines[above].hasPrefix("@") { above -= 1 }
        if above < 0 || !lines[above].hasPrefix("///") {
          undocumented.append("\(file.path):\(number + 1)")
        }
      }
    }
    #expect(undocumented.isEmpty, "\(undocumented)")
  }

  @Test func noNameIsADrawer() {
    for file in SourceTree.files("swift", "c", "h") {
      for drawer in ["Utils", "Helpers", "Manager", "Common", "Misc"]
      where file.name.contains(drawer) {
        Issue.record("\(file.path)")
      }
    }
  }

  @Test func fixturesStaySmall() throws {
    let base = SourceTree.root.appending(path: "fixtures")
    var total = 0
    for case let path as String in FileManager.default.enumerator(atPath: base.path) ?? .init() {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: base.appending(path: path).path)
      total += attributes[.size] as? Int ?? 0
    }
    #expect(total > 0 && total < 20 << 20)
  }

  @Test func operatorCodesAreUnique() throws {
    let text = try String(
      contentsOf: SourceTree.root.appending(path: "runtime/ABI/operators.def"), encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("WH_OPERATOR(") }
    let codes = rows.compactMap { $0.dropFirst(12).split(separator: ",").first.flatMap { Int($0) } }
    #expect(codes.count == rows.count && Set(codes).count == codes.count && codes.count > 20)
  }
}
