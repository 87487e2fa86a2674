import WherryBytes
import WherryGraph
import WherryOperators

/// What a node must look like to be quantized.
enum LayerRequirements {
  /// Why a node stays float; nil when it doesn't have to. A product of two activations changes its rule.
  static func problem(
    _ node: Node, _ rule: inout QuantizationRule, _ facts: GraphFacts
  ) -> String? {
    switch node.operation {
    case is Conv, is ConvTranspose: return weights(node, facts)
    case let gemm as Gemm:
      if gemm.transA { return "A is transposed" }
      if gemm.alpha != 1 || gemm.beta != 1 { return "alpha or beta is not 1" }
      return weights(node, facts)
    case is MatMul:
      if facts.constant(node, 1) == nil {
        rule = .product
        return nil
      }
      return weights(node, facts)
    case is LSTM, is GRU:
      guard [1, 2].allSatisfy({ facts.constant(node, $0).map(isUsable) == true }) else {
        return "the weights are not constant and finite"
      }
      return nil
    case is Add, is Sub, is Mul:
      for position in 0..<2 where facts.constant(node, position).map(isUsable) == false {
        return "a constant operand is not finite"
      }
      return nil
    case is PRelu:
      return facts.constant(node, 1)?.count == 1 ? nil : "a slope for each channel"
    case is Clip: return hasConstantBounds(node, facts) ? nil : "bounds that are not constant"
    case let mean as ReduceMean: return problem(mean, node, facts)
    case is MaxPool:
      return node.outputs.count > 1 && node.outputs[1] != nil ? "indices are asked for" : nil
    case let pad as Pad: return problem(pad, node, facts)
    case let resize as Resize:
      if resize.mode == .nearest { rule = .selection }
      return resize.mode != .nearest && resize.antialias ? "antialiasing" : nil
    case is Gather, is SliceOperator, is Split, is Reshape, is Transpose, is Concat:
      return node.inputs.compactMap { $0.flatMap { facts.constants[$0] } }
        .filter { $0.element == .float32 }.allSatisfy(isUsable) ? nil : "constants not finite"
    default: return nil
    }
  }

  static func isUsable(_ tensor: Tensor) -> Bool {
    tensor.element == .float32 && tensor.isFinite
  }

  private static func weights(_ node: Node, _ facts: GraphFacts) -> String? {
    guard let weights = facts.constant(node, 1) else { return "the weights are not constant" }
    guard weights.rank >= 2, weights.count > 0 else { return "the weights are no matrix" }
    guard isUsable(weights) else { return "the weights are not all finite" }
    guard node.inputs.count > 2, node.inputs[2] != nil else { return nil }
    guard let bias = facts.constant(node, 2) else { return "the bias is not constant" }
    let layout = WeightLayout(node.operation, weights)
    guard bias.count == layout.outputs, bias.shape.last ?? 1 == bias.count else {
      return "the bias is not a vector of one number for each output"
    }
    return isUsable(bias) ? nil : "the bias is not all finite"
  }

  static func hasConstantBounds(_ node: Node, _ facts: GraphFacts) -> Bool {
    node.inputs.dropFirst().allSatisfy { name in
      name.map { facts.constants[$0]?.isFinite == true } ?? true
    }
  }

  /// Means over spatial axes; a mean over features is part of a normalization, which int8 ruins.
  private static func problem(_ mean: ReduceMean, _ node: Node, _ facts: GraphFacts) -> String? {
    guard let input = node.inputs.first ?? nil, let rank = facts.rank(input), rank >= 3,
      let axes = facts.constant(node, 1)?.integers
    else { return "a mean over axes that are not known" }
    let places = Set(axes.map { $0 < 0 ? Int($0) + rank : Int($0) })
    guard !places.isEmpty, !places.contains(0), rank == 3 || places.count > 1 else {
      return "a mean over features"
    }
    let isCentred = node.outputs.first.flatMap { $0 }.flatMap { facts.readers[$0] }?.contains {
      reader in
      facts.readers[input]?.contains { $0.node == reader.node } == true
    }
    return isCentred == true ? "a mean that is part of a normalization" : nil
  }

  private static func problem(_ pad: Pad, _ node: Node, _ facts: GraphFacts) -> String? {
    guard pad.mode == .constant, node.inputs.count > 2, let name = node.inputs[2] else {
      return nil
    }
    guard let value = facts.constants[name]?.doubles.first, value.isFinite else {
      return "a padding value that is not finite"
    }
    return nil
  }
}

extension Tensor {
  /// Whether no element of a float tensor is NaN or infinite.
  var isFinite: Bool {
    guard element == .float32 else { return doubles.allSatisfy { $0.isFinite } }
    return bytes.withUnsafeBytes { raw in
      // All exponent bits set means infinite or NaN.
      var found = false
      for index in 0..<raw.count / 4 {
        let pattern = raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
        found = found || pattern & 0x7F80_0000 == 0x7F80_0000
      }
      return !found
    }
  }
}
