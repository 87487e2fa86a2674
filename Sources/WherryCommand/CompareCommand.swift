import ArgumentParser
import Wherry
import WherryBytes
import WherryGraph

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare the outputs of two models of any formats on the same data.",
    discussion: "Exit code 1 when any output differs by more than --rtol and --atol allow.")

  @Argument(help: "A model.", completion: .file())
  var first: String
  @Argument(help: "The model it should equal.", completion: .file())
  var second: String
  @OptionGroup var data: DataOptions
  @OptionGroup var shapes: ShapeOptions
  @OptionGroup var bounds: BoundOptions
  @Option(help: "How many sets of random inputs to try when no data is given.")
  var samples = 3
  @Option(help: "Engine of the first model; by default the runtime where it can execute it.")
  var engine: Engine?
  @Option(help: "Engine of the second model.")
  var against: Engine = .reference
  @OptionGroup var json: JSONOption

  func run() throws {
    try reporting {
      let (a, b) = (try ModelFile(first), try ModelFile(second))
      let given = try data.read(for: b.model)
      var reports: [ComparisonReport] = []
      for sample in 0..<(given == nil ? max(samples, 1) : 1) {
        let inputs =
          try given
          ?? SampleData.inputs(of: b.model, shapes: shapes.byName, seed: UInt64(sample + 1))
        let extents = inputs.mapValues(\.shape)
        let left = try Execution(a, engine: engine, shapes: extents)
        let right = try Execution(b, engine: against, shapes: extents)
        for note in sample == 0 ? left.notes + right.notes : [] { Report.note(note) }
        let results = Comparison.all(
          try left.run(a.matching(inputs, of: b)), try right.run(inputs), bounds: bounds.bounds)
        reports += results.map(ComparisonReport.init)
      }
      if json.isJSON {
        try Report.json(reports)
      } else {
        for report in reports { Report.line(report.line) }
      }
      if reports.contains(where: { !$0.isEqual }) { throw Exit.failed }
    }
  }
}
