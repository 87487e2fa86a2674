import WherryBytes
import WherryData
import WherryGraph
import WherryPasses

extension Quantization {
  /// Observes every value whose distribution is needed and not known yet.
  mutating func observe(_ samples: SampleSet) throws(QuantizationError) {
    let names = scheme.observed.subtracting(calibration.histograms.keys)
    guard !names.isEmpty else { return }
    let inputs = Set(prepared.graph.inputs.map(\.name))
    let inner = names.subtracting(inputs).sorted()
    let given = names.intersection(inputs).sorted()
    let runner =
      inner.isEmpty
      ? nil
      : try Self.refused { try engine.prepare(prepared.giving(inner), for: samples.sample(0)) }
    for index in 0..<samples.count {
      progress("calibrating: sample \(index + 1) of \(samples.count)")
      let sample = samples.sample(index)
      do throws(QuantizationError) {
        let values = try Self.refused { try runner?.run(sample) } ?? [:]
        for name in given + inner {
          if let tensor = sample[name] ?? values[name] { try calibration.observe(name, tensor) }
        }
      } catch {
        let place = Place(road: [.indexed("sample", index, nil)] + error.place.road)
        throw QuantizationError(error.reason, place)
      }
    }
  }
}
