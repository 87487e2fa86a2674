import WherryBytes
import WherryData
import WherryGraph
import WherryPasses

/// Values of a float model on some samples, to compare quantized models with.
struct OutputEvaluation {
  let samples: [[String: Tensor]]
  private let references: [[String: Tensor]]
  private let outputs: [String]
  private let engine: QuantizationEngine

  /// - Parameter outputs: the values that are compared: outputs, or inner values that both models have.
  /// - Throws: `QuantizationError` when the float model can't be run.
  init(
    _ model: Model, of outputs: [String], _ samples: [[String: Tensor]],
    _ engine: QuantizationEngine,
    progress: (String) -> Void
  ) throws(QuantizationError) {
    (self.samples, self.engine) = (samples, engine)
    self.outputs = outputs
    references = try Quantization.refused {
      let runner = try engine.prepare(model.giving(outputs), for: samples.first ?? [:])
      return try samples.enumerated().map { index, sample in
        progress("float outputs: sample \(index + 1) of \(samples.count)")
        return try runner.run(sample).mapValues(\.owned)
      }
    }
  }

  /// Runs a model with float inputs and outputs and compares each output, in the float model's order.
  func errors(
    of model: Model, progress: (String) -> Void = { _ in }
  ) throws(QuantizationError) -> [(name: String, error: SignalError)] {
    try Quantization.refused {
      let runner = try engine.prepare(model.giving(outputs), for: samples.first ?? [:])
      var errors = [SignalError](repeating: SignalError(), count: outputs.count)
      for (index, sample) in samples.enumerated() {
        progress("sample \(index + 1) of \(samples.count)")
        let actual = try runner.run(sample)
        for (position, name) in outputs.enumerated() {
          guard let reference = references[index][name], let value = actual[name] else { continue }
          errors[position].add(reference: reference, actual: value)
        }
      }
      return Array(zip(outputs, errors)).map { (name: $0, error: $1) }
    }
  }

  /// Noise in proportion to the signal, over all outputs; 0 for equal models.
  static func noise(_ errors: [(name: String, error: SignalError)]) -> Double {
    errors.reduce(0) { $0 + $1.error.relativeNoise }
  }

  /// The share of samples whose largest output has the position of the label, in 0...1.
  ///
  /// - Parameters:
  ///   - labels: one a sample; nil for the float model's own answers.
  ///   - model: nil for the float model.
  func accuracy(
    of model: Model?, labels: [Int]?, progress: (String) -> Void = { _ in }
  ) throws(QuantizationError) -> Double {
    guard let output = outputs.first, !samples.isEmpty else { return 0 }
    let answers = try Quantization.refused {
      guard let model else { return references.map { $0[output]?.largestPosition } }
      let runner = try engine.prepare(model.giving([output]), for: samples.first ?? [:])
      return try samples.enumerated().map { index, sample in
        progress("sample \(index + 1) of \(samples.count)")
        return try runner.run(sample)[output]?.largestPosition
      }
    }
    let wanted = labels ?? references.map { $0[output]?.largestPosition ?? -1 }
    return Double(zip(answers, wanted).count { $0 == $1 }) / Double(samples.count)
  }
}

extension SampleSet {
  /// At most `most` samples, evenly spread.
  func spread(_ most: Int) -> [[String: Tensor]] {
    let used = min(count, max(most, 1))
    return (0..<used).map { sample($0 * count / used) }
  }
}

extension Tensor {
  /// The same contents in memory of their own.
  var owned: Tensor {
    let copy = bytes.withUnsafeBytes { source in
      Bytes(count: source.count) { $0.copyMemory(from: source) }
    }
    return Tensor(element, shape, bytes: copy) ?? self
  }

  /// The position of the largest element; the first one of several. nil for no numbers.
  var largestPosition: Int? {
    let numbers = doubles
    return numbers.indices.max {
      numbers[$0] < numbers[$1] || numbers[$0] == numbers[$1] && $0 > $1
    }
  }
}
