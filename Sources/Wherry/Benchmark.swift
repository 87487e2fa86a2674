import WherryBytes
import WherryGraph
import WherryRuntime

/// What running a model over and over showed; times in microseconds.
public struct Benchmark: Encodable, Sendable {
  /// One operation's average time.
  public struct Operation: Encodable, Sendable {
    public var name, kernel: String
    public var microseconds: Double
  }
  public var model: String
  public var runs: Int
  public var minimum, p50, p99: Double
  public var perSecond: Double
  public var loadMicroseconds: Double
  public var arenaBytes, sessionBytes, weightBytes: Int
  public var macs: Int
  public var gmacPerSecond: Double
  public var operations: [Operation]?
}

extension Execution {
  /// Runs the model over and over for `seconds`, after three runs that are not counted.
  ///
  /// - Throws: `ExecutionError` when the runtime can't run the model on these inputs.
  public func bench(
    _ name: String, _ inputs: [String: Tensor], seconds: Double, profile: Bool
  ) throws -> Benchmark {
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
    return Benchmark(
      model: name, runs: times.count, minimum: times[0], p50: middle,
      p99: times[min(times.count - 1, times.count * 99 / 100)], perSecond: 1e6 / middle,
      loadMicroseconds: loads.min() ?? 0, arenaBytes: Int(facts.arenaBytes),
      sessionBytes: Int(facts.sessionBytes), weightBytes: Int(facts.weightBytes),
      macs: Int(facts.macs),
      gmacPerSecond: Double(facts.macs) / middle / 1e3,
      operations: profile
        ? session.profile.map {
          .init(
            name: $0.name, kernel: $0.kernel,
            microseconds: Double($0.nanoseconds) / 1e3 / Double(max($0.runs, 1)))
        } : nil)
  }

  private func microseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e6 + Double(duration.components.attoseconds) / 1e12
  }
}
