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
    let whole = try factors(pairs, evaluation)
    guard !whole.isEmpty else { return }
    guard options.equalization == .auto else {
      var all = self
      try all.apply(whole, pairs, samples)
      take(all, whole.keys.sorted(), pairs)
      return
    }
    // All the way or half of it, where that lowers a pair's error: whichever leaves the least in the
    // outputs.
    let before = try errors(of: pairs, evaluation)
    var best = (quantization: self, pairs: [Int](), noise: try noise(evaluation))
    for factors in [whole, EqualizeLayers.halved(whole)] where !factors.isEmpty {
      var candidate = self
      try candidate.apply(factors, pairs, samples)
      let after = try candidate.errors(of: pairs, evaluation)
      let helped = factors.filter { index, _ in after[index].isBetter(than: before[index]) }
      guard !helped.isEmpty else { continue }
      if helped.count < factors.count {
        candidate = self
        try candidate.apply(helped, pairs, samples)
      }
      let noise = try candidate.noise(evaluation)
      if noise < best.noise { best = (candidate, helped.keys.sorted(), noise) }
    }
    if !best.pairs.isEmpty {
      knownNoise = best.noise
      take(best.quantization, best.pairs, pairs)
    }
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
    corrected = prepared
    scheme = QuantizationScheme(corrected, excluding: excluded, interface: options.interface)
    try chooseParameters(samples)
  }

  /// Noise of each pair's layers while all else is float.
  private struct PairErrors {
    /// Of the first layer alone, of the last one alone, and of the last one when both are quantized.
    var first, last, both: Double

    /// Less noise in all, and not at the price of a first layer that is the worse one now.
    func isBetter(than other: PairErrors) -> Bool {
      both < other.both && (first <= other.first || 2 * first <= last)
    }
  }

  private func errors(
    of pairs: [EqualizationPair], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [PairErrors] {
    let first = try errors(of: pairs.map { Array($0.chain.prefix(1)) }, evaluation)
    let last = try errors(of: pairs.map { Array($0.chain.suffix(1)) }, evaluation)
    let both = try errors(of: pairs.map(\.chain), evaluation)
    return pairs.indices.map { PairErrors(first: first[$0], last: last[$0], both: both[$0]) }
  }

  /// Noise of the last layer of each chain when the chain is quantized and all else is float.
  private func errors(
    of chains: [[Int]], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [Double] {
    let layers = chains.map { chain in chain.map { scheme.layers[$0] } }
    let twin = try model().isolated(layers)
    let results = layers.map { $0.last?.outputs.first ?? "" }
    let names = results.map { twin.outputs[$0] ?? "" }
    return try Self.refused {
      let runner = try engine.prepare(
        twin.model.giving(results + names.filter { !$0.isEmpty }),
        for: evaluation.samples.first ?? [:])
      var errors = [SignalError](repeating: SignalError(), count: chains.count)
      for sample in evaluation.samples {
        progress("comparing equalized layers")
        let values = try runner.run(sample)
        for index in chains.indices {
          if let reference = values[results[index]], let actual = values[names[index]] {
            errors[index].add(reference: reference, actual: actual)
          }
        }
      }
      return errors.map(\.relativeNoise)
    }
  }

  /// Takes the mean errors that rounded weights leave behind out of biases.
  mutating func correctBiases(_ evaluation: OutputEvaluation) throws(QuantizationError) {
    guard options.biasCorrection != .never else { return }
    let sites = CorrectBiases.sites(corrected, scheme)
    let shifts = try shifts(at: sites, evaluation)
    guard shifts.contains(where: { $0.contains { $0 != 0 } }) else { return }
    var other = self
    other.knownNoise = nil
    var names: [String] = []
    for (site, shift) in zip(sites, shifts) where shift.contains(where: { $0 != 0 }) {
      CorrectBiases.apply(shift, at: site, scheme, to: &other.corrected)
      names.append(scheme.layers[site.layer].name)
    }
    // Ranges stay: a bias moves by less than a step of the output.
    other.scheme = QuantizationScheme(
      other.corrected, excluding: excluded, interface: options.interface)
    if options.biasCorrection == .auto {
      guard try other.noise(evaluation) < noise(evaluation) else { return }
    }
    self = other
    notes.append("corrected \(names.count) biases")
  }

  /// The mean error of each channel before the clamp, with float inputs.
  private func shifts(
    at sites: [CorrectBiases.Site], _ evaluation: OutputEvaluation
  ) throws(QuantizationError) -> [[Double]] {
    let twin = try model().isolated(
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
