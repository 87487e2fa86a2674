import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

/// Collapses a model; what is left of it must compute the same within one step.
private func collapsed(
  _ model: Model, exactly: Bool = false
) throws -> (model: Model, report: CollapseQDQ.Report) {
  var result = model
  let report = try CollapseQDQ.collapse(&result)
  #expect(result.violations.isEmpty)
  let found = try difference(model, result)
  #expect(found.of > 0 && found.most <= (exactly ? 0 : 1), "\(found)")
  #expect(found.count * 50 <= found.of, "\(found)")
  return (result, report)
}

private func conv(_ pads: Int = 1, group: Int = 1) -> Conv {
  var conv = Conv()
  (conv.pads, conv.group) = ([pads, pads, pads, pads], group)
  return conv
}

@Suite struct CollapseProductsTests {
  @Test(arguments: [ElementType.int8, .uint8])
  func aConvolutionWithItsActivationIsOneNode(_ element: ElementType) throws {
    var graph = QuantizedGraph()
    let zero = element == .int8 ? Int64(-128) : 0
    let x = graph.input("x", [1, 3, 8, 8])
    let q = try graph.pair(x, 0.02, zero + 128, element)
    let w = try graph.weights([5, 3, 3, 3])
    let bias = try graph.constant(
      Tensor(.float32, [5], elements: [Float](repeating: 0.3, count: 5)), "bias")
    let relu = graph.add(Relu(), [graph.add(conv(), [q, w, bias])])
    let y = try graph.quantize(relu, 0.05, zero, element)
    let (model, report) = try collapsed(graph.model(y))
    #expect(operators(model) == ["QuantizeLinear", "QLinearConv"])
    #expect(report.changes == 1 && report.left.isEmpty)
  }

  /// Where 0 is not the least value, the activation is a bound of the 8-bit values.
  @Test func clampsThatSaturationDoesNotDoStay() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [1, 4, 6, 6]), 0.02, 3, .int8)
    let w = try graph.weights([4, 1, 3, 3], perChannel: false)
    let (low, high) = (
      try graph.constant(Tensor(.float32, [], elements: [Float(0)]), "low"),
      try graph.constant(Tensor(.float32, [], elements: [Float(6)]), "high")
    )
    let h = graph.add(Clip(), [graph.add(conv(group: 4), [q, w]), low, high])
    let y = try graph.quantize(h, 0.06, -10, .int8)
    let (model, _) = try collapsed(graph.model(y))
    #expect(operators(model) == ["QuantizeLinear", "QLinearConv", "Clip"])
    let bounds = model.graph.nodes[2].inputs.dropFirst().compactMap { name in
      model.graph.initializers.first { $0.name == name }?.tensor.integers.first
    }
    #expect(bounds == [-10, 90])
  }

  @Test func unsignedWeightsBecomeSignedOnes() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [1, 2, 5, 5]), 0.02, 128, .uint8)
    let w = try graph.weights([3, 2, 3, 3], .uint8, zero: 128, within: -128...127)
    let y = try graph.quantize(graph.add(conv(), [q, w]), 0.05, 128, .uint8)
    let (model, _) = try collapsed(graph.model(y))
    #expect(operators(model) == ["QuantizeLinear", "QLinearConv"])
    let weights = model.graph.initializers.filter { $0.tensor.shape == [3, 2, 3, 3] }
    #expect(weights.map(\.tensor.element) == [.int8])
  }

  @Test func weightsThatDoNotFitStayInFloatAndAreReported() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [1, 2, 5, 5]), 0.02, 128, .uint8)
    let w = try graph.weights([3, 2, 3, 3], .uint8, zero: 0, within: 0...255)
    let y = try graph.quantize(graph.add(conv(), [q, w]), 2, 128, .uint8)
    let (model, report) = try collapsed(graph.model(y), exactly: true)
    #expect(operators(model).contains("Conv"))
    #expect(report.changes == 0)
    #expect(report.left.map(\.operation.name) == ["Conv"])
    #expect(report.left.first?.place.road.count == 2)
  }

  @Test func aMatrixProductTakesItsBias() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [2, 3, 6]), 0.02, 0, .int8)
    let w = try graph.weights([6, 4], axis: 1)
    let bias = try graph.constant(
      Tensor(.float32, [4], elements: [Float(1), -1, 0.5, 0]), "bias")
    let y = try graph.quantize(
      graph.add(Add(), [bias, graph.add(MatMul(), [q, w])]), 0.03, 0, .int8)
    let (model, _) = try collapsed(graph.model(y))
    #expect(operators(model) == ["QuantizeLinear", "Reshape", "QGemm", "Reshape"])
  }

  @Test func gemmKeepsItsTranspositionAndFactors() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [3, 6]), 0.02, -4, .int8)
    let w = try graph.weights([4, 6])
    let bias = try graph.constant(
      Tensor(.float32, [4], elements: [Float(1), -1, 0.5, 0]), "bias")
    var gemm = Gemm()
    (gemm.transB, gemm.alpha, gemm.beta) = (true, 0.5, 2)
    let y = try graph.quantize(graph.add(gemm, [q, w, bias]), 0.03, 9, .int8)
    let (model, _) = try collapsed(graph.model(y))
    #expect(operators(model) == ["QuantizeLinear", "QGemm"])
  }

  @Test func aTransposedConstantIsThatOfTheWeights() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [3, 6]), 0.02, -4, .int8)
    let w = graph.add(Transpose(), [try graph.weights([4, 6])])
    let y = try graph.quantize(graph.add(MatMul(), [q, w]), 0.03, 9, .int8)
    #expect(operators(try collapsed(graph.model(y)).model) == ["QuantizeLinear", "QGemm"])
  }

  @Test func twoActivationsMultiplyAsMatrices() throws {
    var graph = QuantizedGraph()
    let a = try graph.pair(graph.input("a", [2, 3, 5]), 0.02, 3, .int8)
    let b = try graph.pair(graph.input("b", [2, 5, 4]), 0.015, -3, .int8)
    let y = try graph.quantize(graph.add(MatMul(), [a, b]), 0.06, 1, .int8)
    let (model, _) = try collapsed(graph.model(y))
    #expect(operators(model) == ["QuantizeLinear", "QuantizeLinear", "QLinearMatMul"])
  }

  /// A float value that something else reads must go on existing; computing it twice helps nobody.
  @Test func aFloatResultThatIsAnOutputStaysInFloat() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [1, 3, 8, 8]), 0.02, 0, .int8)
    let real = graph.add(conv(), [q, try graph.weights([2, 3, 3, 3])])
    let y = try graph.quantize(real, 0.05, 0, .int8)
    let (model, report) = try collapsed(graph.model(real, y), exactly: true)
    #expect(operators(model).contains("Conv"))
    #expect(report.changes == 0)
  }

  @Test func aScaleOfNoUseLeavesItsNodeInFloat() throws {
    for scale in [Float(0), .infinity, -1, .leastNonzeroMagnitude] {
      var graph = QuantizedGraph()
      let q = try graph.pair(graph.input("x", [1, 3, 8, 8]), scale, 0, .int8)
      let y = try graph.quantize(
        graph.add(conv(), [q, try graph.weights([2, 3, 3, 3])]), 0.05, 0, .int8)
      var model = graph.model(y)
      #expect(try CollapseQDQ.run(&model) == 0)
    }
  }

  @Test func sumsThatMayOverflowStayInFloat() throws {
    var graph = QuantizedGraph()
    let q = try graph.pair(graph.input("x", [1, 3]), 0.02, 0, .int8)
    let w = try graph.weights([3, 1], axis: 1)
    let huge = try graph.constant(Tensor(.int32, [1], integers: [Int64(Int32.max) - 5]), "huge")
    let scale = try graph.constant(Tensor(.float32, [], elements: [Float(0.02) * 0.01]), "sb")
    let bias = graph.add(DequantizeLinear(), [huge, scale])
    let y = try graph.quantize(graph.add(Gemm(), [q, w, bias]), 100, 0, .int8)
    var model = graph.model(y)
    let report = try CollapseQDQ.collapse(&model)
    #expect(report.changes == 0 && report.left.count == 1)
  }

  @Test func activationsQuantizedAsTheyComeMultiplyInIntegers() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [3, 6])
    graph.nodes.append(
      Node(DynamicQuantizeLinear(), inputs: [x], outputs: ["q", "s", "z"]))
    let w = try graph.constant(
      Tensor(.int8, [6, 4], integers: (0..<24).map { $0 * 11 % 255 - 127 }), "w")
    let ws = try graph.constant(Tensor(.float32, [1], elements: [Float(0.02)]), "ws")
    let wz = try graph.constant(Tensor(.int8, [1], integers: [0]), "wz")
    let sums = graph.add(MatMulInteger(), ["q", w, "z", wz])
    var cast = Cast()
    cast.target = .float32
    let real = graph.add(cast, [sums])
    let scaled = graph.add(Mul(), [real, graph.add(Mul(), ["s", ws])])
    let bias = try graph.constant(
      Tensor(.float32, [4], elements: [Float(1), -1, 0.5, 0]), "bias")
    let y = graph.add(Add(), [scaled, bias])
    let (model, report) = try collapsed(graph.model(y), exactly: true)
    #expect(operators(model) == ["DynamicQuantizeLinear", "MatMulIntegerToFloat"])
    #expect(report.changes == 1)
    #expect(model.graph.nodes[1].inputs.count == 7)
  }

  /// Padding by 0 is padding by the zero point, which the integer convolution does itself.
  @Test func paddingGoesIntoTheIntegerConvolution() throws {
    for (value, isTaken) in [(Float(0), true), (0.5, false)] {
      var graph = QuantizedGraph()
      let x = graph.input("x", [1, 3, 6, 6], .uint8)
      let pads = try graph.constant(Tensor(vector: [0, 0, 1, 2, 0, 0, 0, 1]), "pads")
      let number = try graph.constant(Tensor(.float32, [], elements: [value]), "number")
      let padded = graph.add(Pad(), [try graph.dequantize(x, 0.02, 100, .uint8), pads, number])
      let w = try graph.weights([4, 3, 3, 3])
      let y = try graph.quantize(graph.add(Conv(), [padded, w]), 0.05, 128, .uint8)
      let before = graph.model(y)
      let after = try before.prepared()
      #expect(operators(after) == (isTaken ? ["QLinearConv"] : ["Pad", "QLinearConv"]))
      #expect(try difference(before, after).most <= 1)
    }
  }

  @Test func convolutionsOfSuchActivationsToo() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [1, 2, 5, 5])
    graph.nodes.append(
      Node(DynamicQuantizeLinear(), inputs: [x], outputs: ["q", "s", "z"]))
    let w = try graph.constant(
      Tensor(.int8, [3, 2, 3, 3], integers: (0..<54).map { $0 * 11 % 255 - 127 }), "w")
    let ws = try graph.constant(Tensor(.float32, [], elements: [Float(0.02)]), "ws")
    var conv = ConvInteger()
    conv.pads = [1, 1, 1, 1]
    var cast = Cast()
    cast.target = .float32
    let real = graph.add(cast, [graph.add(conv, ["q", w, "z"])])
    let y = graph.add(Mul(), [real, graph.add(Mul(), [ws, "s"])])
    let (model, _) = try collapsed(graph.model(y), exactly: true)
    #expect(operators(model) == ["DynamicQuantizeLinear", "ConvIntegerToFloat"])
  }
}
