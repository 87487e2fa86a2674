/// How activation ranges follow from what calibration observed.
public enum CalibrationMethod: String, Sendable, Hashable, CaseIterable {
  /// Whichever of the others leaves the least error in the model's outputs on calibration data.
  case auto
  /// The smallest and the largest value.
  case minMax = "min-max"
  /// The range that holds a share of all values.
  case percentile
  /// The range with the least mean squared error.
  case squaredError = "mse"
  /// The range with the least Kullback-Leibler divergence, as TensorRT chooses it.
  case entropy

  /// Those that `auto` chooses from.
  public static let choices: [CalibrationMethod] = [.squaredError, .minMax, .percentile, .entropy]
}

/// Element type of a quantized model's own inputs and outputs.
public enum InterfaceType: String, Sendable, Hashable, CaseIterable {
  case float
  case int8
  case uint8
}

/// What is quantized.
public enum QuantizationMode: Sendable, Hashable {
  /// Weights and activations, with scales from calibration data.
  case full
  /// Weights only; activations stay float.
  case weightsOnly
  /// Weights, and activations with scales computed at every run.
  case dynamic
}

/// What to do with a correction that may help or hurt.
public enum Correction: String, Sendable, Hashable, CaseIterable {
  /// Where the error on calibration data goes down.
  case auto
  case always = "on"
  case never = "off"
}

/// How a model is quantized.
public struct QuantizationOptions: Sendable {
  public var mode = QuantizationMode.full
  public var method = CalibrationMethod.auto
  /// Share of values that a range holds, in percent, for `CalibrationMethod.percentile`.
  public var percentile = 99.99
  public var interface = InterfaceType.float
  /// Cross-layer equalization.
  public var equalization = Correction.auto
  public var biasCorrection = Correction.auto
  /// Rounding weights by the inputs they meet rather than to the nearest step.
  public var weightRounding = Correction.auto
  /// Nodes that stay float, by name.
  public var excluded: Set<String> = []

  public init() {}
}
