import WherryBytes
import WherryGraph

/// Why a model can't be quantized as asked, and where.
public struct QuantizationError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: Sendable, Hashable {
    /// The model holds quantized operators already; their scales are never changed.
    case alreadyQuantized(OperatorName)
    /// No layer can be quantized; why, for those that could have been expected to.
    case nothingToQuantize([String])
    /// A value that calibration data led to is NaN or infinite.
    case notFinite(value: String)
    /// There are no calibration samples.
    case noSamples
    /// No value of a tensor was ever observed.
    case unobserved(String)
    /// What runs the model can't.
    case run(RunError.Reason)
    /// What runs the model refuses; one line each.
    case engine([String])
    /// An option that doesn't fit the model or the other options.
    case option(String)
  }

  public var reason: Reason
  public var place: Place

  public init(_ reason: Reason, _ place: Place = Place()) {
    (self.reason, self.place) = (reason, place)
  }

  public var description: String { place.telling(reason) }
}

extension QuantizationError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .alreadyQuantized(let name):
      "\(name) is quantized already; quantize the float model, since its scales are not changed"
    case .nothingToQuantize(let reasons):
      "no layer can be quantized" + reasons.map { "; \($0)" }.joined()
    case .notFinite(let value):
      "\"\(value)\" becomes NaN or infinite on this sample"
    case .noSamples: "no calibration samples"
    case .unobserved(let value): "\"\(value)\" was never computed during calibration"
    case .run(let reason): RunError(reason).description
    case .engine(let lines): lines.joined(separator: "; ")
    case .option(let what): what
    }
  }
}
