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

  struct Result: Encodable {
    struct Operation: Encodable {
      var name, kernel: String
      var microseconds: Double
    }
    var model: String
    var runs: Int
    var minimum, p50, p99: Double
    var perSecond: Double
    var loadMicroseconds: Double
    var arenaBytes, sessionBytes, weightBytes: Int
    var macs: Int
    var gmacPerSecond: Double
    var operations: [Operation]?
  }

  func run() throws {
    try reporting {
      let file = try reading.read(model)
      let inputs = try data.read(for: file.model) ?? SampleData.inputs(of: file.model, shapes: shapes.byName)
      let execution = try Execution(file, engine: .runtime, shapes: inputs.mapValues(\.shape))
      let result = try execution.bench(file.path, inputs, seconds: seconds, profile: profile)
      if json.isJSON {
        try Report.json(result)
        return
      }
      Report.line("latency      p50 \(us(result.p50)), p99 \(us(result.p99)), minimum \(us(result.minimum)) over \(result.runs) runs")
      Report.line("throughput   \(Report.rounded(result.perSecond, 1)) a second, \(Report.rounded(result.gmacPerSecond, 2)) GMAC/s")
      Report.line("load         \(us(result.loadMicroseconds))")
      Report.line("memory       arena \(Report.bytes(result.arenaBytes)), session \(Report.bytes(result.sessionBytes)), weights \(Report.bytes(result.weightBytes))")
      for operation in result.operations ?? [] {
        Report.line("  \(us(operation.microseconds))  \(operation.kernel)  \(operation.name)")
      }
    }
  }

  private func us(_ value: Double) -> String { "\(Report.rounded(value, 2)) us" }
}

extension Execution {
  /// Runs the model over and over; times in microseconds.
  func bench(
    _ name: String, _ inputs: [String: Tensor], seconds: Double, profile: Bool
  ) throws -> BenchCommand.Result {
    let clock = ContinuousClock()
    let session = try openSession(profile: profile)
    try session.fill(inputs)
    for _ in 0..<3 { try session.invoke() }
    var times: [Double] = []
    let end = clock.now + .seconds(seconds)
    repeat {
      let start = clock.now
      try session.invoke()
      times.append(microseconds(start.duration(to: clock.now)))
    } while clock.now < end && times.count < 10_000_000
    var loads: [Double] = []
    for _ in 0..<20 {
      let start = clock.now
      _ = try openSession(profile: false)
      loads.append(microseconds(start.duration(to: clock.now)))
    }
    times.sort()
    let middle = times[times.count / 2]
    let facts = session.facts
    return BenchCommand.Result(
      model: name, runs: times.count, minimum: times[0], p50: middle,
      p99: times[min(times.count - 1, times.count * 99 / 100)], perSecond: 1e6 / middle,
      loadMicroseconds: loads.min() ?? 0, arenaBytes: facts.arenaBytes,
      sessionBytes: facts.sessionBytes, weightBytes: facts.weightBytes, macs: facts.macs,
      gmacPerSecond: Double(facts.macs) / middle / 1e3,
      operations: profile
        ? session.profile.map { .init(name: $0.name, kernel: $0.kernel, microseconds: $0.microseconds) } : nil)
  }

  private func microseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e6 + Double(duration.components.attoseconds) / 1e12
  }
}
