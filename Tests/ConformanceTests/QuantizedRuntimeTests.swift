import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryNative
import WherryOperators
import WherryPasses

@testable import Wherry

/// What the runtime computes on 8-bit graphs is what the reference evaluator does, byte for byte.
@Suite struct QuantizedRuntimeTests {
  /// Compiles and runs a model, and evaluates the graph that was compiled.
  ///
  /// - Returns: the plan's kernels, in order.
  @discardableResult
  func check(
    _ model: Model, without skipped: Set<String> = [], _ location: SourceLocation = #_sourceLocation
  ) throws -> [String] {
    let inputs = try seededInputs(model)
    let prepared = try model.prepared(without: skipped)
    let expected = try ReferenceEvaluator(prepared).run(inputs)
    let plan = try model.compiled(without: skipped)
    var options = WriteOptions()
    (options.isPlanOnly, options.skippedPasses) = (true, skipped)
    let (bytes, losses) = try NativeFormat.encode(model, options)
    #expect(losses.allSatisfy { $0.kind != .capability }, sourceLocation: location)
    let session = try ModelSession(bytes)
    try session.fill(inputs.compactMapValues(\.tensor))
    try session.invoke()
    for (name, tensor) in try session.outputs() {
      let wanted = try made(expected[name]?.tensor)
      #expect(tensor.shape == wanted.shape && tensor.count > 0, sourceLocation: location)
      #expect(tensor == wanted, "\(name) differs", sourceLocation: location)
    }
    return plan.operations.map(\.step.kernel)
  }

  private static let elements: [ElementType] = [.int8, .uint8]

  /// A zero point away from the ends.
  private func zero(_ element: ElementType, _ offset: Int64) -> Int64 {
    element.integerRange.lowerBound + offset
  }

  private func conv(
    _ pads: [Int], strides: [Int] = [1, 1], dilations: [Int]? = nil, group: Int = 1
  ) -> Conv {
    var conv = Conv()
    (conv.pads, conv.strides, conv.dilations, conv.group) = (pads, strides, dilations, group)
    return conv
  }

  @Test(arguments: elements)
  func convolutionsOfEveryShape(_ element: ElementType) throws {
    let forms: [(Conv, channels: Int, weights: [Int])] = [
      (conv([1, 1, 1, 1]), 3, [20, 3, 3, 3]), (conv([0, 0, 0, 0]), 16, [33, 16, 1, 1]),
      (conv([2, 1, 0, 3], strides: [2, 3]), 5, [7, 5, 3, 5]),
      (conv([2, 2, 2, 2], dilations: [2, 2]), 4, [17, 4, 3, 3]),
      (conv([1, 1, 1, 1], group: 3), 6, [9, 2, 3, 3]),
      (conv([1, 1, 1, 1], group: 19), 19, [19, 1, 3, 3]),
      (conv([1, 0, 1, 2], strides: [2, 2], group: 8), 8, [8, 1, 5, 3]),
      (conv([1, 1, 1, 1], group: 4), 4, [12, 1, 3, 3]),
    ]
    for (index, form) in forms.enumerated() {
      var graph = QuantizedGraph(seed: UInt64(index))
      let x = graph.input("x", [2, form.channels, 11, 13], element)
      let real = try graph.dequantize(x, 0.03, zero(element, 100), element)
      let bias = try graph.constant(
        Tensor(
          .float32, [form.weights[0]],
          elements: (0..<form.weights[0]).map { Float($0) * 0.01 - 0.1 }), "bias")
      let w = try graph.weights(form.weights)
      let y = try graph.quantize(
        graph.add(Relu(), [graph.add(form.0, [real, w, bias])]), 0.09, zero(element, 90), element)
      let kernels = try check(graph.model(y))
      let isDepthwise = form.weights[1] == 1 && form.weights[0] == form.channels
      #expect(kernels.contains(isDepthwise ? "QDepthwiseConv" : "QConv"), "\(kernels)")
      #expect(!kernels.contains("QPool"), "the clamp is fused")
    }
  }

  @Test func imagesOfOneAndThreeAxes() throws {
    for rank in [1, 3] {
      var graph = QuantizedGraph(seed: 3)
      let spatial = Array(repeating: 9, count: rank)
      let x = graph.input("x", [1, 4] + spatial, .uint8)
      let real = try graph.dequantize(x, 0.03, 100, .uint8)
      let w = try graph.weights([6, 4] + Array(repeating: 3, count: rank))
      let y = try graph.quantize(graph.add(Conv(), [real, w]), 0.09, 90, .uint8)
      #expect(try check(graph.model(y)).contains("QConv"))
    }
  }

  /// A convolution whose weights are of another type or zero point than the kernels' is shifted, or
  /// computed exactly in float.
  @Test func unsignedWeightsOfAnyZeroPoint() throws {
    for (zeroPoint, isFast) in [(Int64(128), true), (120, false)] {
      var graph = QuantizedGraph(seed: 4)
      let x = graph.input("x", [1, 3, 6, 6], .uint8)
      let w = try graph.constant(
        Tensor(.uint8, [4, 3, 3, 3], integers: (0..<108).map { $0 * 37 % 256 }), "w")
      let scalars: [(String, Float)] = [("sx", 0.02), ("sw", 0.01), ("sy", 0.1)]
      for (name, value) in scalars {
        _ = try graph.constant(Tensor(.float32, [], elements: [value]), name)
      }
      for (name, value) in [("zx", Int64(7)), ("zw", zeroPoint), ("zy", 100)] {
        _ = try graph.constant(Tensor(.uint8, [], integers: [value]), name)
      }
      let y = graph.add(QLinearConv(), [x, "sx", "zx", w, "sw", "zw", "sy", "zy"])
      #expect(try check(graph.model(y)).contains("QConv") == isFast)
    }
  }

  @Test(arguments: elements)
  func residualSumsAreTakenIntoTheConvolution(_ element: ElementType) throws {
    for isConvolutionFirst in [true, false] {
      var graph = QuantizedGraph(seed: 5)
      let x = graph.input("x", [1, 8, 7, 7], element)
      let real = try graph.dequantize(x, 0.03, zero(element, 100), element)
      let h = try graph.pair(
        graph.add(conv([1, 1, 1, 1]), [real, try graph.weights([8, 8, 3, 3])]), 0.05,
        zero(element, 140), element)
      let operands = isConvolutionFirst ? [h, real] : [real, h]
      let y = try graph.quantize(
        graph.add(Relu(), [graph.add(Add(), operands)]), 0.04, zero(element, 60), element)
      let kernels = try check(graph.model(y))
      #expect(kernels.contains("QConv") && !kernels.contains("QBinary"), "\(kernels)")
      let loose = try check(graph.model(y), without: ["fuse-residual", "fuse-activation"])
      #expect(loose.contains("QBinary") && loose.contains("QPool"), "\(loose)")
    }
  }

  @Test(arguments: elements)
  func sumsOfEveryBroadcast(_ element: ElementType) throws {
    for (operation, index) in zip([Add() as any Operator, Sub(), Mul()], UInt64(0)...) {
      for other in [[2, 3, 4, 5], [3, 1, 1], [5], [1], [2, 1, 4, 1]] {
        var graph = QuantizedGraph(seed: index)
        let a = try graph.dequantize(
          graph.input("a", [2, 3, 4, 5], element), 0.03, zero(element, 100), element)
        let b = try graph.dequantize(
          graph.input("b", other, element), 0.02, zero(element, 120), element)
        let y = try graph.quantize(
          graph.add(operation, [a, b]), operation is Mul ? 0.3 : 0.06, zero(element, 99), element)
        #expect(try check(graph.model(y)).contains("QBinary"))
      }
    }
  }

  @Test(arguments: elements)
  func productsOfMatrices(_ element: ElementType) throws {
    for shape in [[3, 40], [2, 3, 40], [2, 1, 3, 40]] {
      var graph = QuantizedGraph(seed: 7)
      let x = graph.input("x", shape, element)
      let real = try graph.dequantize(x, 0.03, zero(element, 100), element)
      let w = try graph.weights([40, 18], axis: 1)
      let y = try graph.quantize(
        graph.add(MatMul(), [real, w]), 0.1, zero(element, 99), element)
      #expect(try check(graph.model(y)).contains("QConv"))
    }
    var graph = QuantizedGraph(seed: 8)
    let a = try graph.dequantize(
      graph.input("a", [2, 4, 5, 7], element), 0.03, zero(element, 100), element)
    let b = try graph.dequantize(
      graph.input("b", [4, 3, 7], element), 0.02, zero(element, 140), element)
    var turn = Transpose()
    turn.perm = [0, 2, 1]
    let product = graph.add(MatMul(), [a, graph.add(turn, [b])])
    let y = try graph.quantize(product, 0.1, zero(element, 99), element)
    let kernels = try check(graph.model(y))
    #expect(kernels.contains("QMatMul") && !kernels.contains("Move"), "\(kernels)")
  }

  @Test(arguments: elements)
  func poolsMeansAndMaxima(_ element: ElementType) throws {
    var average = AveragePool()
    (average.kernelShape, average.strides, average.pads) = ([3, 2], [2, 1], [1, 0, 1, 1])
    var counting = average
    (counting.countIncludePad, counting.ceilMode) = (true, true)
    var largest = MaxPool()
    (largest.kernelShape, largest.strides, largest.pads) = ([3, 3], [2, 2], [1, 1, 1, 1])
    let operations: [(any Operator, axes: [Int]?)] = [
      (average, nil), (counting, nil), (largest, nil), (GlobalAveragePool(), nil),
      (ReduceMean(), [2, 3]), (ReduceMean(), [1]), (ReduceMean(), [0, 2]),
      (ReduceMean(), [1, 2, 3]),
    ]
    for (operation, axes) in operations {
      var graph = QuantizedGraph(seed: 9)
      let x = graph.input("x", [2, 19, 7, 8], element)
      let first = try graph.dequantize(x, 0.03, zero(element, 100), element)
      let h = try graph.pair(
        graph.add(conv([0, 0, 0, 0]), [first, try graph.weights([19, 19, 1, 1])]), 0.09,
        zero(element, 128), element)
      let given = try axes.map { [try graph.constant(Tensor(vector: $0), "axes")] } ?? []
      let scale: Float = operation is MaxPool ? 0.09 : 0.05
      let point = operation is MaxPool ? Int64(128) : 120
      let y = try graph.quantize(
        graph.add(operation, [h] + given), scale, zero(element, point), element)
      #expect(try check(graph.model(y)).contains("QPool"))
    }
  }

  @Test(arguments: elements)
  func movementsKeepTheStorage(_ element: ElementType) throws {
    var graph = QuantizedGraph(seed: 10)
    let x = graph.input("x", [1, 8, 6, 6], element)
    let point = zero(element, 100)
    let real = try graph.dequantize(x, 0.03, point, element)
    var h = try graph.pair(
      graph.add(conv([1, 1, 1, 1]), [real, try graph.weights([8, 8, 3, 3])]), 0.03, point, element)
    h = graph.add(Pad(), [h, try graph.constant(Tensor(vector: [0, 1, 1, 0, 0, 0, 0, 2]), "p")])
    var split = Concat()
    split.axis = 1
    h = graph.add(split, [h, h])
    var shuffle = DepthToSpace()
    shuffle.blocksize = 3
    let cut = try [0, 18].map { try graph.constant(Tensor(vector: [$0]), "cut\($0)") }
    let axis = try graph.constant(Tensor(vector: [1]), "axis")
    h = graph.add(SliceOperator(), [h, cut[0], cut[1], axis])
    h = graph.add(shuffle, [h])
    let rows = try graph.constant(Tensor(vector: [3, 0, 2, 2]), "rows")
    var gather = Gather()
    gather.axis = 2
    h = graph.add(gather, [h, rows])
    let sizes = try graph.constant(Tensor(vector: [1, 2, 8, 30]), "sizes")
    h = graph.add(Resize(), [h, nil, nil, sizes])
    h = graph.add(Transpose(), [h])
    h = graph.add(Flatten(), [h])
    let y = try graph.quantize(h, 0.03, point, element)
    let kernels = try check(graph.model(y))
    #expect(kernels.count { $0 == "Cast" } == 2, "\(kernels)")
    #expect(!kernels.contains("Dequantize"), "\(kernels)")
  }

  @Test(arguments: elements)
  func concatenationsTablesAndSoftmax(_ element: ElementType) throws {
    var graph = QuantizedGraph(seed: 11)
    let a = try graph.dequantize(
      graph.input("a", [2, 5, 3, 3], element), 0.03, zero(element, 100), element)
    let b = try graph.dequantize(
      graph.input("b", [2, 4, 3, 3], element), 0.05, zero(element, 80), element)
    var concat = Concat()
    concat.axis = 1
    let joined = try graph.pair(graph.add(concat, [a, b]), 0.05, zero(element, 80), element)
    let gelu = try graph.pair(graph.add(Gelu(), [joined]), 0.03, zero(element, 20), element)
    var softmax = Softmax()
    softmax.axis = 1
    let y = try graph.quantize(
      graph.add(softmax, [gelu]), 1 / 256, element.integerRange.lowerBound, element)
    let kernels = try check(graph.model(y))
    #expect(kernels.contains("QLookup") && kernels.contains("QSoftmax"), "\(kernels)")
  }

  @Test(arguments: elements)
  func partsChoicesAndLargestElements(_ element: ElementType) throws {
    var graph = QuantizedGraph(seed: 17)
    let point = zero(element, 100)
    let condition = graph.input("c", [2, 1, 5, 5], .bool)
    let x = try graph.dequantize(graph.input("x", [2, 6, 5, 5], element), 0.03, point, element)
    var split = Split()
    (split.axis, split.numOutputs) = (1, 2)
    graph.nodes.append(Node(split, inputs: [x], outputs: ["left", "right"]))
    let right = try graph.pair("right", 0.05, zero(element, 90), element)
    let chosen = graph.add(Where(), [condition, "left", right])
    let y = try graph.quantize(chosen, 0.05, zero(element, 90), element)
    let top = try graph.quantize(graph.add(GlobalMaxPool(), [x]), 0.03, point, element)
    let kernels = try check(graph.model(y, top))
    #expect(kernels.contains("Select") && kernels.contains("QPool"), "\(kernels)")
    #expect(!kernels.contains("Dequantize"), "\(kernels)")
  }

  @Test(arguments: elements)
  func interpolationAlongOneAndTwoAxes(_ element: ElementType) throws {
    for sizes in [[1, 3, 11, 17], [1, 3, 5, 17], [1, 3, 9, 6], [1, 7, 5, 9]] {
      for mode in [Resize.Mode.linear, .cubic] {
        var graph = QuantizedGraph(seed: 12)
        let x = try graph.dequantize(
          graph.input("x", [1, 3, 5, 6], element), 0.03, zero(element, 100), element)
        var resize = Resize()
        resize.mode = mode
        let to = try graph.constant(Tensor(vector: sizes), "sizes")
        let y = try graph.quantize(
          graph.add(resize, [x, nil, nil, to]), 0.025, zero(element, 110), element)
        #expect(try check(graph.model(y)).contains("QResize"))
      }
    }
  }

  @Test func activationsQuantizedAsTheyCome() throws {
    var graph = QuantizedGraph(seed: 13)
    let x = graph.input("x", [4, 30])
    let w = try graph.constant(
      Tensor(.int8, [30, 20], integers: (0..<600).map { $0 * 37 % 255 - 127 }), "w")
    let scales = try graph.constant(
      Tensor(.float32, [20], elements: (0..<20).map { 0.01 + Float($0) * 0.001 }), "ws")
    let bias = try graph.constant(
      Tensor(.float32, [20], elements: (0..<20).map { Float($0) - 10 }), "b")
    let y = graph.add(DynamicQuantizeMatMul(), [x, w, scales, nil, bias])
    #expect(try check(graph.model(y)) == ["DynamicQuantize", "QConv"])
  }

  /// What an 8-bit interface stands for is stated beside it.
  @Test func inputsAndOutputsSayTheirScales() throws {
    var graph = QuantizedGraph(seed: 14)
    let x = graph.input("x", [1, 3, 6, 6], .uint8)
    let real = try graph.dequantize(x, 0.03, 100, .uint8)
    let y = try graph.quantize(
      graph.add(conv([1, 1, 1, 1]), [real, try graph.weights([4, 3, 3, 3])]), 0.05, 90, .uint8)
    let plan = try graph.model(y).compiled()
    let interface = (plan.inputs + plan.outputs).map { plan.tensors[$0].quantization }
    #expect(
      interface == [
        TensorQuantization(scale: 0.03, zeroPoint: 100),
        TensorQuantization(scale: 0.05, zeroPoint: 90),
      ])
  }

  @Test func aScaleOfNoUseIsRefusedByPlace() throws {
    var graph = QuantizedGraph(seed: 15)
    let x = graph.input("x", [4], .int8)
    let zero = try graph.constant(Tensor(.float32, [], elements: [Float(0)]), "zero")
    let one = try graph.constant(Tensor(.float32, [], elements: [Float(1)]), "one")
    let y = graph.add(QLinearAdd(), [x, one, nil, x, zero, nil, one])
    let error = try #require(throws: CompileError.self) {
      try graph.model(y).compiled(without: ["fuse-tables"])
    }
    #expect(error.problems.map(\.place.road.last) == [.indexed("node", 0, "n0")])
  }

  @Test func sumsThatMayOverflowAreRefused() throws {
    var graph = QuantizedGraph(seed: 16)
    let x = graph.input("x", [1, 3], .int8)
    let w = try graph.constant(Tensor(.int8, [3, 1], integers: [127, 127, 127]), "w")
    let one = try graph.constant(Tensor(.float32, [], elements: [Float(1)]), "one")
    let zero = try graph.constant(Tensor(.int8, [], integers: [0]), "zero")
    let c = try graph.constant(Tensor(.int32, [1], integers: [Int64(Int32.max) - 10]), "c")
    let y = graph.add(QGemm(), [x, one, zero, w, one, zero, c, one, zero])
    #expect(throws: CompileError.self) { try graph.model(y).compiled() }
  }
}

/// Weights that stand in 8 bits while activations are float.
@Suite struct EightBitWeightTests {
  private func run(_ model: Model) throws -> (kernels: [String], weights: Int) {
    let inputs = try seededInputs(model)
    let expected = try ReferenceEvaluator(model).run(inputs)
    let plan = try model.compiled()
    var options = WriteOptions()
    options.isPlanOnly = true
    let session = try ModelSession(try NativeFormat.encode(model, options).0)
    try session.fill(inputs.compactMapValues(\.tensor))
    try session.invoke()
    for (name, tensor) in try session.outputs() {
      let wanted = try made(expected[name]?.tensor)
      #expect(tensor.shape == wanted.shape && tensor.count > 0)
      let largest = wanted.doubles.reduce(0) { max($0, abs($1)) }
      let difference = zip(tensor.doubles, wanted.doubles).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(largest > 0 && difference <= 1e-5 * largest, "\(difference)")
    }
    return (plan.operations.map(\.step.kernel), plan.weights.reduce(0) { $0 + $1.byteCount })
  }

  @Test func matrixProductsReadThemAsTheyAre() throws {
    for isGemm in [true, false] {
      var graph = QuantizedGraph(seed: 20)
      let x = graph.input("x", isGemm ? [3, 64] : [2, 3, 64])
      let bias = try graph.constant(
        Tensor(.float32, [40], elements: (0..<40).map { Float($0) * 0.1 }), "bias")
      let y: String
      if isGemm {
        var gemm = Gemm()
        gemm.transB = true
        y = graph.add(Relu(), [graph.add(gemm, [x, try graph.weights([40, 64]), bias])])
      } else {
        let w = try graph.weights([64, 40], axis: 1)
        y = graph.add(Relu(), [graph.add(Add(), [graph.add(MatMul(), [x, w]), bias])])
      }
      let found = try run(graph.model(y))
      #expect(found.kernels == ["MatMulWeights8"])
      #expect(found.weights < 64 * 48 + 1024)
    }
  }

  /// Scales that run along the summed axis, and weights that other operators read, become float.
  @Test func otherUsesBecomeFloat() throws {
    var graph = QuantizedGraph(seed: 21)
    let x = graph.input("x", [3, 64])
    let along = graph.add(MatMul(), [x, try graph.weights([64, 40], axis: 0)])
    let shared = try graph.weights([64, 40], axis: 1)
    let both = graph.add(Add(), [graph.add(MatMul(), [x, shared]), along])
    let y = graph.add(MatMul(), [both, graph.add(Transpose(), [shared])])
    #expect(try !run(graph.model(y)).kernels.contains("MatMulWeights8"))
  }

  @Test func rowsOfATableAreDequantizedAfterGathering() throws {
    var graph = QuantizedGraph(seed: 22)
    let x = graph.input("x", [7], .uint8)
    var cast = Cast()
    cast.target = .int64
    let table = try graph.weights([256, 64], perChannel: false)
    let y = graph.add(Gather(), [table, graph.add(cast, [x])])
    let found = try run(graph.model(y))
    #expect(found.kernels == ["Cast", "Gather", "Dequantize"])
    #expect(found.weights < 256 * 64 + 1024)
  }
}
