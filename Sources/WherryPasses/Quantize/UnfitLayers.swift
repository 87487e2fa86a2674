import WherryGraph
import WherryOperators

extension QuantizationScheme {
  /// Layers that can't be quantized with these parameters, and why.
  ///
  /// Sums of products must fit 32 bits; an addition must keep something of both operands.
  public func unfit(
    _ model: Model, _ parameters: [QuantizationParameters]
  ) -> [String: String] {
    let emitter = QDQEmitter(model, self, parameters)
    var result: [String: String] = [:]
    for layer in layers {
      if layer.isWeighted {
        do throws(QuantizedLayer.Overflow) {
          _ = try emitter.int8Weights(layer)
        } catch {
          result[layer.name] = "sums of channel \(error.channel) could leave 32 bits"
        }
        continue
      }
      let operation = model.graph.nodes[layer.core].operation
      guard operation is Add || operation is Sub,
        let output = layer.outputs.first.flatMap({ groups.index(of: $0) })
      else { continue }
      for operand in layer.operands {
        guard let input = groups.index(of: operand.name) else { continue }
        let range = parameters[input].highest - parameters[input].lowest
        if range < Double(parameters[output].scale) {
          result[layer.name] = "\"\(operand.name)\" is smaller than one step of the sum"
        }
      }
    }
    return result
  }
}
