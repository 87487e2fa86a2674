import WherryBytes
import WherryGraph
import WherryPasses

/// Runs float, isolated and quantized layers side by side and compares what they give.
struct LayerMeasurement {
  let float: Model
  let quantized: QDQModel
  let scheme: QuantizationScheme
  let parameters: [QuantizationParameters]
  let engine: QuantizationEngine

  /// Bytes of layer outputs in one run at most.
  static let chunkBytes = 128 << 20

  struct Result {
    /// By layer of the scheme, over all its outputs: the layer fed with float values.
    var isolated: [Int: SignalError] = [:]
    /// The layer within the quantized model.
    var accumulated: [Int: SignalError] = [:]
    /// By model output.
    var outputs: [(name: String, error: SignalError)] = []
  }

  func run(
    _ samples: [[String: Tensor]], progress: (String) -> Void
  ) throws(QuantizationError) -> Result {
    var result = Result()
    let reported = scheme.layers.indices.filter { scheme.layers[$0].isReported }
    let chunks = chunks(of: reported, samples.first ?? [:])
    let whole = try quantized.quantized()
    let outputs = float.graph.outputs.map(\.name)
    var totals = [SignalError](repeating: SignalError(), count: outputs.count)
    for (number, chunk) in chunks.enumerated() {
      let twin = try quantized.isolated(chunk.map { [scheme.layers[$0]] })
      let names = twin.outputs
      let results = chunk.flatMap { scheme.layers[$0].outputs }
      let wanted = number == 0 ? results + outputs : results
      let (first, second) = try Quantization.refused {
        (
          try engine.prepare(
            twin.model.giving(wanted + results.compactMap { names[$0] }), for: samples.first ?? [:]),
          try engine.prepare(whole.giving(wanted), for: samples.first ?? [:])
        )
      }
      for (index, sample) in samples.enumerated() {
        progress("part \(number + 1) of \(chunks.count), sample \(index + 1) of \(samples.count)")
        let (values, int8) = try Quantization.refused {
          (try first.run(sample), try second.run(sample))
        }
        for layer in chunk {
          for value in scheme.layers[layer].outputs {
            guard let reference = values[value], let group = scheme.groups.index(of: value) else {
              continue
            }
            if let actual = names[value].flatMap({ values[$0] }) {
              result.isolated[layer, default: SignalError(parameters[group])]
                .add(reference: reference, actual: actual)
            }
            if let actual = int8[value] {
              result.accumulated[layer, default: SignalError()]
                .add(reference: reference, actual: actual)
            }
          }
        }
        guard number == 0 else { continue }
        for (position, name) in outputs.enumerated() {
          guard let reference = values[name], let actual = int8[name] else { continue }
          totals[position].add(reference: reference, actual: actual)
        }
      }
    }
    result.outputs = Array(zip(outputs, totals)).map { (name: $0, error: $1) }
    return result
  }

  /// Layers in runs whose outputs, three times over, take no more than the limit.
  private func chunks(of layers: [Int], _ sample: [String: Tensor]) -> [[Int]] {
    let types = TypeInference(float, inputs: sample.mapValues(\.type)).types
    var result: [[Int]] = []
    var current: [Int] = []
    var bytes = 0
    for layer in layers {
      let size = scheme.layers[layer].outputs.reduce(0) { sum, name in
        sum + (types[name]?.shape?.extents.flatMap { Checked.product($0) } ?? 1) * 12
      }
      if !current.isEmpty, bytes + size > Self.chunkBytes {
        result.append(current)
        (current, bytes) = ([], 0)
      }
      current.append(layer)
      bytes += size
    }
    return current.isEmpty && !result.isEmpty ? result : result + [current]
  }
}
