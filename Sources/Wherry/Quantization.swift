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
  /// The model that is quantized: functions inlined, constants folded, batch normalizations fused.
  public private(set) var prepared: Model
  public private(set) var scheme: QuantizationScheme
  /// Layers that stay float, and why.
  public private(set) var excluded: [String: String]
  public private(set) var parameters: [QuantizationParameters] = []
  private let engine: QuantizationEngine
  private let progress: (String) -> Void
  private var calibration: Calibration

  /// - Parameter progress: told what is going on.
  /// - Throws: `QuantizationError` when the model is quantized already or has nothing to quantize.
  public init(
    _ model: Model, _ options: QuantizationOptions = QuantizationOptions(),
    engine: QuantizationEngine = QuantizationEngine(),
    progress: @escaping (String) -> Void = { _ in }
  ) throws(QuantizationError) {
    (self.options, self.engine, self.progress) = (options, engine, progress)
    prepared = try QuantizationPreparation.prepare(model)
    excluded = [:]
    for name in options.excluded { excluded[name] = "excluded by name" }
    scheme = QuantizationScheme(prepared, excluding: excluded, interface: options.interface)
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

  /// Observes activations on samples and chooses all scales.
  ///
  /// - Throws: `QuantizationError`, `RunError` or `ExecutionError`.
  public mutating func calibrate(_ samples: SampleSet) throws {
    guard samples.count > 0 else { throw QuantizationError(.noSamples) }
    while true {
      try observe(scheme.observed.subtracting(calibration.histograms.keys), samples)
      parameters = try calibration.parameters(prepared, scheme, options)
      let losses = scheme.unfit(prepared, parameters)
      if losses.isEmpty { return }
      try exclude(losses)
    }
  }

  /// Keeps layers float, with the reason for each.
  mutating func exclude(_ layers: [String: String]) throws(QuantizationError) {
    excluded.merge(layers) { first, _ in first }
    scheme = QuantizationScheme(prepared, excluding: excluded, interface: options.interface)
    try checkLayers()
  }

  private mutating func observe(_ names: Set<String>, _ samples: SampleSet) throws {
    guard !names.isEmpty else { return }
    let inputs = Set(prepared.graph.inputs.map(\.name))
    let inner = names.subtracting(inputs).sorted()
    let runner =
      inner.isEmpty ? nil : try engine.prepare(prepared.giving(inner), for: samples.sample(0))
    for index in 0..<samples.count {
      progress("calibrating: sample \(index + 1) of \(samples.count)")
      let sample = samples.sample(index)
      do throws(QuantizationError) {
        for name in names.intersection(inputs).sorted() {
          if let tensor = sample[name] { try calibration.observe(name, tensor) }
        }
        let values = try Self.refused { try runner?.run(sample) } ?? [:]
        for name in inner {
          if let tensor = values[name] { try calibration.observe(name, tensor) }
        }
      } catch {
        let place = Place(road: [.indexed("sample", index, nil)] + error.place.road)
        throw QuantizationError(error.reason, place)
      }
    }
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

  /// The quantized model: QuantizeLinear and DequantizeLinear around every quantized layer.
  public func quantized() throws(QuantizationError) -> Model {
    try QDQModel(prepared, scheme, parameters).quantized(interface: options.interface)
  }

  /// Measures each layer's error and the whole model's on samples.
  ///
  /// - Parameter most: samples used at most, evenly spread.
  /// - Throws: `QuantizationError`.
  public func measure(
    _ samples: SampleSet, most: Int = 16
  ) throws(QuantizationError) -> QuantizationReport {
    let used = min(samples.count, max(most, 1))
    let indices = (0..<used).map { $0 * samples.count / used }
    let measurement = LayerMeasurement(
      model: prepared, scheme: scheme, parameters: parameters, engine: engine)
    let found = try measurement.run(indices.map { samples.sample($0) }) { done in
      progress("measuring: \(done)")
    }
    return QuantizationReport(
      found, scheme, options, parameters: parameters, samples: samples.count, measured: used)
  }
}
