import WherryData
import WherryGraph
import WherryPasses

extension Quantization {
  /// Scales channels between layers where that lowers the error.
  mutating func equalize(
    _ samples: SampleSet, _ evaluation: OutputEvaluation
  ) throws(QuantizationError) {
    guard options.equalization != .never else { return }
    let pairs = scheme.equalizationPairs(prepared)
    guard !pairs.isEmpty else { return }
    let factors = try factors(pairs, evaluation)
    guard !factors.isEmpty else { return }
    var all = self
    try all.apply(factors, pairs, samples)
    guard options.equalization == .auto else {
      take(all, factors.keys.sorted(), pairs)
      return
    }
    // Every pair, or those whose own error goes down: whichever leaves the least in the outputs.
    let (before, after) = (try errors(of: pairs, evaluation), try all.errors(of: pairs, evaluation))
    let helped = factors.filter { (after[$0.key] ?? .infinity) < (before[$0.key] ?? .infinity) }
    _ = try noise(evaluation)
    var best = (
      quantization: self, pairs: [Int](),
      noise: try noise(evaluation)
    )
    for chosen in helped.count < factors.count ? [helped, factors] : [factors]
    where !chosen.isEmpty {
      var candidate = self
      try candidate.apply(chosen, pairs, samples)
      let noise = try candidate.noise(evaluation)
      if noise < best.noise { best = (candidate, chosen.keys.sorted(), noise) }
    }
    if !best.pairs.isEmpty { take(best.quantization, best.pairs, pairs) }
  }

  private mutating func take(
    _ other: Quantization, _ chosen: [Int], _ pairs: [EqualizationPair]
  ) {
    self = other
    let names = chosen.compactMap { pairs[$0].chain.first }.map { scheme.layers[$0].name }
    notes.append("equalized the channels after \(names.joined(separator: ", "))")
  }

  /// What each pair's channels are divided by, for pairs where that isn't 1.
  private func factors(
    _ pairs: [EqualizationPair], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [Int: [Float]] {
    var statistics = pairs.map { _ in ChannelStatistics() }
    try Self.refused {
      let sample = evaluation.samples.first ?? [:]
      let runner = try engine.prepare(prepared.giving(pairs.map(\.value)), for: sample)
      for sample in evaluation.samples {
        progress("observing channels")
        let values = try runner.run(sample)
        for (index, pair) in pairs.enumerated() {
          if let tensor = values[pair.value] { statistics[index].add(tensor, axis: pair.axis) }
        }
      }
    }
    var result: [Int: [Float]] = [:]
    for (index, pair) in pairs.enumerated() {
      result[index] = EqualizeLayers.factors(pair, prepared, largest: statistics[index].largest)
    }
    return result
  }

  private mutating func apply(
    _ factors: [Int: [Float]], _ pairs: [EqualizationPair], _ samples: SampleSet
  ) throws(QuantizationError) {
    knownNoise = nil
    for index in factors.keys.sorted() {
      guard let factors = factors[index] else { continue }
      EqualizeLayers.apply(pairs[index], factors, to: &prepared)
      for layer in pairs[index].chain.dropLast() {
        calibration.forget(scheme.layers[layer].outputs)
      }
    }
    scheme = QuantizationScheme(prepared, excluding: excluded, interface: options.interface)
    try chooseParameters(samples)
  }

  /// Noise of the second layer of each pair when both are quantized and all else is float.
  private func errors(
    of pairs: [EqualizationPair], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [Int: Double] {
    let chains = pairs.map { pair in pair.chain.map { scheme.layers[$0] } }
    let twin = try QDQModel(prepared, scheme, parameters).isolated(chains)
    let results = chains.map { $0.last?.outputs.first ?? "" }
    let names = results.map { twin.outputs[$0] ?? "" }
    return try Self.refused {
      let runner = try engine.prepare(
        twin.model.giving(results + names.filter { !$0.isEmpty }),
        for: evaluation.samples.first ?? [:])
      var errors = [SignalError](repeating: SignalError(), count: pairs.count)
      for sample in evaluation.samples {
        progress("comparing equalized layers")
        let values = try runner.run(sample)
        for index in pairs.indices {
          if let reference = values[results[index]], let actual = values[names[index]] {
            errors[index].add(reference: reference, actual: actual)
          }
        }
      }
      return Dictionary(
        errors.enumerated().map { ($0, $1.relativeNoise) }, uniquingKeysWith: { a, _ in a })
    }
  }

  /// Takes the mean errors that rounded weights leave behind out of biases.
  mutating func correctBiases(_ evaluation: OutputEvaluation) throws(QuantizationError) {
    guard options.biasCorrection != .never else { return }
    let sites = CorrectBiases.sites(prepared, scheme)
    let shifts = try shifts(at: sites, evaluation)
    guard shifts.contains(where: { $0.contains { $0 != 0 } }) else { return }
    var corrected = self
    corrected.knownNoise = nil
    var names: [String] = []
    for (site, shift) in zip(sites, shifts) where shift.contains(where: { $0 != 0 }) {
      CorrectBiases.apply(shift, at: site, scheme, to: &corrected.prepared)
      names.append(scheme.layers[site.layer].name)
    }
    // Ranges stay: a bias moves by less than a step of the output.
    corrected.scheme = QuantizationScheme(
      corrected.prepared, excluding: excluded, interface: options.interface)
    if options.biasCorrection == .auto {
      guard try corrected.noise(evaluation) < noise(evaluation) else { return }
    }
    self = corrected
    notes.append("corrected \(names.count) biases")
  }

  /// The mean error of each channel before the clamp, with float inputs.
  private func shifts(
    at sites: [CorrectBiases.Site], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [[Double]] {
    let twin = try QDQModel(prepared, scheme, parameters).isolated(
      sites.map { [scheme.layers[$0.layer]] })
    let inner = sites.map { twin.inner[$0.value] ?? "" }
    var statistics = sites.map { _ in ChannelStatistics() }
    try Self.refused {
      let runner = try engine.prepare(
        twin.model.giving(sites.map(\.value) + inner.filter { !$0.isEmpty }),
        for: evaluation.samples.first ?? [:])
      for sample in evaluation.samples {
        progress("measuring shifts")
        let values = try runner.run(sample)
        for (index, site) in sites.enumerated() {
          if let reference = values[site.value], let actual = values[inner[index]] {
            statistics[index].addDifference(actual, reference, axis: site.axis)
          }
        }
      }
    }
    return statistics.map(\.shift)
  }
}
