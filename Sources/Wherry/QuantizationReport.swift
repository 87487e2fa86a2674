import WherryGraph
import WherryPasses

/// What quantization did to a model, layer by layer.
public struct QuantizationReport: Encodable, Sendable {
  /// One quantized layer.
  public struct Layer: Encodable, Sendable {
    public var name, op, output: String
    /// Signal-to-quantization-noise ratio in dB of the layer fed with float values.
    public var sqnr: Double
    /// Cosine between float and quantized outputs of the layer fed with float values.
    public var cosine: Double
    /// Share of float outputs beyond the quantized range.
    public var saturation: Double
    /// SQNR in dB of the layer within the quantized model.
    public var accumulated: Double
    public var scale: Float
    public var zeroPoint: Int
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
        name: layer.name, op: layer.operation, output: output, sqnr: isolated.decibels,
        cosine: isolated.cosine, saturation: isolated.saturation,
        accumulated: found.accumulated[index]?.decibels ?? .infinity,
        scale: parameters[group].scale, zeroPoint: parameters[group].zeroPoint)
    }.sorted { $0.sqnr < $1.sqnr }
    floatLayers = scheme.kept.map { FloatLayer(name: $0.name, op: $0.operation, reason: $0.reason) }
    outputs = found.outputs.map { name, error in
      Output(
        name: name, sqnr: error.decibels, cosine: error.cosine, largest: error.largest)
    }
    (method, notes) = (quantization.method.rawValue, quantization.notes)
    (self.samples, measuredSamples) = (samples, measured)
  }
}
