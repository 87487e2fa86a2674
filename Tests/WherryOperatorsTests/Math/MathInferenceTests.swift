import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryONNX

@testable import WherryOperators

/// What the mathematical operators infer about ONNX's backend tests, whose graphs declare their
/// types.
@Suite struct MathInferenceTests {
  @Test func inferredTypesAreTheDeclaredOnes() throws {
    guard let folder = Suites.find("onnx_node") else { return }
    let ours = Set(OperatorSet.mathOperators.map { $0.signature.name })
    var seen = 0
    for test in NodeTestCase.all(in: folder) where test.category.hasPrefix("node_") {
      guard let bytes = try? Bytes(mapping: "\(test.path)/model.onnx"),
        var model = try? ONNXFormat.read(ModelSource(bytes, path: "", operators: OperatorSet.all))
          .model,
        model.graph.nodes.allSatisfy({ ours.contains($0.operation.name) })
      else { continue }
      seen += 1
      let declared = model.graph.outputs
      for index in model.graph.outputs.indices { model.graph.outputs[index].type = .unspecified }
      model.graph.values = []
      let inference = TypeInference(model)
      #expect(inference.errors.isEmpty, "\(test.name): \(inference.errors)")
      for output in declared {
        guard let inferred = inference.types[output.name] else {
          Issue.record("\(test.name): nothing inferred for \(output.name)")
          continue
        }
        let isCompatible = ValueType.merge(output.type, inferred) != nil
        #expect(isCompatible, "\(test.name): \(inferred), declared \(output.type)")
        // Where inputs say what the shape is, it can't be known.
        if model.graph.nodes.contains(where: { Self.shapedByData.contains($0.operation.name.name) })
        {
          continue
        }
        #expect(inferred == output.type.plain, "\(test.name): \(output.name)")
      }
    }
    #expect(seen > 700)
  }

  /// Operators whose result's extents depend on the contents of inputs.
  private static let shapedByData: Set<String> = [
    "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix", "DFT", "STFT",
    "ReduceSum", "ReduceMean", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2",
    "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare",
  ]
}
