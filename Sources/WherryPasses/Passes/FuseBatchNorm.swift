import WherryBytes
import WherryGraph
import WherryOperators

/// Takes a batch normalization into the convolution or matrix product before it.
///
/// Weights and bias are scaled in float64 and rounded once.
public enum FuseBatchNorm: Pass {
  public static let name = "fuse-batch-norm"
  public static let summary = "takes batch normalizations into the layers before them"

  public static func run(_ model: inout Model) throws(RunError) -> Int {
    var fusion = Fusion(model)
    for index in model.graph.nodes.indices { fusion.fuse(at: index) }
    guard fusion.changes > 0 else { return 0 }
    model.graph.nodes = fusion.nodes.compactMap { $0 }
    model.graph.initializers += fusion.made
    return fusion.changes
  }

  private struct Fusion {
    var nodes: [Node?]
    var made: [Initializer] = []
    var changes = 0
    private var makers: [String: Int] = [:]
    private var uses: [String: Int] = [:]
    private var constants: [String: Tensor] = [:]
    private var taken: Set<String>
    private let types: [String: ValueType]

    init(_ model: Model) {
      nodes = model.graph.nodes
      taken = model.graph.definedNames
      types = TypeInference(model).types
      let inputs = Set(model.graph.inputs.map(\.name))
      for initializer in model.graph.initializers where !inputs.contains(initializer.name) {
        constants[initializer.name] = initializer.tensor
      }
      for (index, node) in model.graph.nodes.enumerated() {
        for case let name? in node.outputs { makers[name] = index }
        for name in node.usedNames { uses[name, default: 0] += 1 }
        // A value read twice by one node.
        let listed = node.inputs.compactMap { $0 }
        for name in Set(listed) { uses[name, default: 0] += listed.count { $0 == name } - 1 }
      }
      for output in model.graph.outputs { uses[output.name, default: 0] += 1 }
    }

    mutating func fuse(at index: Int) {
      guard let node = nodes[index], let norm = node.operation as? BatchNormalization,
        !norm.trainingMode, node.inputs.count == 5, let input = node.inputs[0],
        uses[input] == 1, let maker = makers[input], let layer = nodes[maker],
        layer.outputs.count == 1,
        let affine = ChannelAffine(
          norm, node.inputs[1...].map { $0.flatMap { constants[$0] } }),
        let fused = fused(layer, affine)
      else { return }
      var merged = fused
      merged.outputs = [node.outputs.first ?? nil]
      guard node.outputs.dropFirst().allSatisfy({ $0 == nil }) else { return }
      nodes[maker] = nil
      nodes[index] = merged
      if let name = merged.outputs[0] { makers[name] = index }
      changes += 1
    }

    private mutating func fused(_ layer: Node, _ affine: ChannelAffine) -> Node? {
      guard layer.inputs.count >= 2, let weightName = layer.inputs[1],
        let weight = constants[weightName], weight.element == .float32 || weight.element == .float64
      else { return nil }
      let bias = layer.inputs.count > 2 ? layer.inputs[2] : nil
      var old: Tensor?
      if let bias {
        guard let known = constants[bias] else { return nil }
        old = known
      }
      switch layer.operation {
      case is Conv:
        return rebuild(layer, layer.operation, weight, axis: 0, groups: 1, old, 1, affine)
      case let conv as ConvTranspose:
        return rebuild(layer, conv, weight, axis: 1, groups: conv.group, old, 1, affine)
      case var gemm as Gemm:
        let beta = gemm.beta
        gemm.beta = 1
        guard gemm.alpha == 1 else { return nil }
        return rebuild(
          layer, gemm, weight, axis: gemm.transB ? 0 : 1, groups: 1, old, Double(beta), affine)
      case is MatMul:
        guard let input = layer.inputs[0], types[input]?.shape?.rank == 2, weight.rank == 2 else {
          return nil
        }
        return rebuild(layer, Gemm(), weight, axis: 1, groups: 1, nil, 1, affine)
      default: return nil
      }
    }

    /// The layer with weights and bias scaled.
    ///
    /// - Parameters:
    ///   - axis: the weight's axis of output channels, of one group.
    ///   - groups: how many runs of channels stand along axis 0 instead.
    private mutating func rebuild(
      _ layer: Node, _ operation: any Operator, _ weight: Tensor, axis: Int, groups: Int,
      _ bias: Tensor?, _ beta: Double, _ affine: ChannelAffine
    ) -> Node? {
      let channels = affine.factors.count
      guard weight.rank > axis, groups > 0, weight.shape[axis] * groups == channels,
        groups == 1 || weight.shape[0] % groups == 0, weight.count > 0
      else { return nil }
      var offsets = affine.offsets
      if let bias {
        guard bias.count == channels || bias.count == 1, (bias.shape.last ?? 1) == bias.count else {
          return nil
        }
        let numbers = bias.doubles
        for channel in 0..<channels {
          let own = numbers[numbers.count == 1 ? 0 : channel]
          offsets[channel] += own * beta * affine.factors[channel]
        }
      }
      var numbers = weight.doubles
      let inner = weight.shape[(axis + 1)...].reduce(1, *)
      let width = weight.shape[axis]
      let perGroup = weight.count / groups
      for index in numbers.indices {
        let channel = index / inner % width + (groups > 1 ? index / perGroup * width : 0)
        numbers[index] *= affine.factors[channel]
      }
      guard let scaled = Tensor(weight.element, weight.shape, doubles: numbers),
        let shifted = Tensor(weight.element, [channels], doubles: offsets)
      else { return nil }
      var node = layer
      node.operation = operation
      node.inputs = [
        layer.inputs[0], constant(scaled, layer.inputs[1] ?? "weight"),
        constant(shifted, (layer.inputs.count > 2 ? layer.inputs[2] : nil) ?? "bias"),
      ]
      return node
    }

    private mutating func constant(_ tensor: Tensor, _ base: String) -> String {
      var name = "\(base)_normalized"
      var number = 1
      while taken.contains(name) {
        number += 1
        name = "\(base)_normalized\(number)"
      }
      taken.insert(name)
      constants[name] = tensor
      made.append(Initializer(name, tensor))
      return name
    }
  }
}
