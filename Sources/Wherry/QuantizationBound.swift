import WherryData
import WherryGraph
import WherryPasses

/// How much worse than the float model a quantized one may be.
public struct QuantizationBound: Sendable {
  /// What is bounded.
  public enum Metric: String, Sendable, CaseIterable {
    /// Percentage points of samples answered right that are lost; without labels, of samples answered
    /// as the float model does.
    case accuracy
    /// SQNR in dB of each output; at least so much.
    case sqnr
    /// Largest absolute difference in any output.
    case difference = "max-abs"
  }
  public var metric: Metric
  public var limit: Double

  public init(_ metric: Metric, _ limit: Double) { (self.metric, self.limit) = (metric, limit) }

  func holds(_ value: Double) -> Bool { metric == .sqnr ? value >= limit : value <= limit }
}

/// What became of a bound.
public struct BoundReport: Encodable, Sendable {
  public var metric: String
  public var limit: Double
  /// The metric of the model that is written, or of the last one tried.
  public var value: Double
  public var isReached: Bool
  /// Layers kept float for it, in order, with the metric before each.
  public var kept: [Step]

  public struct Step: Encodable, Sendable {
    public var layer: String
    public var value: Double
  }
}

/// Share of samples answered right, in 0...1.
public struct AccuracyReport: Encodable, Sendable {
  public var float, quantized: Double
}

extension Quantization {
  /// Keeps the worst layers float, one after the other, until a bound holds.
  ///
  /// - Parameters:
  ///   - labels: one a sample, the position of the right answer in the first output.
  ///   - most: samples that outputs are compared on at most; nil for as many as in calibration.
  ///   - order: layers by name, worst first.
  /// - Returns: how far that led; the quantization stays as the last step left it.
  public mutating func hold(
    _ bound: QuantizationBound, _ samples: SampleSet, labels: [Int]?, most: Int? = nil,
    order: [QuantizationReport.Layer]
  ) throws(QuantizationError) -> BoundReport {
    let all = try OutputEvaluation(
      prepared, of: prepared.graph.outputs.map(\.name),
      samples.spread(bound.metric == .accuracy ? samples.count : most ?? compared),
      engine,
      progress: progress)
    var report = BoundReport(
      metric: bound.metric.rawValue, limit: bound.limit,
      value: try value(of: bound, all, labels), isReached: false, kept: [])
    var rest = order[...]
    while !bound.holds(report.value) {
      guard let worst = rest.popFirst() else { return report }
      guard scheme.layers.contains(where: { $0.name == worst.name }) else { continue }
      let why =
        "kept for the bound: its SQNR of \(Self.rounded(worst.sqnr)) dB is the worst, and "
        + "\(bound.metric.rawValue) was \(Self.rounded(report.value))"
      do throws(QuantizationError) {
        try exclude([worst.name: why])
      } catch {
        return report
      }
      report.kept.append(.init(layer: worst.name, value: report.value))
      try chooseParameters(samples)
      report.value = try value(of: bound, all, labels)
    }
    report.isReached = true
    return report
  }

  private static func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }

  private func value(
    of bound: QuantizationBound, _ evaluation: OutputEvaluation, _ labels: [Int]?
  ) throws(QuantizationError) -> Double {
    let model = try model().quantized()
    let told = { (text: String) in progress("\(bound.metric.rawValue): \(text)") }
    switch bound.metric {
    case .accuracy:
      let float = try evaluation.accuracy(of: nil, labels: labels)
      return 100 * (float - (try evaluation.accuracy(of: model, labels: labels, progress: told)))
    case .sqnr:
      return try evaluation.errors(of: model, progress: told).map(\.error.decibels).min()
        ?? .infinity
    case .difference:
      return try evaluation.errors(of: model, progress: told).map(\.error.largest).max() ?? 0
    }
  }

  /// How many samples both models answer right.
  public func accuracy(
    _ samples: SampleSet, labels: [Int]
  ) throws(QuantizationError) -> AccuracyReport {
    let evaluation = try OutputEvaluation(
      prepared, of: prepared.graph.outputs.map(\.name), samples.spread(samples.count), engine,
      progress: progress)
    let model = try model().quantized()
    return AccuracyReport(
      float: try evaluation.accuracy(of: nil, labels: labels),
      quantized: try evaluation.accuracy(of: model, labels: labels))
  }
}
