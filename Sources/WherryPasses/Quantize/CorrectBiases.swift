import WherryBytes
import WherryGraph
import WherryOperators

/// Takes the mean error of each output channel, which rounding weights leaves behind, out of the bias.
///
/// - Source: M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
///   ICCV 2019, section 4.2, with means measured on calibration data.
public enum CorrectBiases {
  /// A layer whose bias can be corrected: the value before its clamp, and its axis of channels.
  public struct Site: Sendable {
    /// Index in the scheme's layers.
    public let layer: Int
    public let value: String
    public let axis: Int
  }

  /// The layers whose bias can be corrected.
  public static func sites(_ model: Model, _ scheme: QuantizationScheme) -> [Site] {
    scheme.layers.enumerated().compactMap { index, layer in
      guard layer.isWeighted else { return nil }
      let node = model.graph.nodes[layer.core]
      let end = layer.bias?.node ?? layer.core
      guard layer.bias != nil || !(node.operation is MatMul),
        let value = model.graph.nodes[end].outputs.first ?? nil
      else { return nil }
      let isPlanar = node.operation is Conv || node.operation is ConvTranspose
      return Site(layer: index, value: value, axis: isPlanar ? 1 : -1)
    }
  }

  /// Subtracts the mean errors of a layer's channels from its bias, which it gets if it has none.
  public static func apply(
    _ shift: [Double], at site: Site, _ scheme: QuantizationScheme, to model: inout Model
  ) {
    let layer = scheme.layers[site.layer]
    let constants = model.constants
    if let port = layer.bias, let name = model.graph.nodes[port.node].inputs[port.position] {
      guard let tensor = constants[name], tensor.count == shift.count,
        let corrected = Tensor(
          .float32, tensor.shape, doubles: zip(tensor.doubles, shift).map { $0 - $1 })
      else { return }
      model.replace(port.position, of: port.node, name, corrected)
      return
    }
    guard let tensor = Tensor(.float32, [shift.count], doubles: shift.map { -$0 }) else { return }
    let taken = model.graph.definedNames
    var name = "\(layer.name)_bias"
    while taken.contains(name) { name += "_" }
    model.graph.initializers.append(Initializer(name, tensor))
    while model.graph.nodes[layer.core].inputs.count < 3 {
      model.graph.nodes[layer.core].inputs.append(nil)
    }
    model.graph.nodes[layer.core].inputs[2] = name
  }
}
