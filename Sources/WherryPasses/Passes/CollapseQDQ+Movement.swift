import WherryGraph
import WherryOperators

extension QDQRewriter {
  /// The 8-bit form of a value that a node makes by moving or choosing elements.
  mutating func moved(_ node: Node, _ value: String) -> EightBit? {
    guard let source = node.inputs.first ?? nil, node.outputs.contains(value) else { return nil }
    if node.operation is Split { return split(node, source, value) }
    guard node.outputs.first == value else { return nil }
    if isMovement(node) { return sameScale(node, source, value) }
    switch node.operation {
    case let pad as Pad: return padded(pad, node, source, value)
    case is Concat: return joined(node, value)
    case is GlobalMaxPool: return largest(node, source, value)
    case is Relu: return rectified(node, source, value)
    default: return nil
    }
  }

  /// Whether a node gives elements of its first input and nothing else, so that quantizing before and
  /// after is the same.
  func isMovement(_ node: Node) -> Bool {
    guard !node.inputs.isEmpty, node.inputs[0] != nil else { return false }
    switch node.operation {
    case is Reshape, is Flatten, is Transpose, is Squeeze, is Unsqueeze, is SliceOperator,
      is Identity, is DepthToSpace, is SpaceToDepth, is Tile, is Expand, is Gather:
      return true
    case is MaxPool: return node.outputs.dropFirst().allSatisfy { $0 == nil }
    case let resize as Resize:
      return resize.mode == .nearest && resize.coordinateTransformationMode != .cropAndResize
    default: return false
    }
  }

  /// The same operator on the 8-bit values.
  private mutating func sameScale(
    _ node: Node, _ source: String, _ value: String, inputs: [String?]? = nil
  ) -> EightBit? {
    guard let eight = eight(source) else { return nil }
    let result = fresh("\(value)_quantized")
    var moved = node
    moved.inputs = inputs ?? node.inputs.map { $0.map { current($0) } }
    moved.inputs[0] = eight.name
    moved.outputs = [result]
    emit(moved)
    return EightBit(name: result, quantization: eight.quantization)
  }

  /// Every part of an 8-bit tensor at once.
  private mutating func split(
    _ node: Node, _ source: String, _ value: String
  ) -> EightBit? {
    guard let eight = eight(source) else { return nil }
    var moved = node
    moved.inputs = node.inputs.map { $0.map { current($0) } }
    moved.inputs[0] = eight.name
    moved.outputs = node.outputs.map { name in name.map { fresh("\($0)_quantized") } }
    emit(moved)
    for (name, result) in zip(node.outputs, moved.outputs) {
      guard let name, let result else { continue }
      remember(name, EightBit(name: result, quantization: eight.quantization))
    }
    return known(value)
  }

  /// The largest element of each channel: a pool over all of it.
  private mutating func largest(
    _ node: Node, _ source: String, _ value: String
  ) -> EightBit? {
    guard let shape = extents(source), shape.count > 2 else { return nil }
    var (pool, moved) = (MaxPool(), node)
    pool.kernelShape = Array(shape[2...])
    moved.operation = pool
    return sameScale(moved, source, value)
  }

  /// Padding with a number that is one of the 8-bit values, or with elements of the tensor.
  private mutating func padded(
    _ pad: Pad, _ node: Node, _ source: String, _ value: String
  ) -> EightBit? {
    guard let eight = eight(source) else { return nil }
    let quantization = eight.quantization
    var inputs = node.inputs.map { $0.map { current($0) } }
    if pad.mode == .constant {
      var number: Float = 0
      if inputs.count > 2, let name = inputs[2] {
        guard let given = constant(name)?.doubles.first else { return nil }
        number = Float(given)
      }
      let filler = quantization.quantize(number)
      guard quantization.dequantize(filler) == number,
        let tensor = Tensor(quantization.element, [], integers: [filler])
      else { return nil }
      while inputs.count < 3 { inputs.append(nil) }
      inputs[2] = constant(tensor, "\(value)_filler")
    }
    return sameScale(node, source, value, inputs: inputs)
  }

  /// Parts of one scale and zero point.
  private mutating func joined(_ node: Node, _ value: String) -> EightBit? {
    var parts: [EightBit] = []
    for name in node.inputs {
      guard let name, let eight = eight(name),
        parts.first.map({ $0.quantization.isSame(eight.quantization) }) ?? true
      else { return nil }
      parts.append(eight)
    }
    guard let first = parts.first else { return nil }
    let result = fresh("\(value)_quantized")
    var moved = node
    (moved.inputs, moved.outputs) = (parts.map(\.name), [result])
    emit(moved)
    return EightBit(name: result, quantization: first.quantization)
  }

  /// `max(x, 0)`: 0 is one of the 8-bit values, its zero point.
  private mutating func rectified(
    _ node: Node, _ source: String, _ value: String
  ) -> EightBit? {
    guard let eight = eight(source) else { return nil }
    let quantization = eight.quantization
    let bounds = quantization.element.integerRange
    guard quantization.zeroPoint > bounds.lowerBound else { return eight }
    let result = fresh("\(value)_quantized")
    emitClamp(
      eight.name, quantization.element, quantization.zeroPoint, bounds.upperBound, result,
      node.name)
    return EightBit(name: result, quantization: quantization)
  }
}
