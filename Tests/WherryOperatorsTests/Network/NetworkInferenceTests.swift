import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryONNX

@testable import WherryOperators

/// What the network operators infer, compared with the types that ONNX's node tests declare.
@Suite struct NetworkInferenceTests {
  @Test func inferredTypesAreThoseThatNodeTestsDeclare() throws {
    guard let folder = Suites.find("onnx_node") else { return }
    let own = Set(OperatorSet.networkOperators.map { $0.signature.name })
    var (whole, partial) = (0, 0)
    for test in NodeTestCase.all(in: folder) {
      let file = "\(test.path)/model.onnx"
      let source = ModelSource(try Bytes(mapping: file), path: file, operators: OperatorSet.all)
      guard var model = try? ONNXFormat.read(source).model, model.graph.nodes.count == 1,
        own.contains(model.graph.nodes[0].operation.name)
      else { continue }
      let declared = model.graph.outputs
      try fixInputs(of: &model, from: test.path)
      for index in model.graph.outputs.indices { model.graph.outputs[index].type = .unspecified }
      let inference = TypeInference(model)
      #expect(inference.errors.isEmpty, "\(test.name): \(inference.errors)")
      for output in declared {
        guard let inferred = inference.types[output.name] else {
          Issue.record("\(test.name): nothing is inferred of \"\(output.name)\"")
          continue
        }
        #expect(
          ValueType.merge(output.type, inferred) != nil && inferred.element == output.type.element,
          "\(test.name): \(output.name) is \(inferred), declared \(output.type)")
        if inferred.shape?.extents == output.type.shape?.extents {
          whole += 1
        } else {
          partial += 1
          // How many boxes are kept and how large an encoded image is, only running tells.
          let isOpen = ["nonmaxsuppression", "image_decoder"].contains { test.name.contains($0) }
          #expect(isOpen, "\(test.name): \(output.name) is \(inferred), declared \(output.type)")
        }
      }
    }
    print("network inference: \(whole) whole, \(partial) partial")
    #expect(whole > 10 * partial)
  }

  /// Makes every input but the first a constant, as sizes and scales are in real models.
  private func fixInputs(of model: inout Model, from path: String) throws {
    for (index, input) in model.graph.inputs.enumerated().dropFirst() {
      let file = "\(path)/test_data_set_0/input_\(index).pb"
      guard Folder.exists(file),
        let tensor = try ValueFile.read(Bytes(mapping: file), as: input.type).tensor
      else { continue }
      model.graph.initializers.append(Initializer(input.name, tensor))
    }
    let constants = Set(model.graph.initializers.map(\.name))
    model.graph.inputs.removeAll { constants.contains($0.name) }
  }
}
