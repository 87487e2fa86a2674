import WherryGraph
import WherryOperators

extension QDQRewriter {
  /// `output = Q(f(DQ(q)))` for a function of one 8-bit tensor: a clamp of its values, or a table.
  mutating func lookup(
    _ value: String, _ target: Quantization, _ output: String, _ name: String
  ) -> Bool {
    guard let region = region(value) else { return false }
    let source = region.source.quantization
    if region.nodes.count == 1, source.isSame(target),
      let node = region.nodes.first.map({ nodes[$0] }),
      let bounds = clampBounds(node)
    {
      emitClamp(
        region.source.name, target.element, target.quantize(bounds.low),
        target.quantize(bounds.high), output, name)
      return true
    }
    guard let reals = evaluate(region, value) else { return false }
    emitLookup(region.source.name, reals.map { target.quantize($0) }, target, output, name)
    return true
  }

  /// Nodes that compute a value element by element from one 8-bit tensor and single numbers.
  private struct Region {
    var source: EightBit
    /// The float value that stands for the source.
    var real: String
    /// In the order of the graph.
    var nodes: [Int]
  }

  /// Nodes of one region at most.
  private static let largestRegion = 64

  private mutating func region(_ value: String) -> Region? {
    var pending = [value]
    var found: Set<Int> = []
    var source: (eight: EightBit, real: String)?
    while let name = pending.popLast() {
      if let tensor = constant(name) {
        guard tensor.count == 1 else { return nil }
        continue
      }
      if let index = makers[name], ElementwiseFunctions.contains(nodes[index].operation) {
        guard found.count < Self.largestRegion else { return nil }
        if found.insert(index).inserted { pending += nodes[index].inputs.compactMap { $0 } }
        continue
      }
      guard let eight = eight(name) else { return nil }
      if let source, !source.eight.isSame(eight) { return nil }
      source = source ?? (eight, name)
    }
    guard let source, !found.isEmpty, let shape = extents(source.real), shape == extents(value)
    else { return nil }
    return Region(source: source.eight, real: source.real, nodes: found.sorted())
  }

  /// The region's value for each of the 256 values of its source, in increasing order.
  private func evaluate(_ region: Region, _ value: String) -> [Float]? {
    let quantization = region.source.quantization
    let reals = quantization.element.integerRange.map { quantization.dequantize($0) }
    guard let inputs = Tensor(.float32, [256], elements: reals) else { return nil }
    var values: [String: Tensor] = [region.real: inputs]
    for index in region.nodes {
      let node = nodes[index]
      var operands: [Value?] = []
      for name in node.inputs {
        guard let name else {
          operands.append(nil)
          continue
        }
        // Another value of the source's may stand for it too.
        guard
          let tensor = values[name] ?? constant(name)?.reshaped([]) ?? alias(name, region, inputs)
        else { return nil }
        operands.append(.tensor(tensor))
      }
      let call = OperatorCall(
        inputs: operands, wanted: [true],
        runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
      guard let name = node.outputs.first ?? nil,
        let tensor = (try? node.operation.evaluate(call))?.first??.tensor,
        tensor.element == .float32, tensor.shape == [256]
      else { return nil }
      values[name] = tensor
    }
    return values[value]?.doubles.map { Float($0) }
  }

  private func alias(_ name: String, _ region: Region, _ inputs: Tensor) -> Tensor? {
    known(name)?.isSame(region.source) ?? false ? inputs : nil
  }
}

/// Operators that compute each element from the elements at its place alone.
enum ElementwiseFunctions {
  static func contains(_ operation: any Operator) -> Bool {
    operation is any FloatUnary || names.contains(operation.name)
  }

  private static let names: Set<OperatorName> = Set(
    ([
      Clip.self, Shrink.self, PRelu.self, Add.self, Sub.self, Mul.self, Div.self, Pow.self,
      Min.self, Max.self, Sum.self, Mean.self, Identity.self,
    ] as [any Operator.Type]).map { $0.signature.name })
}
