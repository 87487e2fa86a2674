import ArgumentParser
import Wherry
import WherryBytes
import WherryGraph

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Recompute a native file's checksums and run its self-test vectors in the runtime.")

  @Argument(help: "The native file.", completion: .file())
  var model: String
  @OptionGroup var json: JSONOption

  private struct Result: Encodable {
    var problems: [String]
    var testCases: Int
  }

  func run() throws {
    try reporting {
      let bytes = model == "-" ? try Bytes(reading: 0) : try Bytes(mapping: model)
      let verification = try Verification(bytes)
      if json.isJSON {
        try Report.json(Result(problems: verification.problems, testCases: verification.testCases))
      } else {
        for problem in verification.problems { Report.line("failed: \(problem)") }
        if verification.problems.isEmpty {
          Report.line("\(model): checksums match, \(verification.testCases) self-test cases pass")
        }
      }
      if !verification.problems.isEmpty { throw Exit.failed }
    }
  }
}
