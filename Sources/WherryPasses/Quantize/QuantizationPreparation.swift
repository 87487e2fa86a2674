import WherryBytes
import WherryGraph
import WherryOperators

/// Brings a model into the form that is quantized: weights final, functions inlined, nothing dead.
public enum QuantizationPreparation {
  /// The prepared model.
  ///
  /// - Throws: `QuantizationError` for a model that is quantized already and still has float layers.
  public static func prepare(_ model: Model) throws(QuantizationError) -> Model {
    try prepare(model, refusing: true)
  }

  private static func prepare(
    _ model: Model, refusing: Bool
  ) throws(QuantizationError) -> Model {
    var model = model
    do {
      _ = try InlineFunctions.run(&model)
      if refusing { try refuseQuantized(model) }
      // An input with a default is a constant of the quantized model.
      let defaults = Set(model.graph.initializers.map(\.name))
      model.graph.inputs.removeAll { defaults.contains($0.name) }
      repeat { _ = try FoldConstants.run(&model) } while try InlineConditions.run(&model) > 0
      _ = try RemoveIdentity.run(&model)
      _ = try FusePad.run(&model)
      _ = try FuseBatchNorm.run(&model)
      normalizeProducts(&model)
      _ = try RemoveDead.run(&model)
    } catch let error as QuantizationError {
      throw error
    } catch let error as RunError {
      throw QuantizationError(.run(error.reason), error.place)
    } catch {
      throw QuantizationError(.engine(["\(error)"]))
    }
    return model
  }

  /// Takes alpha and beta of products with constant weights into those, and spreads a single bias.
  private static func normalizeProducts(_ model: inout Model) {
    let constants = GraphFacts(model).constants
    for (index, node) in model.graph.nodes.enumerated() {
      guard var gemm = node.operation as? Gemm, let name = node.inputs[1],
        let weights = constants[name], weights.element == .float32, weights.rank == 2
      else { continue }
      if gemm.alpha != 1 {
        let numbers = weights.doubles.map { $0 * Double(gemm.alpha) }
        guard let scaled = Tensor(.float32, weights.shape, doubles: numbers), scaled.isFinite else {
          continue
        }
        model.replace(1, of: index, name, scaled)
        gemm.alpha = 1
      }
      if node.inputs.count > 2, let bias = node.inputs[2] {
        if let tensor = constants[bias], tensor.element == .float32,
          gemm.beta != 1 || tensor.count == 1
        {
          let outputs = weights.shape[gemm.transB ? 0 : 1]
          var numbers = tensor.doubles.map { $0 * Double(gemm.beta) }
          let shape = tensor.count == 1 ? [outputs] : tensor.shape
          if tensor.count == 1 { numbers = Array(repeating: numbers[0], count: outputs) }
          if let scaled = Tensor(.float32, shape, doubles: numbers) {
            model.replace(2, of: index, bias, scaled)
            gemm.beta = 1
          }
        }
      } else {
        gemm.beta = 1
      }
      model.graph.nodes[index].operation = gemm
    }
  }

  /// Whether a model is quantized already, and nothing with weights is left to quantize.
  public static func isComplete(_ model: Model) -> Bool {
    guard model.graph.nodes.contains(where: { isQuantized($0.operation) }),
      let prepared = try? prepare(model, refusing: false)
    else { return false }
    let facts = GraphFacts(prepared)
    let makers = GraphFacts(model)
    return prepared.graph.nodes.allSatisfy { node in
      guard let rule = QuantizationRule.of(node.operation), rule.isAnchor else { return true }
      // Float weights that didn't come out of DequantizeLinear.
      return !node.operation.weightPositions.contains { position in
        guard facts.constant(node, position) != nil, let name = node.inputs[position] else {
          return false
        }
        return makers.makers[name] == nil
      }
    }
  }

  private static func refuseQuantized(_ model: Model) throws(QuantizationError) {
    for (index, node) in model.graph.nodes.enumerated() {
      let place = Place().inside("graph").inside("node", at: index, node.name)
      if isQuantized(node.operation) {
        throw QuantizationError(.alreadyQuantized(node.operation.name), place)
      }
    }
  }

  /// Whether an operator computes with quantized numbers or converts to or from them.
  static func isQuantized(_ operation: any Operator) -> Bool {
    switch operation {
    case is QuantizeLinear, is DequantizeLinear, is DynamicQuantizeLinear, is QLinearConv,
      is QLinearMatMul, is ConvInteger, is MatMulInteger:
      return true
    default:
      let name = operation.name
      return name.domain == "com.microsoft"
        && (name.name.hasPrefix("QLinear") || name.name.contains("Quantize")
          || name.name.hasPrefix("QGemm") || name.name.contains("NBits"))
    }
  }
}
