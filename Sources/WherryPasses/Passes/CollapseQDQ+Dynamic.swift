import WherryGraph
import WherryOperators

/// Integer products of activations that are quantized as they come:
/// `Mul(Cast(MatMulInteger(q, w)), Mul(s, w_scale))`, a bias added perhaps.
extension QDQRewriter {
  /// What a chain of nodes computes in one.
  private struct DynamicChain {
    /// The node with the exact sums.
    var product: Node
    /// Names of the activation's and the weights' scale.
    var scale, weightScale: String
    var bias: String?
  }

  /// Puts one operator in place of a chain that ends at `node`.
  mutating func collapseDynamic(_ node: Node) -> Bool {
    guard let output = node.outputs.first ?? nil, let chain = dynamicChain(node) else {
      return false
    }
    let inputs = chain.product.inputs
    func input(_ index: Int) -> String? {
      index < inputs.count ? inputs[index].map { current($0) } : nil
    }
    var operation: any Operator = MatMulIntegerToFloat()
    if let conv = chain.product.operation as? ConvInteger {
      var whole = ConvIntegerToFloat()
      (whole.autoPad, whole.dilations, whole.group) = (conv.autoPad, conv.dilations, conv.group)
      (whole.kernelShape, whole.pads, whole.strides) = (conv.kernelShape, conv.pads, conv.strides)
      operation = whole
    }
    var operands = [
      input(0), input(1), current(chain.scale), weightScale(chain.weightScale), input(2), input(3),
      chain.bias,
    ]
    while let last = operands.last, last == nil { operands.removeLast() }
    emit(
      Node(
        operation, name: chain.product.name, inputs: operands, outputs: [output],
        docString: chain.product.docString))
    return true
  }

  private mutating func dynamicChain(_ node: Node) -> DynamicChain? {
    if node.operation is Add, node.inputs.count == 2 {
      // A bias is best taken where it is added.
      for side in 0..<2 {
        guard let value = node.inputs[side], let bias = node.inputs[1 - side], isReadOnce(value),
          let scaled = maker(value), var chain = dynamicProduct(scaled),
          let vector = biasVector(bias, chain.product)
        else { continue }
        chain.bias = vector
        return chain
      }
      return nil
    }
    guard let chain = dynamicProduct(node), let output = node.outputs.first ?? nil else {
      return nil
    }
    // The sum that follows takes this one along.
    return isBiased(output, chain.product) ? nil : chain
  }

  private func dynamicProduct(_ node: Node) -> DynamicChain? {
    guard node.operation is Mul, node.inputs.count == 2 else { return nil }
    for side in 0..<2 {
      guard let real = node.inputs[side], let factor = node.inputs[1 - side], isReadOnce(real),
        let cast = maker(real), let product = castProduct(cast), let scales = maker(factor),
        scales.operation is Mul, scales.inputs.count == 2,
        let source = product.inputs.first ?? nil, let quantizer = maker(source),
        quantizer.operation is DynamicQuantizeLinear, quantizer.outputs.count == 3,
        product.inputs.count > 2, product.inputs[2] == quantizer.outputs[2],
        product.inputs.count < 4 || product.inputs[3] == nil
          || constant(product.inputs[3]) != nil
      else { continue }
      for own in 0..<2 {
        guard let scale = scales.inputs[own], let other = scales.inputs[1 - own],
          scale == quantizer.outputs[1], let tensor = constant(other), fits(tensor, product)
        else { continue }
        return DynamicChain(product: product, scale: scale, weightScale: other)
      }
    }
    return nil
  }

  /// The node whose exact sums a cast makes float.
  private func castProduct(_ cast: Node) -> Node? {
    guard let operation = cast.operation as? Cast, operation.target == .float32,
      let sums = cast.inputs.first ?? nil, isReadOnce(sums), let product = maker(sums),
      product.operation is MatMulInteger || product.operation is ConvInteger
    else { return nil }
    return product
  }

  /// Whether a scale of weights is one number, or one a column or filter.
  private func fits(_ scale: Tensor, _ product: Node) -> Bool {
    guard scale.element == .float32 else { return false }
    if scale.count == 1 { return scale.rank <= 1 || product.operation is MatMulInteger }
    guard let weights = constant(product.inputs[1]), weights.rank > 1 else { return false }
    if product.operation is MatMulInteger {
      return weights.rank == 2 && scale.count == weights.shape[1]
        && scale.shape.last == scale.count
    }
    // [M, 1, …, 1] lies along the filters of [N, M, …].
    return scale.count == weights.shape[0] && scale.rank == weights.rank - 1
      && scale.shape[0] == scale.count
  }

  /// A scale as one number or a vector.
  private mutating func weightScale(_ name: String) -> String {
    guard let tensor = constant(name), tensor.rank > 1, let flat = tensor.reshaped([tensor.count])
    else { return current(name) }
    return constant(flat, "\(name)_vector")
  }

  /// The name of a bias as a vector with one number a column or filter.
  private mutating func biasVector(_ name: String, _ product: Node) -> String? {
    guard let shape = biasShape(name, product), let tensor = constant(name) else { return nil }
    if tensor.shape == shape { return current(name) }
    return tensor.reshaped(shape).map { constant($0, "\(name)_vector") }
  }

  private func biasShape(_ name: String, _ product: Node) -> [Int]? {
    guard let tensor = constant(name), tensor.element == .float32,
      let weights = constant(product.inputs[1]), weights.rank > 1
    else { return nil }
    let channels =
      product.operation is ConvInteger ? weights.shape[0] : weights.shape[weights.rank - 1]
    guard tensor.count == channels, weights.rank == 2 || product.operation is ConvInteger else {
      return nil
    }
    let tail = product.operation is ConvInteger ? weights.rank - 2 : 0
    let at = tensor.rank - 1 - tail
    guard at >= 0, tensor.shape[at] == channels else { return nil }
    return [channels]
  }

  /// Whether the only reader of a product adds a bias to it.
  private func isBiased(_ value: String, _ product: Node) -> Bool {
    guard isReadOnce(value), let reader = reader(of: value), reader.operation is Add,
      reader.inputs.count == 2,
      let other = reader.inputs.first(where: { $0 != value }) ?? nil
    else { return false }
    return biasShape(other, product) != nil
  }
}
