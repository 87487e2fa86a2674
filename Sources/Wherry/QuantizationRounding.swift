import WherryData
import WherryGraph
import WherryPasses

extension Quantization {
  /// Rows that weights are rounded by, for each layer.
  static let rows = 1024
  /// Numbers of all rows that are kept at a time.
  static let rowNumbers = 1 << 25

  /// Rounds weights by the inputs they meet where that lowers the error.
  mutating func roundWeights(_ evaluation: OutputEvaluation) throws(QuantizationError) {
    guard options.weightRounding != .never else { return }
    var sites = RoundWeights.sites(corrected, scheme)[...]
    guard !sites.isEmpty else { return }
    let number = sites.count
    var other = self
    other.knownNoise = nil
    while let first = sites.first {
      var columns = first.columns
      var part = [sites.removeFirst()]
      while let next = sites.first, (columns + next.columns) * Self.rows <= Self.rowNumbers {
        columns += next.columns
        part.append(sites.removeFirst())
      }
      for (site, rows) in zip(part, try rows(at: part, evaluation)) {
        progress("rounding the weights of \(scheme.layers[site.layer].name)")
        RoundWeights.apply(rows, at: site, scheme, to: &other.corrected)
      }
    }
    other.scheme = QuantizationScheme(
      other.corrected, excluding: excluded, interface: options.interface)
    guard other.scheme.unfit(other.corrected, parameters).isEmpty else { return }
    if options.weightRounding == .auto {
      guard try other.noise(evaluation) < noise(evaluation) else { return }
    }
    self = other
    notes.append("rounded the weights of \(number) layers by their inputs")
  }

  /// What the layers read in the float model, at places spread over all samples.
  private func rows(
    at sites: [RoundWeights.Site], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [InputRows] {
    let inputs = Set(prepared.graph.inputs.map(\.name))
    let inner = Set(sites.map(\.input)).subtracting(inputs).sorted()
    let samples = evaluation.samples
    var result = sites.map(\.rows)
    try Self.refused {
      let runner =
        inner.isEmpty ? nil : try engine.prepare(prepared.giving(inner), for: samples.first ?? [:])
      for sample in samples {
        progress("observing inputs of layers")
        let values = try runner?.run(sample) ?? [:]
        for (index, site) in sites.enumerated() {
          if let tensor = sample[site.input] ?? values[site.input] {
            result[index].add(tensor, atMost: Self.rows / max(samples.count, 1))
          }
        }
      }
    }
    return result
  }
}
