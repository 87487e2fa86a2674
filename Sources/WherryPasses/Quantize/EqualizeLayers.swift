import Glibc
import WherryBytes
import WherryGraph
import WherryOperators

/// Two layers with weights between which nothing but Relu, pooling or nothing at all stands, so that
/// channels of the value between them can be scaled without changing what the model computes.
///
/// - Source: M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction",
///   ICCV 2019, section 4.1.
public struct EqualizationPair: Sendable {
  /// Indices in the scheme's layers, from the first to the second, those between them included.
  public let chain: [Int]
  /// The value whose channels are scaled.
  public let value: String
  /// Its axis of channels; negative counts from the end.
  public let axis: Int
  fileprivate let first: Int
  fileprivate let second: Int
}

extension QuantizationScheme {
  /// The pairs of a model's layers, in order.
  public func equalizationPairs(_ model: Model) -> [EqualizationPair] {
    let facts = GraphFacts(model)
    let nodes = model.graph.nodes
    var readers: [String: Int] = [:]
    for (index, layer) in layers.enumerated() {
      for operand in layer.operands { readers[operand.name] = index }
    }
    var pairs: [EqualizationPair] = []
    for (index, layer) in layers.enumerated() {
      guard layer.isWeighted, let value = layer.outputs.first,
        !(nodes[layer.core].operation is ConvTranspose),
        layer.nodes.allSatisfy({ $0 == layer.core || nodes[$0].operation.isHomogeneous })
      else { continue }
      let isPlanar = nodes[layer.core].operation is Conv
      var chain = [index]
      var current = value
      var isPooled = false
      while chain.count < 8, facts.isReadOnce(current), let next = readers[current] {
        chain.append(next)
        let reader = layers[next]
        let operation = nodes[reader.core].operation
        if reader.isWeighted {
          guard reader.operands.first?.name == current,
            takes(model, reader, isPlanar: isPlanar && !isPooled)
          else { break }
          pairs.append(
            EqualizationPair(
              chain: chain, value: value, axis: isPlanar ? 1 : -1, first: layer.core,
              second: reader.core))
          break
        }
        if operation is Flatten { isPooled = true }
        let isFlat =
          !(operation is Flatten)
          || chain.dropLast().contains {
            nodes[layers[$0].core].operation is GlobalAveragePool
          }
        guard reader.nodes.count == 1, operation.keepsChannels, isFlat, isPlanar,
          let output = reader.outputs.first
        else { break }
        current = output
      }
    }
    return pairs
  }

  private func takes(_ model: Model, _ layer: Layer, isPlanar: Bool) -> Bool {
    switch model.graph.nodes[layer.core].operation {
    case is Conv: isPlanar
    case is Gemm, is MatMul: !isPlanar
    default: false
    }
  }
}

extension Operator {
  /// Whether scaling the input by a factor > 0 scales the output by it; an Add here is a bias.
  fileprivate var isHomogeneous: Bool { self is Relu || self is Add }

  /// Whether channels stay apart and are scaled with the input.
  fileprivate var keepsChannels: Bool {
    self is Relu || self is LeakyRelu || self is MaxPool || self is AveragePool
      || self is GlobalAveragePool || self is GlobalMaxPool || self is Flatten
  }
}

/// Scales the channels between two layers.
public enum EqualizeLayers {
  /// What each channel is divided by: powers of two, so that no weight is rounded. nil when there is
  /// nothing to gain or the layers don't fit together.
  ///
  /// - Parameter largest: the largest magnitude of each channel of the pair's value.
  public static func factors(
    _ pair: EqualizationPair, _ model: Model, largest: [Float]
  ) -> [Float]? {
    let constants = model.constants
    let node = model.graph.nodes[pair.second]
    guard let weights = node.inputs[1].flatMap({ constants[$0] }),
      let input = InputChannels(node.operation, weights), input.channels == largest.count,
      let own = model.graph.nodes[pair.first].inputs[1].flatMap({ constants[$0] }),
      WeightLayout(model.graph.nodes[pair.first].operation, own).channels == largest.count
    else { return nil }
    let ranges = input.largest(weights)
    var exponents = [Double?](repeating: nil, count: largest.count)
    for channel in largest.indices where largest[channel] > 0 && ranges[channel] > 0 {
      // Weights of their own scale for each input channel lose nothing by any factor.
      let wanted = Double(largest[channel]) / (input.isDepthwise ? 1 : Double(ranges[channel]))
      exponents[channel] = log2(wanted) / (input.isDepthwise ? 1 : 2)
    }
    let known = exponents.compactMap { $0 }
    guard let highest = known.max() else { return nil }
    let factors = exponents.map { exponent in
      guard let exponent else { return Float(1) }
      let steps = min(max((exponent - highest).rounded(), -20), 0)
      return Float(exp2(steps))
    }
    return Set(factors).count > 1 ? factors : nil
  }

  /// Factors that go half as far, for pairs where those aren't 1.
  public static func halved(_ factors: [Int: [Float]]) -> [Int: [Float]] {
    factors.mapValues { $0.map { Float(exp2((log2(Double($0)) / 2).rounded())) } }
      .filter { Set($0.value).count > 1 }
  }

  /// Divides channels by factors in the first layer and multiplies by them in the second.
  public static func apply(_ pair: EqualizationPair, _ factors: [Float], to model: inout Model) {
    let constants = model.constants
    let (first, second) = (model.graph.nodes[pair.first], model.graph.nodes[pair.second])
    guard let name = first.inputs[1], let weights = constants[name],
      let other = second.inputs[1], let next = constants[other],
      let input = InputChannels(second.operation, next)
    else { return }
    let layout = WeightLayout(first.operation, weights)
    let inverse = factors.map { 1 / $0 }
    model.replace(
      1, of: pair.first, name,
      weights.scaled { body in layout.forEachRun(weights.shape) { body(inverse[$0], $1) } })
    model.replace(
      1, of: pair.second, other,
      next.scaled { body in input.forEachRun(next.shape) { body(factors[$0], $1) } })
    guard let port = biasPort(first, pair.first, model, constants),
      let bias = model.graph.nodes[port.node].inputs[port.position],
      let tensor = constants[bias], tensor.count == factors.count
    else { return }
    model.replace(
      port.position, of: port.node, bias,
      tensor.scaled { body in
        for channel in factors.indices { body(inverse[channel], channel..<channel + 1) }
      })
  }

  /// Where the first layer's bias is read: at the operator or at the Add after a matrix product.
  private static func biasPort(
    _ node: Node, _ index: Int, _ model: Model, _ constants: [String: Tensor]
  ) -> QuantizationScheme.Port? {
    if node.inputs.count > 2, node.inputs[2] != nil { return .init(node: index, position: 2) }
    guard node.operation is MatMul, let output = node.outputs[0],
      let sum = model.graph.nodes.firstIndex(where: { $0.inputs.contains(output) }),
      model.graph.nodes[sum].operation is Add
    else { return nil }
    let position = model.graph.nodes[sum].inputs[0] == output ? 1 : 0
    return .init(node: sum, position: position)
  }
}

/// Where the input channels of a layer lie in its weights.
private struct InputChannels {
  let channels: Int
  let isDepthwise: Bool
  private let axis: Int
  /// Consecutive indices of the axis that belong to one channel.
  private let repeats: Int

  init?(_ operation: any Operator, _ weights: Tensor) {
    switch operation {
    case let conv as Conv:
      if conv.group == 1 {
        (axis, repeats, isDepthwise) = (1, 1, false)
      } else {
        guard weights.shape[1] == 1, weights.shape[0] % conv.group == 0 else { return nil }
        (axis, repeats, isDepthwise) = (0, weights.shape[0] / conv.group, true)
      }
    case let gemm as Gemm: (axis, repeats, isDepthwise) = (gemm.transB ? 1 : 0, 1, false)
    case is MatMul: (axis, repeats, isDepthwise) = (weights.rank - 2, 1, false)
    default: return nil
    }
    guard weights.rank >= 2, repeats > 0 else { return nil }
    channels = weights.shape[axis] / repeats
  }

  func forEachRun(_ shape: [Int], _ body: (Int, Range<Int>) -> Void) {
    let inner = shape[(axis + 1)...].reduce(1, *) * repeats
    let outer = shape[..<axis].reduce(1, *)
    for block in 0..<outer {
      for channel in 0..<channels {
        let start = (block * channels + channel) * inner
        body(channel, start..<start + inner)
      }
    }
  }

  /// The largest magnitude of the weights of each channel.
  func largest(_ weights: Tensor) -> [Float] {
    var result = [Float](repeating: 0, count: channels)
    weights.bytes.withUnsafeBytes { raw in
      forEachRun(weights.shape) { channel, run in
        for index in run {
          let weight = raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
          result[channel] = max(result[channel], weight.magnitude)
        }
      }
    }
    return result
  }
}

extension Tensor {
  /// A float32 tensor with runs of elements multiplied by factors.
  fileprivate func scaled(
    _ runs: ((Float, Range<Int>) -> Void) -> Void
  ) -> Tensor {
    let scaled = bytes.withUnsafeBytes { source in
      Bytes(count: source.count) { target in
        target.copyMemory(from: source)
        runs { factor, run in
          for index in run {
            let value = source.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
            target.storeBytes(of: value * factor, toByteOffset: index * 4, as: Float.self)
          }
        }
      }
    }
    return Tensor(element, shape, bytes: scaled) ?? self
  }
}

extension Model {
  /// Initializers by name.
  var constants: [String: Tensor] {
    Dictionary(
      graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  }

  /// Gives one input of one node another constant; what others read stays, and so does what it was.
  mutating func replace(_ position: Int, of node: Int, _ name: String, _ tensor: Tensor) {
    let taken = graph.definedNames
    var fresh = "\(name)_\(graph.nodes[node].layerName)"
    var number = 1
    while taken.contains(fresh) {
      number += 1
      fresh = "\(name)_\(graph.nodes[node].layerName)_\(number)"
    }
    graph.initializers.append(Initializer(fresh, tensor))
    graph.nodes[node].inputs[position] = fresh
  }
}
