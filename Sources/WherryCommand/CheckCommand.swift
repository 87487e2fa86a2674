import ArgumentParser
import Wherry
import WherryBytes
import WherryGraph

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "List everything wrong with a model or unsupported by the runtime, all at once.")

  @Argument(help: "The model.", completion: .file())
  var model: String
  @OptionGroup var reading: InputOptions
  @OptionGroup var shapes: ShapeOptions
  @OptionGroup var json: JSONOption

  private struct Finding: Encodable {
    var severity, what: String
  }

  func run() throws {
    try reporting {
      var findings: [Finding] = []
      do {
        let file = try reading.read(model)
        findings += file.losses.map { Finding(severity: "loss", what: $0.description) }
        let inference = TypeInference(file.model)
        findings += inference.errors.map { Finding(severity: "error", what: $0.description) }
        findings += Execution.runtimeProblems(file, shapes: shapes.byName).map {
          Finding(severity: "runtime", what: $0)
        }
      } catch let failure as ReadFailure {
        if case .file(let error) = failure.errors.first?.reason { throw error }
        findings = failure.errors.map { Finding(severity: "error", what: $0.description) }
      }
      if json.isJSON {
        try Report.json(findings)
      } else {
        for finding in findings { Report.line("\(finding.severity): \(finding.what)") }
        if findings.isEmpty { Report.line("\(model): sound, and the runtime can execute it") }
      }
      if findings.contains(where: { $0.severity == "error" }) { throw Exit.badData }
    }
  }
}
