import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryONNX
import WherryOperators
import WherryPasses

@testable import Wherry

/// What stands around and inside a recurrent layer of a test.
private struct RecurrentForm: CustomTestStringConvertible, Sendable {
  var isGRU = false
  var direction = RecurrentDirection.forward
  var layout = 0
  var steps = 9
  var batch = 2
  var input = 7
  var hidden = 5
  var linearBeforeReset = false
  var element = ElementType.int8
  var hasBias = true
  var hasStates = true
  var isPerChannel = true
  /// Outputs that are asked for.
  var outputs = [0, 1, 2]
  /// Whether `Y` is quantized, to which the hidden state's scale is fitted.
  var isQuantized = true

  var testDescription: String { "\(self)" }

  private var gates: Int { isGRU ? 3 : 4 }
  private var directions: Int { direction == .bidirectional ? 2 : 1 }

  private var operation: any Operator {
    if isGRU {
      var gru = GRU()
      (gru.direction, gru.layout, gru.hiddenSize) = (direction, layout, hidden)
      gru.linearBeforeReset = linearBeforeReset
      return gru
    }
    var lstm = LSTM()
    (lstm.direction, lstm.layout, lstm.hiddenSize) = (direction, layout, hidden)
    return lstm
  }

  private func floats(
    _ graph: inout QuantizedGraph, _ shape: [Int], _ range: Float, _ name: String
  ) throws -> String {
    let numbers = (0..<shape.reduce(1, *)).map { _ in
      (Float(graph.random() % 2001) / 1000 - 1) * range
    }
    return try graph.constant(Tensor(.float32, shape, elements: numbers), name)
  }

  /// - Parameter change: of the float layer.
  func model(
    seed: UInt64 = 1, _ change: (inout Node, inout QuantizedGraph) throws -> Void = { _, _ in }
  ) throws -> Model {
    var graph = QuantizedGraph(seed: seed)
    let zero = element.integerRange.lowerBound + 117
    let shape = layout == 0 ? [steps, batch, input] : [batch, steps, input]
    let x = try graph.dequantize(graph.input("x", shape, element), 0.013, zero, element)
    let rows = gates * hidden
    let w = try graph.weights([directions, rows, input], axis: 1, perChannel: isPerChannel)
    let r = try graph.weights([directions, rows, hidden], axis: 1, perChannel: isPerChannel)
    let state = layout == 0 ? [directions, batch, hidden] : [batch, directions, hidden]
    var inputs: [String?] = [x, w, r]
    inputs.append(
      hasBias ? try floats(&graph, [directions, 2 * rows], 0.7, "b") : nil)
    inputs.append(nil)
    for index in 0..<(isGRU ? 1 : 2) where hasStates {
      inputs.append(try floats(&graph, state, 1, "state\(index)"))
    }
    while let last = inputs.last, last == nil { inputs.removeLast() }
    let names = (0..<(isGRU ? 2 : 3)).map { outputs.contains($0) ? "out\($0)" : nil }
    var node = Node(operation, name: "layer", inputs: inputs, outputs: names)
    try change(&node, &graph)
    graph.nodes.append(node)
    var results = names.compactMap { $0 }
    if isQuantized, let y = node.outputs[0] {
      results[0] = try graph.quantize(y, 0.0071, zero + 9, element)
    }
    var model = graph.model(x)
    model.graph.outputs = results.map { ValueInfo($0, .unspecified) }
    return model
  }
}

extension QuantizedRuntimeTests {
  private static let recurrentForms: [RecurrentForm] = {
    var forms: [RecurrentForm] = []
    for isGRU in [false, true] {
      for direction in [RecurrentDirection.forward, .reverse, .bidirectional] {
        for linearBeforeReset in isGRU ? [false, true] : [false] {
          for (layout, hidden) in [(0, 5), (1, 16), (0, 24), (1, 33)] {
            var form = RecurrentForm(isGRU: isGRU, direction: direction, layout: layout)
            (form.hidden, form.linearBeforeReset) = (hidden, linearBeforeReset)
            form.element = hidden % 2 == 0 ? .uint8 : .int8
            forms.append(form)
          }
        }
      }
      var form = RecurrentForm(isGRU: isGRU)
      (form.hasBias, form.hasStates, form.isPerChannel) = (false, false, false)
      forms.append(form)
      (form.isQuantized, form.outputs, form.batch) = (false, [0], 1)
      forms.append(form)
      (form.outputs, form.hasBias, form.steps) = ([1], true, 1)
      forms.append(form)
      (form.outputs, form.hasStates, form.batch) = (isGRU ? [0, 1] : [0, 2], true, 3)
      forms.append(form)
    }
    return forms
  }()

  @Test(arguments: recurrentForms)
  private func recurrentLayersOfEveryForm(_ form: RecurrentForm) throws {
    let kernels = try check(try form.model())
    #expect(kernels.contains(form.isGRU ? "QGRU" : "QLSTM"), "\(kernels)")
    #expect(!kernels.contains("LSTM") && !kernels.contains("GRU"), "\(kernels)")
  }

  /// The 8-bit layer is the float one but for rounding. Larger layers of these weights, of up to 6, switch at
  /// random: small steps become large ones.
  @Test(arguments: recurrentForms.filter { $0.hidden == 5 })
  private func recurrentLayersStayCloseToFloat(_ form: RecurrentForm) throws {
    let model = try form.model(seed: 3)
    try expectClose(model, try model.prepared())
  }

  private func expectClose(_ float: Model, _ integer: Model) throws {
    let inputs = try seededInputs(float)
    let expected = try ReferenceEvaluator(float).run(inputs)
    let actual = try ReferenceEvaluator(integer).run(inputs)
    for (index, output) in float.graph.outputs.enumerated() {
      let a = try made(expected[output.name]?.tensor)
      let b = try made(actual[output.name]?.tensor)
      let signal = a.doubles.reduce(0) { $0 + $1 * $1 }
      let noise = zip(a.doubles, b.doubles).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      #expect(a.shape == b.shape && a.element == b.element)
      #expect(noise < signal / 50, "output \(index): \(signal / noise)")
    }
  }

  /// ONNX has no such layer in 8 bits: the float one between quantizations stands for it.
  @Test(arguments: recurrentForms.filter { $0.hidden == 5 })
  private func recurrentLayersInONNXFilesAreFloatWithALoss(_ form: RecurrentForm) throws {
    let integer = try form.model(seed: 3).prepared()
    let sink = MemorySink()
    let losses = try ONNXFormat.write(integer, to: sink, options: WriteOptions())
    #expect(losses.contains { $0.kind == .numeric })
    let source = ModelSource(Bytes(sink.bytes), operators: OperatorSet.all)
    let read = try ONNXFormat.read(source).model
    #expect(read.graph.nodes.allSatisfy { $0.operation.name.domain.isEmpty })
    try expectClose(integer, read)
  }

  @Test(arguments: [
    "clip", "activations", "coupled gates", "lengths", "peepholes", "unsigned weights",
    "weights of a scale a column", "a bias that is computed",
  ])
  func whatOnlyFloatRecurrencesDoStaysFloat(_ what: String) throws {
    let form = RecurrentForm()
    let model = try form.model { node, graph in
      var lstm = try made(node.operation as? LSTM)
      while node.inputs.count < 8 { node.inputs.append(nil) }
      switch what {
      case "clip": lstm.clip = 2
      case "activations": lstm.activations = ["HardSigmoid", "Tanh", "Tanh"]
      case "coupled gates": lstm.inputForget = true
      case "lengths":
        node.inputs[4] = try graph.constant(Tensor(.int32, [2], integers: [9, 4]), "lengths")
      case "peepholes":
        node.inputs[7] = try graph.constant(
          Tensor(.float32, [1, 15], elements: (0..<15).map { Float($0) / 15 }), "p")
      case "unsigned weights":
        node.inputs[1] = try graph.weights([1, 20, 7], axis: 1, .uint8, within: 0...255)
      case "weights of a scale a column": node.inputs[2] = try graph.weights([1, 20, 5], axis: 2)
      default: node.inputs[3] = graph.add(Neg(), [graph.input("bias", [1, 40])])
      }
      node.operation = lstm
    }
    var collapsed = model
    let report = try CollapseQDQ.collapse(&collapsed)
    #expect(report.left.contains { $0.operation.name == "LSTM" && !$0.why.isEmpty })
    #expect(!collapsed.graph.nodes.contains { $0.operation is QLinearLSTM })
    let kernels = try model.compiled().operations.map(\.step.kernel)
    #expect(kernels.contains("LSTM") && !kernels.contains("QLSTM"), "\(kernels)")
  }

  @Test func knownLengthsOfEveryStepAreNoObstacle() throws {
    let kernels = try check(
      try RecurrentForm().model { node, graph in
        node.inputs[4] = try graph.constant(Tensor(.int32, [2], integers: [9, 9]), "lengths")
      })
    #expect(kernels.contains("QLSTM"), "\(kernels)")
  }
}
