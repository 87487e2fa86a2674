import WherryData
import WherryGraph
import WherryPasses

/// Quantization that needs no calibration data: int8 weights with float activations, or with activations
/// whose scales are computed at every run.
public struct DatalessQuantization {
  public let model: Model
  public let report: QuantizationReport

  /// - Parameters:
  ///   - options: the mode is `weightsOnly` or `dynamic`.
  ///   - samples: what errors of outputs are measured on; nil for errors of weights only.
  /// - Throws: `QuantizationError` when the model is quantized already or has nothing to quantize.
  public init(
    _ model: Model, _ options: QuantizationOptions, samples: SampleSet? = nil,
    engine: QuantizationEngine = QuantizationEngine(),
    progress: @escaping (String) -> Void = { _ in }
  ) throws(QuantizationError) {
    let prepared = try QuantizationPreparation.prepare(model)
    let layers: [WeightOnlyModel.Layer]
    let kept: [QuantizationScheme.Kept]
    let method: String
    if options.mode == .dynamic {
      let dynamic = try DynamicModel(prepared, excluding: options.excluded)
      (self.model, layers, kept, method) = (dynamic.model, dynamic.layers, dynamic.kept, "dynamic")
    } else {
      let only = try WeightOnlyModel(prepared, excluding: options.excluded)
      (self.model, layers, kept, method) = (only.model, only.layers, only.kept, "weights only")
    }
    let known = Set(kept.map(\.name))
    for name in options.excluded.sorted() where !known.contains(name) {
      throw QuantizationError(.option("there is no layer \"\(name)\" to exclude"))
    }
    var outputs: [(name: String, error: SignalError)] = []
    if let samples, samples.count > 0 {
      let evaluation = try OutputEvaluation(
        prepared, of: prepared.graph.outputs.map(\.name), samples.spread(16), engine,
        progress: progress)
      outputs = try evaluation.errors(of: self.model, progress: progress)
    }
    report = QuantizationReport(
      layers, kept, outputs, method: method, samples: samples?.count ?? 0)
  }
}
