import WherryBytes
import WherryGraph

/// What calibration observed, and the parameters that follow.
public struct Calibration: Sendable {
  public private(set) var histograms: [String: ActivationHistogram] = [:]
  private let keepsBins: Bool

  public init(_ method: CalibrationMethod) { keepsBins = method != .minMax }

  /// Forgets values that are computed differently now.
  public mutating func forget(_ names: some Sequence<String>) {
    for name in names { histograms[name] = nil }
  }

  /// Adds one sample's value.
  ///
  /// - Throws: `QuantizationError` when it holds NaN or an infinite number.
  public mutating func observe(_ name: String, _ tensor: Tensor) throws(QuantizationError) {
    var histogram =
      histograms.removeValue(forKey: name) ?? ActivationHistogram(keepsBins: keepsBins)
    defer { histograms[name] = histogram }
    if let position = histogram.add(tensor) {
      throw QuantizationError(
        .notFinite(value: name), Place().inside("value", name).inside("element", at: position))
    }
  }

  /// Scale and zero point of every group.
  ///
  /// - Throws: `QuantizationError` for a group none of whose values was observed.
  public func parameters(
    _ model: Model, _ scheme: QuantizationScheme, _ method: CalibrationMethod,
    percentile: Double = 99.99
  ) throws(QuantizationError) -> [QuantizationParameters] {
    let constants = Dictionary(
      model.graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a })
    var result: [QuantizationParameters] = []
    for group in scheme.groups.all {
      if let fixed = group.fixed {
        result.append(fixed.fitting(group.members.compactMap { histograms[$0]?.high }.max()))
        continue
      }
      var (low, high) = (0.0, 0.0)
      var merged = ActivationHistogram(keepsBins: keepsBins)
      for name in group.observed {
        guard let histogram = histograms[name], histogram.count > 0 else {
          throw QuantizationError(.unobserved(name))
        }
        merged.merge(histogram)
      }
      if merged.count > 0 {
        (low, high) = RangeSelection.range(
          of: merged, method, percentile: percentile)
      }
      for number in group.constants.flatMap({ constants[$0]?.doubles ?? [] }) + group.extras {
        (low, high) = (min(low, number), max(high, number))
      }
      result.append(QuantizationParameters(covering: low, high))
    }
    settle(model, scheme, &result)
    return result
  }

  /// Makes output scales coarse enough for the multipliers of the sums, which may not exceed 2^24.
  private func settle(
    _ model: Model, _ scheme: QuantizationScheme, _ parameters: inout [QuantizationParameters]
  ) {
    for layer in scheme.layers where layer.isWeighted {
      guard let input = layer.operands.first.flatMap({ scheme.groups.index(of: $0.name) }),
        let output = layer.outputs.first.flatMap({ scheme.groups.index(of: $0) }),
        scheme.groups.all[output].fixed == nil
      else { continue }
      let emitter = QDQEmitter(model, scheme, parameters)
      guard let quantized = try? emitter.int8Weights(layer) else { continue }
      let widest = Double(quantized.weights.scales.max() ?? 0) * Double(parameters[input].scale)
      if widest / Double(parameters[output].scale) > 0x1p24 {
        parameters[output] = parameters[output].coarser(Float(widest * 0x1p-24))
      }
    }
  }
}
