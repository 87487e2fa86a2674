import WherryGraph
import WherryPasses

/// What quantization did to a model, layer by layer.
public struct QuantizationReport: Encodable, Sendable {
  /// One quantized layer.
  public struct Layer: Encodable, Sendable {
    public var name, op: String
    /// Signal-to-quantization-noise ratio in dB of the layer fed with float values; without data, of
    /// its weights.
    public var sqnr: Double
    /// Cosine between float and quantized outputs of the layer fed with float values.
    public var cosine: Double
    /// Share of float outputs beyond the quantized range.
    public var saturation: Double?
    /// SQNR in dB of the layer within the quantized model.
    public var accumulated: Double?
    public var output: String?
    public var scale: Float?
    public var zeroPoint: Int?
  }
  /// A layer that stays float.
  public struct FloatLayer: Encodable, Sendable {
    public var name, op, reason: String
  }
  /// One output of the model.
  public struct Output: Encodable, Sendable {
    public var name: String
    /// SQNR in dB.
    public var sqnr: Double
    public var cosine: Double
    /// Largest absolute difference.
    public var largest: Double
  }

  /// Worst first.
  public var layers: [Layer]
  public var floatLayers: [FloatLayer]
  public var outputs: [Output]
  /// How ranges were chosen.
  public var method: String
  /// What else was done to the model, one line each.
  public var notes: [String]
  /// Samples that ranges were calibrated on, and samples that errors were measured on.
  public var samples, measuredSamples: Int
  public var accuracy: AccuracyReport?
  public var bound: BoundReport?

  init(
    _ found: LayerMeasurement.Result, _ quantization: Quantization, samples: Int, measured: Int
  ) {
    let (scheme, parameters) = (quantization.scheme, quantization.parameters)
    layers = found.isolated.keys.sorted().compactMap { index in
      let layer = scheme.layers[index]
      guard let isolated = found.isolated[index], let output = layer.outputs.first,
        let group = scheme.groups.index(of: output)
      else { return nil }
      return Layer(
        name: layer.name, op: layer.operation, sqnr: isolated.decibels, cosine: isolated.cosine,
        saturation: isolated.saturation, accumulated: found.accumulated[index]?.decibels,
        output: output, scale: parameters[group].scale, zeroPoint: parameters[group].zeroPoint)
    }
    (method, notes) = (quantization.method.rawValue, quantization.notes)
    (self.samples, measuredSamples) = (samples, measured)
    floatLayers = []
    outputs = []
    finish(scheme.kept, found.outputs)
  }

  /// Of a quantization without calibration: errors are those of weights.
  init(
    _ weights: [WeightOnlyModel.Layer], _ kept: [QuantizationScheme.Kept],
    _ found: [(name: String, error: SignalError)], method: String, samples: Int
  ) {
    layers = weights.map {
      Layer(name: $0.name, op: $0.operation, sqnr: $0.error.decibels, cosine: $0.error.cosine)
    }
    (self.method, notes, floatLayers, outputs) = (method, [], [], [])
    (self.samples, measuredSamples) = (samples, min(samples, 16))
    finish(kept, found)
  }

  private mutating func finish(
    _ kept: [QuantizationScheme.Kept], _ found: [(name: String, error: SignalError)]
  ) {
    // Equal ones in the graph's order.
    layers = layers.enumerated().sorted {
      ($0.element.sqnr, $0.offset) < ($1.element.sqnr, $1.offset)
    }.map(\.element)
    floatLayers = kept.map { FloatLayer(name: $0.name, op: $0.operation, reason: $0.reason) }
    outputs = found.map { name, error in
      Output(name: name, sqnr: error.decibels, cosine: error.cosine, largest: error.largest)
    }
  }
}
