import ArgumentParser
import Wherry
import WherryBytes
import WherryGraph

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure latency, throughput, memory and load time of a model in the runtime.")

  @Argument(help: "The model.", completion: .file())
  var model: String
  @OptionGroup var reading: InputOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var shapes: ShapeOptions
  @Option(help: "Seconds to measure.")
  var seconds = 2.0
  @Flag(help: "Also time every operation.")
  var profile = false
  @OptionGroup var json: JSONOption

  func run() throws {
    try reporting {
      let file = try reading.read(model)
      let inputs =
        try data.read(for: file.model) ?? SampleData.inputs(of: file.model, shapes: shapes.byName)
      let execution = try Execution(file, engine: .runtime, shapes: inputs.mapValues(\.shape))
      let result = try execution.bench(file.path, inputs, seconds: seconds, profile: profile)
      if json.isJSON {
        try Report.json(result)
        return
      }
      Report.line(
        "latency      p50 \(us(result.p50)), p99 \(us(result.p99)), minimum \(us(result.minimum)) over \(result.runs) runs"
      )
      Report.line(
        "throughput   \(Report.rounded(result.perSecond, 1)) a second, \(Report.rounded(result.gmacPerSecond, 2)) GMAC/s"
      )
      Report.line("load         \(us(result.loadMicroseconds))")
      Report.line(
        "memory       arena \(Report.bytes(result.arenaBytes)), session \(Report.bytes(result.sessionBytes)), weights \(Report.bytes(result.weightBytes))"
      )
      for operation in result.operations ?? [] {
        Report.line("  \(us(operation.microseconds))  \(operation.kernel)  \(operation.name)")
      }
    }
  }

  private func us(_ value: Double) -> String { "\(Report.rounded(value, 2)) us" }
}
