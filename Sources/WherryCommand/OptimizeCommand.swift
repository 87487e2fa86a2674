import ArgumentParser
import Wherry
import WherryBytes
import WherryGraph

struct OptimizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimize",
    abstract: "List what every pass does to a model, with proof, and write the result.",
    discussion: """
      Runs the passes over the graph one after the other, then shows each pass over the plan against the \
      plan made without it. After every change the outputs on seeded inputs are compared with those \
      before. Exit code 1 when a pass changes an output by more than it may.
      """)

  @Argument(help: "The model to read.", completion: .file())
  var input: String
  @Argument(help: "Where to write the model after the passes over the graph.", completion: .file())
  var output: String?
  @OptionGroup var reading: InputOptions
  @Option(help: "Format of the output, if not that of the file name's ending.")
  var to: FormatName?
  @OptionGroup var shapes: ShapeOptions
  @OptionGroup var json: JSONOption

  private struct StepReport: Encodable {
    var name, summary: String
    var changes, before, after: Int
    var arenaBefore, arenaAfter: Int?
    var difference: Double?
    var isProven: Bool

    init(_ step: Optimization.Step) {
      (name, summary, changes) = (step.name, step.summary, step.changes)
      (before, after, isProven) = (step.before, step.after, step.isProven)
      (arenaBefore, arenaAfter) = (step.arenaBefore, step.arenaAfter)
      difference = step.difference
    }
  }

  private struct Result: Encodable {
    var steps: [StepReport]
    var notes: [String]
    var losses: [LossReport]
  }

  func run() throws {
    try reporting {
      let format = to?.format ?? output.flatMap { Formats.ofPath($0) }
      if let output, format == nil {
        throw ValidationError("The ending of \(output) names no format; use --to.")
      }
      let file = try reading.read(input)
      let result = try progressing("running the passes") {
        try Optimization(file, shapes: shapes.byName)
      }
      let isProven = result.steps.allSatisfy(\.isProven)
      var losses = file.losses
      if let output, let format, isProven {
        losses += try result.model.write(to: output, as: format)
      }
      if json.isJSON {
        try Report.json(
          Result(
            steps: result.steps.map(StepReport.init), notes: result.notes,
            losses: losses.map(LossReport.init)))
      } else {
        for step in result.steps { Report.line(Self.line(step)) }
        for note in result.notes { Report.note("note: no plan: \(note)") }
        for loss in losses { Report.note("loss: \(loss)") }
      }
      if !isProven { throw Exit.failed }
    }
  }

  private static func line(_ step: Optimization.Step) -> String {
    let name = step.name.padded(to: 22)
    guard step.changes > 0 else { return "\(name) nothing to do" }
    var text = "\(name) \(step.changes) changes, "
    text += step.arenaBefore == nil ? "nodes" : "operations"
    text += " \(step.before) -> \(step.after)"
    if let before = step.arenaBefore, let after = step.arenaAfter {
      text += ", arena \(before) -> \(after)"
    }
    switch step.difference {
    case 0?: text += ", outputs equal"
    case let difference?: text += ", outputs within \(difference)"
    case nil: break
    }
    return step.isProven ? text : text + ": TOO MUCH"
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
