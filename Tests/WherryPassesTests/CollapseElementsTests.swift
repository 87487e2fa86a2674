import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryPasses

private func collapsed(_ model: Model, exactly: Bool = true) throws -> Model {
  var result = model
  _ = try CollapseQDQ.run(&result)
  #expect(result.violations.isEmpty)
  let found = try difference(model, result)
  #expect(found.of > 0 && found.most <= (exactly ? 0 : 1), "\(found)")
  #expect(found.count * 50 <= found.of, "\(found)")
  return result
}

@Suite struct CollapseElementsTests {
  @Test func sumsDifferencesAndProductsAreIntegerOperators() throws {
    for (operation, name) in [
      (Add() as any Operator, "QLinearAdd"), (Sub(), "QLinearSub"), (Mul(), "QLinearMul"),
    ] {
      var graph = QuantizedGraph()
      let a = try graph.pair(graph.input("a", [2, 3, 40]), 0.02, 3, .uint8)
      let b = try graph.pair(graph.input("b", [3, 1]), 0.011, 130, .uint8)
      let relu = graph.add(Relu(), [graph.add(operation, [a, b])])
      let y = try graph.quantize(relu, 0.03, 20, .uint8)
      let model = try collapsed(graph.model(y), exactly: false)
      #expect(operators(model) == ["QuantizeLinear", "QuantizeLinear", name, "Clip"])
    }
  }

  /// Movements of 8-bit values need no float; equal scales on both sides cost nothing.
  @Test(arguments: [ElementType.int8, .uint8])
  func movementsRunOnTheBytes(_ element: ElementType) throws {
    var graph = QuantizedGraph()
    let zero = element.integerRange.lowerBound + 100
    let x = graph.input("x", [1, 4, 6, 6], element)
    var value = try graph.dequantize(x, 0.02, zero, element)
    var pool = MaxPool()
    (pool.kernelShape, pool.strides) = ([2, 2], [2, 2])
    value = graph.add(pool, [value])
    let pads = try graph.constant(Tensor(vector: [0, 0, 1, 1, 0, 0, 1, 1]), "pads")
    value = graph.add(Pad(), [value, pads])
    var transpose = Transpose()
    transpose.perm = [0, 2, 3, 1]
    value = graph.add(transpose, [value])
    let shape = try graph.constant(Tensor(vector: [5, -1]), "shape")
    value = graph.add(Reshape(), [value, shape])
    value = graph.add(Relu(), [value])
    var concat = Concat()
    concat.axis = 1
    value = graph.add(concat, [value, value])
    let y = try graph.quantize(value, 0.02, zero, element)
    let model = try collapsed(graph.model(y))
    #expect(
      operators(model)
        == ["MaxPool", "Pad", "Transpose", "Reshape", "Clip", "Concat", "Identity"])
  }

  @Test func quantizingWhatWasDequantizedIsNothingOrATable() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [256], .uint8)
    let real = try graph.dequantize(x, 0.02, 7, .uint8)
    let same = try graph.quantize(real, 0.02, 7, .uint8)
    let other = try graph.quantize(real, 0.013, -20, .int8)
    let y = graph.add(Identity(), [same])
    let model = try collapsed(graph.model(y, other))
    #expect(operators(model) == ["Lookup", "Identity"])
  }

  @Test func chainsOfFunctionsAreOneTable() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [4, 64], .int8)
    let real = try graph.dequantize(x, 0.05, 11, .int8)
    let half = try graph.constant(Tensor(.float32, [], elements: [Float(0.5)]), "half")
    let gate = graph.add(Sigmoid(), [graph.add(Mul(), [real, half])])
    let swish = graph.add(Mul(), [real, graph.add(Relu(), [gate])])
    let y = try graph.quantize(graph.add(Exp(), [swish]), 0.07, -128, .int8)
    #expect(operators(try collapsed(graph.model(y))) == ["Lookup"])
  }

  /// What is moved between a function and its quantization is moved after it.
  @Test func functionsPassThroughMovements() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [4, 64], .int8)
    let gelu = graph.add(Gelu(), [try graph.dequantize(x, 0.05, 11, .int8)])
    let turned = graph.add(Transpose(), [gelu])
    let y = try graph.quantize(turned, 0.02, -100, .int8)
    #expect(operators(try collapsed(graph.model(y))) == ["Lookup", "Transpose"])
  }

  @Test func aNumberPerChannelIsNoTable() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [2, 4], .int8)
    let factors = try graph.constant(Tensor(.float32, [4], elements: [Float(1), 2, 3, 4]), "f")
    let y = try graph.quantize(
      graph.add(Mul(), [try graph.dequantize(x, 0.05, 0, .int8), factors]), 0.2, 0, .int8)
    #expect(operators(try collapsed(graph.model(y))).contains("Mul"))
  }

  @Test func poolsAndMeansAreIntegerOperators() throws {
    var pool = AveragePool()
    (pool.kernelShape, pool.pads) = ([3, 3], [1, 1, 1, 1])
    for (operation, name) in [
      (pool as any Operator, "QLinearAveragePool"),
      (GlobalAveragePool(), "QLinearGlobalAveragePool"), (ReduceMean(), "QLinearReduceMean"),
    ] {
      var graph = QuantizedGraph()
      let x = graph.input("x", [2, 9, 7, 8], .uint8)
      let real = try graph.dequantize(x, 0.02, 7, .uint8)
      let axes =
        operation is ReduceMean ? [try graph.constant(Tensor(vector: [2, -1]), "axes")] : []
      let y = try graph.quantize(graph.add(operation, [real] + axes), 0.015, 3, .uint8)
      #expect(operators(try collapsed(graph.model(y), exactly: false)) == [name])
    }
  }

  @Test func concatenationsRequantizeTheirParts() throws {
    var graph = QuantizedGraph()
    let a = try graph.dequantize(graph.input("a", [2, 50], .int8), 0.02, 7, .int8)
    let b = try graph.dequantize(graph.input("b", [2, 50], .int8), 0.03, -7, .int8)
    var concat = Concat()
    concat.axis = 1
    let y = try graph.quantize(graph.add(concat, [a, b]), 0.02, 7, .int8)
    #expect(operators(try collapsed(graph.model(y))) == ["QLinearConcat"])
  }

  @Test func softmaxIsATableOfPowers() throws {
    var graph = QuantizedGraph()
    let x = try graph.dequantize(graph.input("x", [8, 100], .int8), 0.05, 0, .int8)
    let y = try graph.quantize(graph.add(Softmax(), [x]), 1 / 256, -128, .int8)
    #expect(operators(try collapsed(graph.model(y), exactly: false)) == ["QLinearSoftmax"])
  }

  @Test func resizingChoosesOrInterpolates() throws {
    var graph = QuantizedGraph()
    let x = try graph.dequantize(graph.input("x", [1, 3, 5, 6], .uint8), 0.02, 9, .uint8)
    let sizes = try graph.constant(Tensor(vector: [1, 3, 11, 9]), "sizes")
    let near = graph.add(Resize(), [x, nil, nil, sizes])
    let chosen = try graph.quantize(near, 0.02, 9, .uint8)
    var linear = Resize()
    linear.mode = .linear
    let smooth = graph.add(linear, [x, nil, nil, sizes])
    let y = try graph.quantize(smooth, 0.018, 4, .uint8)
    var model = graph.model(chosen, y)
    let before = model
    #expect(try CollapseQDQ.run(&model) == 2)
    #expect(Set(operators(model)) == ["Resize", "Identity", "QLinearResize"])
    // Weights in 2^-11 may be off by a quarter of a step in all.
    #expect(try difference(before, model).most <= 1)
  }

  /// One value that several nodes quantize alike is quantized once.
  @Test func equalQuantizationsAreOne() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [1, 3, 6, 6])
    let scale = try graph.constant(Tensor(.float32, [], elements: [Float(0.02)]), "scale")
    let zero = try graph.constant(Tensor(.int8, [], integers: [3]), "zero")
    let w = try graph.weights([2, 3, 1, 1])
    let parameters: [String?] = [scale, zero]
    var parts: [String] = []
    let first = graph.add(QuantizeLinear(), [x] + parameters)
    let h = graph.add(Conv(), [graph.add(DequantizeLinear(), [first] + parameters), w])
    for _ in 0..<2 {
      let q = graph.add(QuantizeLinear(), [h] + parameters)
      parts.append(graph.add(DequantizeLinear(), [q] + parameters))
    }
    let y = try graph.quantize(graph.add(Add(), parts.map { $0 }), 0.04, 0, .int8)
    let model = try collapsed(graph.model(y), exactly: false)
    // Once it is one value, its sum with itself is a function of it.
    #expect(operators(model) == ["QuantizeLinear", "QLinearConv", "Lookup"])
  }

  @Test func floatReadersOfAQuantizedValueKeepTheirDequantization() throws {
    var graph = QuantizedGraph()
    let q = try graph.quantize(graph.input("x", [4, 8]), 0.02, 3, .int8)
    let real = try graph.dequantize(q, 0.02, 3, .int8)
    let y = try graph.quantize(graph.add(Sigmoid(), [real]), 1 / 256, -128, .int8)
    let norm = graph.add(Softmax(), [real])
    let model = try collapsed(graph.model(y, norm, q))
    #expect(
      Set(operators(model)) == ["QuantizeLinear", "DequantizeLinear", "Lookup", "Softmax"])
  }
}

@Suite struct FuseTablesTests {
  @Test func functionsOfOneTensorBecomeOneTable() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [4, 64], .uint8)
    let real = try graph.dequantize(x, 0.05, 128, .uint8)
    let gate = try graph.pair(graph.add(HardSigmoid(), [real]), 1 / 255, 0, .uint8)
    let y = try graph.quantize(graph.add(Mul(), [real, gate]), 0.03, 20, .uint8)
    var model = graph.model(y)
    let before = model
    _ = try CollapseQDQ.run(&model)
    #expect(operators(model) == ["Lookup", "QLinearMul"])
    let middle = model
    #expect(try FuseTables.run(&model) == 1)
    #expect(operators(model) == ["Lookup"])
    #expect(try difference(middle, model).most == 0)
    #expect(try difference(before, model).most <= 1)
  }

  /// What a table becomes in an ONNX file is a table again.
  @Test func gathersFromATableAreRecognized() throws {
    for element in [ElementType.int8, .uint8] {
      var graph = QuantizedGraph()
      let x = graph.input("x", [4, 64], element)
      var cast = Cast()
      cast.target = .int32
      var place = graph.add(cast, [x])
      if element == .int8 {
        let shift = try graph.constant(Tensor(.int32, [], integers: [128]), "shift")
        place = graph.add(Add(), [shift, place])
      }
      let table = try graph.constant(
        Tensor(.int8, [256], integers: (0..<256).map { $0 * 7 % 256 - 128 }), "table")
      let y = graph.add(Gather(), [table, place])
      var model = graph.model(y)
      let before = model
      #expect(try FuseTables.run(&model) == 1)
      #expect(operators(model) == ["Lookup"])
      #expect(try difference(before, model).most == 0)
    }
  }

  @Test func functionsOfTwoTensorsStay() throws {
    var graph = QuantizedGraph()
    let a = try graph.dequantize(graph.input("a", [4], .uint8), 0.05, 128, .uint8)
    let b = try graph.dequantize(graph.input("b", [4], .uint8), 0.05, 128, .uint8)
    let y = try graph.quantize(graph.add(Add(), [a, b]), 0.03, 20, .uint8)
    var model = graph.model(y)
    _ = try CollapseQDQ.run(&model)
    #expect(try FuseTables.run(&model) == 0)
  }
}

@Suite struct ExpandWeightsTests {
  @Test func weightsStayInEightBitsUntilNothingTakesThem() throws {
    var graph = QuantizedGraph()
    let x = graph.input("x", [2, 6])
    let w = try graph.weights([6, 4], axis: 1)
    let y = graph.add(MatMul(), [x, graph.add(Identity(), [w])])
    var model = graph.model(y)
    let before = model
    _ = try FoldConstants.run(&model)
    #expect(operators(model).contains("DequantizeLinear"))
    #expect(try ExpandWeights.run(&model) > 0)
    #expect(operators(model) == ["MatMul"])
    #expect(try difference(before, model).most == 0)
  }
}
