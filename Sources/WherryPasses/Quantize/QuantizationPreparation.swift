import WherryBytes
import WherryGraph
import WherryOperators

/// Brings a model into the form that is quantized: weights final, functions inlined, nothing dead.
public enum QuantizationPreparation {
  /// The prepared model.
  ///
  /// - Throws: `QuantizationError` for a model that is quantized already and still has float layers.
  public static func prepare(_ model: Model) throws(QuantizationError) -> Model {
    var model = model
    do {
      _ = try InlineFunctions.run(&model)
      try refuseQuantized(model)
      repeat { _ = try FoldConstants.run(&model) } while try InlineConditions.run(&model) > 0
      _ = try RemoveIdentity.run(&model)
      _ = try FuseBatchNorm.run(&model)
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
