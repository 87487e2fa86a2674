import WherryBytes
import WherryData
import WherryGraph
import WherryOperators
import WherryPasses

/// Post-training quantization of a model: calibration, conversion and measurement.
///
///     var quantization = try Quantization(model, options)
///     try quantization.calibrate(samples)
///     let model = try quantization.quantized()
///     let report = try quantization.measure(samples)
public struct Quantization {
  public let options: QuantizationOptions
  /// The float model that is quantized: functions inlined, constants folded, batch normalizations fused,
  /// channels equalized.
  public internal(set) var prepared: Model
  /// The same model with the weights and biases that quantized layers take.
  var corrected: Model
  public internal(set) var scheme: QuantizationScheme
  /// Layers that stay float, and why.
  public private(set) var excluded: [String: String] = [:]
  /// One a group of the scheme.
  public internal(set) var parameters: [QuantizationParameters] = []
  /// The method that ranges were chosen with.
  public internal(set) var method: CalibrationMethod
  /// What was done to the model beside quantizing it, one line each.
  public internal(set) var notes: [String] = []
  let engine: QuantizationEngine
  let progress: (String) -> Void
  var calibration: Calibration
  /// Samples on which models are compared: few where the model is large.
  var compared = 16
  /// Noise in the outputs of the model as it stands, where that is known.
  var knownNoise: Double?

  /// Multiply-accumulates spent on each comparison of models, at most.
  static let budget = 12_000_000_000

  /// - Parameter progress: told what is going on.
  /// - Throws: `QuantizationError` when the model is quantized already or has nothing to quantize.
  public init(
    _ model: Model, _ options: QuantizationOptions = QuantizationOptions(),
    engine: QuantizationEngine = QuantizationEngine(),
    progress: @escaping (String) -> Void = { _ in }
  ) throws(QuantizationError) {
    (self.options, self.engine, self.progress) = (options, engine, progress)
    method = options.method
    prepared = try QuantizationPreparation.prepare(model)
    corrected = prepared
    for name in options.excluded { excluded[name] = "excluded by name" }
    scheme = QuantizationScheme(corrected, excluding: excluded, interface: options.interface)
    calibration = Calibration(options.method)
    let known = Set(scheme.kept.map(\.name))
    for name in options.excluded.sorted() where !known.contains(name) {
      throw QuantizationError(.option("there is no layer \"\(name)\" to exclude"))
    }
    try checkLayers()
  }

  private func checkLayers() throws(QuantizationError) {
    guard scheme.layers.isEmpty else { return }
    let reasons = scheme.kept.prefix(8).map { "\($0.operation) \"\($0.name)\": \($0.reason)" }
    throw QuantizationError(.nothingToQuantize(reasons))
  }

  /// Observes activations on samples, applies the corrections that help and chooses all scales.
  ///
  /// - Throws: `QuantizationError`.
  public mutating func calibrate(_ samples: SampleSet) throws(QuantizationError) {
    guard samples.count > 0 else { throw QuantizationError(.noSamples) }
    try observe(samples)
    let evaluation = try comparison(samples)
    if method == .auto { try chooseMethod(evaluation) }
    try chooseParameters(samples)
    try equalize(samples, evaluation)
    try roundWeights(evaluation)
    try correctBiases(evaluation)
  }

  /// Scales for the current scheme by the current method; layers that don't fit them stay float.
  mutating func chooseParameters(_ samples: SampleSet) throws(QuantizationError) {
    while true {
      try observe(samples)
      parameters = try parameters(method)
      let unfit = scheme.unfit(corrected, parameters)
      if unfit.isEmpty { return }
      knownNoise = nil
      try exclude(unfit)
    }
  }

  func parameters(
    _ method: CalibrationMethod
  ) throws(QuantizationError) -> [QuantizationParameters] {
    try calibration.parameters(corrected, scheme, method, percentile: options.percentile)
  }

  /// Keeps layers float, with the reason for each.
  mutating func exclude(_ layers: [String: String]) throws(QuantizationError) {
    excluded.merge(layers) { first, _ in first }
    scheme = QuantizationScheme(corrected, excluding: excluded, interface: options.interface)
    try checkLayers()
  }

  /// The float outputs of the samples on which models are compared.
  private mutating func comparison(
    _ samples: SampleSet
  ) throws(QuantizationError) -> OutputEvaluation {
    let macs = try Self.refused { try engine.prepare(prepared, for: samples.sample(0)).macs }
    compared = min(max(Self.budget / max(macs, 1), 2), 64, samples.count)
    return try OutputEvaluation(
      prepared, of: prepared.decisiveValues, samples.spread(compared), engine, progress: progress)
  }

  /// Takes the method that leaves the least error in the outputs.
  private mutating func chooseMethod(_ evaluation: OutputEvaluation) throws(QuantizationError) {
    var best: (method: CalibrationMethod, noise: Double)?
    for candidate in CalibrationMethod.choices.prefix(evaluation.samples.count < 8 ? 3 : 4) {
      let noise = try noise(evaluation, try parameters(candidate)) {
        progress("trying \(candidate.rawValue): \($0)")
      }
      if noise < best?.noise ?? .infinity { best = (candidate, noise) }
    }
    (method, knownNoise) = (best?.method ?? .minMax, best?.noise)
  }

  /// Noise in the outputs of the model as it stands; infinite where it can't be made.
  mutating func noise(_ evaluation: OutputEvaluation) throws(QuantizationError) -> Double {
    if let knownNoise { return knownNoise }
    let found = try noise(evaluation, parameters) {
      progress("comparing outputs: \($0)")
    }
    knownNoise = found
    return found
  }

  /// Noise in the outputs of a quantized model.
  private func noise(
    _ evaluation: OutputEvaluation, _ parameters: [QuantizationParameters],
    progress: (String) -> Void
  ) throws(QuantizationError) -> Double {
    guard scheme.unfit(corrected, parameters).isEmpty else { return .infinity }
    let quantized = try model(parameters).quantized()
    return OutputEvaluation.noise(try evaluation.errors(of: quantized, progress: progress))
  }

  /// Errors of whatever runs a model, as this module's own.
  static func refused<R>(_ body: () throws -> R) throws(QuantizationError) -> R {
    do {
      return try body()
    } catch let error as QuantizationError {
      throw error
    } catch let error as RunError {
      throw QuantizationError(.run(error.reason), error.place)
    } catch let error as ExecutionError {
      throw QuantizationError(.engine(error.lines))
    } catch {
      throw QuantizationError(.engine(["\(error)"]))
    }
  }

  /// Float and quantized layers with the scales given, or with those chosen.
  func model(_ parameters: [QuantizationParameters]? = nil) -> QDQModel {
    QDQModel(prepared, corrected: corrected, scheme, parameters ?? self.parameters)
  }

  /// The quantized model: QuantizeLinear and DequantizeLinear around every quantized layer.
  public func quantized() throws(QuantizationError) -> Model {
    try model().quantized(interface: options.interface)
  }

  /// Measures each layer's error and the whole model's on samples.
  ///
  /// - Parameter most: samples used at most, evenly spread; nil for as many as models are compared on.
  /// - Throws: `QuantizationError`.
  public func measure(
    _ samples: SampleSet, most: Int? = nil
  ) throws(QuantizationError) -> QuantizationReport {
    let used = samples.spread(most ?? compared)
    let measurement = LayerMeasurement(
      float: prepared, quantized: model(), scheme: scheme, parameters: parameters, engine: engine)
    let found = try measurement.run(used) { done in progress("measuring: \(done)") }
    return QuantizationReport(found, self, samples: samples.count, measured: used.count)
  }
}
