import TestSupport
import Testing
import WherryBytes
import WherryData
import WherryGraph
import WherryNative
import WherryONNX
import WherryOperators
import WherryRuntime

/// Runs native bytes in the runtime once.
private func run(_ bytes: Bytes, _ inputs: [String: Tensor]) throws -> [String: Tensor] {
  let session = try bytes.withUnsafeBytes { try RuntimeModel($0) }
  defer { withExtendedLifetime(bytes) {} }
  for (index, input) in session.inputs.enumerated() {
    let tensor = try #require(inputs[input.name], "no data for \(input.name)")
    try tensor.bytes.withUnsafeBytes { try session.setInput(index, $0) }
  }
  try session.invoke()
  var results: [String: Tensor] = [:]
  for (index, output) in session.outputs.enumerated() {
    let data = Bytes(Array(session.output(index)))
    let element = try #require(ElementType(rawValue: output.element))
    results[output.name] = Tensor(element, output.dims, bytes: data)
  }
  return results
}

private func read(_ file: String) throws -> Model {
  let source = ModelSource(try Bytes(mapping: file), path: file, operators: OperatorSet.all)
  return try ONNXFormat.read(source).model
}

@Test(arguments: [
  "mlcommons+tiny_results_v1.2/closed/kai_jiang/code/ic/LC236R5E176_BOARD_V2.0/models/pretrainedResnet",
  "microsoft+onnxruntime-inference-examples/c_cxx/MNIST/mnist",
  "Linzaer+Ultra-Light-Fast-Generic-Face-Detector-1MB/models/onnx/version-slim-320_simplified",
  "breizhn+DTLN/pretrained_model/model_1", "breizhn+DTLN/pretrained_model/model_2",
  "kraiskil+onnx2c/test/velardo/lesson14", "kraiskil+onnx2c/test/velardo/lesson9",
  "kraiskil+onnx2c/test/mnist/pytorch", "kraiskil+onnx2c/test/tfl_helloworld/model",
  "microsoft+onnxruntime-extensions/test/data/ppp_vision/pytorch_super_resolution",
])
func theRuntimeGivesTheGoldenOutputs(name: String) throws {
  let golden = "goldens_onnx/\(name.replacing("/", with: "__")).onnx.npz"
  guard let file = Suites.find("models/\(name).onnx"), let data = Suites.find(golden) else {
    return
  }
  let model = try read(file)
  let arrays = Dictionary(
    try Npz.read(Bytes(mapping: data)).map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a }
  )
  var options = WriteOptions()
  for input in model.graph.inputs {
    options.inputShapes[input.name] = arrays["in0:\(input.name)"]?.shape
  }
  let (bytes, losses) = try NativeFormat.encode(model, options)
  #expect(losses.filter { $0.what.hasPrefix("no plan") }.isEmpty)
  for sample in 0..<4 {
    var inputs: [String: Tensor] = [:]
    for input in model.graph.inputs { inputs[input.name] = arrays["in\(sample):\(input.name)"] }
    guard inputs.values.allSatisfy({ _ in true }), !inputs.isEmpty else { continue }
    let results = try run(bytes, inputs)
    for output in model.graph.outputs {
      let expected = try #require(arrays["out\(sample):\(output.name)"])
      let result = try #require(results[output.name])
      let scale = expected.doubles.map { $0.magnitude }.max() ?? 0
      let tolerance = Tolerance(relative: 1e-4, absolute: 1e-5 * max(scale, 1))
      let difference = Value.tensor(result).difference(from: .tensor(expected), tolerance)
      #expect(difference == nil, "\(name), sample \(sample), \(output.name)")
    }
  }
}

/// The plan of a node test: with every input left open or, where that can't be planned, with those
/// that say axes, extents and scales as constants.
private func compiled(
  _ model: Model, _ inputs: [String: Tensor], _ options: WriteOptions
) -> Bytes? {
  if let bytes = try? NativeFormat.encode(model, options).bytes { return bytes }
  var model = model
  for (name, tensor) in inputs.sorted(by: { $0.key < $1.key }) {
    let isSmall = tensor.rank <= 1 && tensor.element.isInteger && tensor.element != .uint8
    if isSmall || tensor.element == .bool && tensor.rank == 0 || name.contains("scale") {
      model.graph.initializers.append(Initializer(name, tensor))
    }
  }
  return try? NativeFormat.encode(model, options).bytes
}

/// Every case of ONNX's node tests that compiles must give what it expects.
@Test func compiledNodeTestsGiveTheirExpectedOutputs() throws {
  guard let folder = Suites.find("onnx_node") else { return }
  var passed = 0
  // Written before a zero norm's quotient was defined as zero; wrapping where the operator saturates.
  let outdated = [
    "test_l2normalization_axis_0", "test_qlinearmatmul_2D_int8_float16",
    "test_qlinearmatmul_2D_int8_float32", "test_qlinearmatmul_3D_int8_float16",
    "test_qlinearmatmul_3D_int8_float32",
  ]
  for item in NodeTestCase.all(in: folder) where !outdated.contains(item.name) {
    guard let model = try? read("\(item.path)/model.onnx") else { continue }
    for set in Folder.names(item.path) where set.hasPrefix("test_data_set_") {
      var (inputs, options): ([String: Tensor], WriteOptions) = ([:], WriteOptions())
      options.isPlanOnly = true
      for (index, input) in model.graph.inputs.enumerated() {
        let file = "\(item.path)/\(set)/input_\(index).pb"
        guard Folder.exists(file), let bytes = try? Bytes(mapping: file),
          case .tensor(let tensor)? = try? ValueFile.read(bytes, as: input.type)
        else { continue }
        inputs[input.name] = tensor
        options.inputShapes[input.name] = tensor.shape
      }
      guard let bytes = compiled(model, inputs, options) else { continue }
      let results = try run(bytes, inputs)
      for (index, output) in model.graph.outputs.enumerated() {
        let file = "\(item.path)/\(set)/output_\(index).pb"
        guard Folder.exists(file) else { continue }
        let expected = try ValueFile.read(Bytes(mapping: file), as: output.type)
        let result = try #require(results[output.name])
        let difference = Value.tensor(result).difference(
          from: expected, Tolerance(relative: 1e-3, absolute: 1e-5))
        #expect(difference == nil, "\(item.name), output \(index)")
      }
      passed += 1
    }
  }
  print("node tests run by the runtime: \(passed)")
  #expect(passed > 1200)
}
