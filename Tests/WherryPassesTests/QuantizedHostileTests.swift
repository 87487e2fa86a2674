import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Quantization parameters and shapes that a hostile file can state: refused or left in float, never a
/// trap, whether evaluated, collapsed or lowered.
@Suite struct QuantizedHostileTests {
  /// Runs everything that sees a model; errors are what is expected of most.
  private func digest(_ model: Model) {
    var collapsed = model
    for pass in PassList.graph { _ = try? pass.run(&collapsed) }
    _ = try? model.compiled()
    _ = try? model.compiled(without: Set(PassList.graphNames))
    _ = (try? seededInputs(model)).map { try? ReferenceEvaluator(model).run($0) }
  }

  private static let numbers: [(ElementType, [Int64])] = [
    (.int64, [.min, .max]), (.int64, [.min]), (.int32, [Int64(Int32.min)]), (.int8, []),
    (.int8, [1, 2, 3]), (.uint8, [255]), (.int8, [-128]),
  ]
  private static let scales: [[Float]] = [
    [], [0], [-1], [.nan], [.infinity], [1e-38], [3e38], [1, 2], [.leastNonzeroMagnitude], [0.1],
  ]

  /// Every operator with every input replaced by constants that don't fit.
  @Test func parametersThatDoNotFitAreRefused() throws {
    let operations: [(any Operator, inputs: Int)] = [
      (QLinearAdd(), 8), (QLinearSub(), 8), (QLinearMul(), 8), (QLinearSigmoid(), 5),
      (QLinearLeakyRelu(), 5), (QLinearGlobalAveragePool(), 5), (QLinearReduceMean(), 5),
      (QLinearConcat(), 5), (QLinearWhere(), 9), (QLinearSoftmax(), 5), (QGemm(), 9),
      (MatMulIntegerToFloat(), 7), (DynamicQuantizeMatMul(), 5), (ConvIntegerToFloat(), 7),
      (QLinearConv(), 9), (QLinearMatMul(), 8), (Lookup(), 2), (QLinearResize(), 8),
      (DequantizeLinear(), 3), (QuantizeLinear(), 3), (ContribQLinearConv(), 9),
    ]
    for (operation, count) in operations {
      for wrong in 0..<count {
        for (index, (element, values)) in Self.numbers.enumerated() {
          var graph = QuantizedGraph()
          let x = graph.input("x", [1, 2, 3, 3], .int8)
          let fine = try graph.constant(Tensor(.float32, [], elements: [Float(0.1)]), "fine")
          let zero = try graph.constant(Tensor(.int8, [], integers: [3]), "zero")
          let bytes = try graph.constant(
            Tensor(.int8, [2, 2, 1, 1], integers: [1, 2, 3, 4]), "bytes")
          let bad = try graph.constant(
            index % 2 == 0
              ? Tensor(element, [values.count], integers: values)
              : Tensor(
                .float32, [Self.scales[index].count], elements: Self.scales[index]), "bad")
          let names: [String?] = (0..<count).map { place in
            if place == wrong { return bad }
            return place == 0 ? x : [bytes, fine, zero][place % 3]
          }
          digest(
            Model(
              graph: Graph(
                nodes: [Node(operation, inputs: names, outputs: ["y"])], inputs: graph.inputs,
                outputs: [ValueInfo("y", .unspecified)], initializers: graph.constants)))
        }
      }
    }
  }

  /// Scales, zero points, weights and biases of QDQ graphs.
  @Test func quantizationsThatDoNotFitStayInFloat() throws {
    for scale in Self.scales {
      for (element, values) in Self.numbers {
        for place in 0..<4 {
          var graph = QuantizedGraph()
          let x = graph.input("x", [1, 2, 4, 4], .int8)
          let s = try graph.constant(Tensor(.float32, [scale.count], elements: scale), "s")
          let z = try graph.constant(Tensor(element, [values.count], integers: values), "z")
          let fine = try graph.constant(Tensor(.float32, [], elements: [Float(0.1)]), "fine")
          let zero = try graph.constant(Tensor(.int8, [], integers: [0]), "zero")
          let w = try graph.constant(
            Tensor(.int8, [2, 2, 1, 1], integers: [127, -128, 3, 4]), "w")
          func parameters(_ index: Int) -> [String] { place == index ? [s, z] : [fine, zero] }
          let real = graph.add(DequantizeLinear(), [x] + parameters(0))
          let weights = graph.add(DequantizeLinear(), [w] + parameters(1))
          let bias = graph.add(DequantizeLinear(), [z] + parameters(2))
          let h = graph.add(Conv(), [real, weights, bias])
          let y = graph.add(QuantizeLinear(), [h] + parameters(3))
          digest(graph.model(y))
        }
      }
    }
  }

  @Test(arguments: [1 << 31, 1 << 40, 1 << 62])
  func hugeExtentsAreRefused(_ extent: Int) throws {
    var window = AveragePool()
    window.kernelShape = [1 << 30, 1 << 30]
    let operations: [any Operator] = [
      GlobalAveragePool(), ReduceMean(), Softmax(), GlobalMaxPool(), window, Sigmoid(), Relu(),
    ]
    for operation in operations {
      var graph = QuantizedGraph()
      let x = graph.input("x", [1, 1, extent, extent], .int8)
      let real = try graph.dequantize(x, 0.1, 3, .int8)
      let y = try graph.quantize(graph.add(operation, [real]), 0.1, 3, .int8)
      var model = graph.model(y)
      _ = try? CollapseQDQ.run(&model)
      #expect(throws: CompileError.self) { try model.compiled() }
    }
  }

  @Test func anEmptyImageDoesNotGrow() throws {
    let sizes = Tensor(vector: [1, 1, 4, 4])
    let call = OperatorCall(
      inputs: [
        Tensor(.int8, [1, 1, 0, 4], integers: []), Tensor(.float32, [], elements: [Float(1)]), nil,
        Tensor(.float32, [], elements: [Float(1)]), nil, nil, nil, sizes,
      ].map { $0.map { .tensor($0) } }, wanted: [true],
      runGraph: { (_, _) throws(RunError) in [] })
    #expect(throws: RunError.self) { try QLinearResize().evaluate(call) }
  }
}
