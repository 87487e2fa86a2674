import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryKeras
import WherryOperators

/// What operators become layers of Keras, and with what results.
@Suite struct KerasComposingTests {
  /// A graph of one operator on a tensor, with constants before and behind it.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let shape: [Int]
    let operation: any Operator
    let before: [Tensor?]
    let constants: [Tensor?]
    var element = ElementType.float32

    init(
      _ name: String, _ shape: [Int], before: [Tensor?] = [], _ operation: some Operator,
      _ constants: [Tensor?] = [], _ element: ElementType = .float32
    ) {
      (testDescription, self.shape, self.operation) = (name, shape, operation)
      (self.before, self.constants, self.element) = (before, constants, element)
    }

    func model() throws -> Model {
      var graph = QuantizedGraph(seed: 5)
      let x = graph.input("x", shape, element)
      var inputs: [String?] = []
      for (index, constant) in (before + constants).enumerated() {
        if index == before.count { inputs.append(x) }
        inputs.append(constant == nil ? nil : try graph.constant(constant, "c\(index)"))
      }
      let y = graph.add(operation, constants.isEmpty ? inputs + [x] : inputs)
      return graph.model(y)
    }
  }

  /// An operator with settings.
  static func with<O: Operator>(_ operation: O, _ change: (inout O) -> Void) -> O {
    var operation = operation
    change(&operation)
    return operation
  }

  static func list(_ values: [Int]) -> Tensor? { Tensor(vector: values) }
  static func numbers(_ shape: [Int]) -> Tensor? { KerasTrip.numbers(shape) }

  private static let windows: [Case] = [
    Case(
      "Conv with strides and dilations", [2, 3, 11, 9],
      with(Conv()) { ($0.strides, $0.dilations, $0.pads) = ([2, 2], [2, 3], [1, 2, 2, 0]) },
      [numbers([4, 3, 3, 2]), numbers([4])]),
    Case(
      "ConvTranspose in groups", [2, 4, 5, 3],
      with(ConvTranspose()) { ($0.group, $0.strides, $0.pads) = (2, [2, 2], [1, 0, 0, 1]) },
      [numbers([4, 3, 3, 3]), numbers([6])]),
    Case(
      "ConvTranspose with dilations", [1, 2, 5],
      with(ConvTranspose()) { ($0.dilations, $0.strides) = ([3], [2]) }, [numbers([2, 3, 2])]),
    Case(
      "MaxPool whose padding never counts", [2, 3, 8, 9],
      with(MaxPool()) {
        ($0.kernelShape, $0.strides, $0.pads) = ([3, 3], [2, 2], [1, 1, 1, 1])
      }),
    Case(
      "MaxPool with padding past half of the window", [2, 3, 7],
      with(MaxPool()) { ($0.kernelShape, $0.strides, $0.pads) = ([3], [2], [2, 1]) }),
    Case(
      "AveragePool with uneven padding that does not count", [2, 3, 8, 7],
      with(AveragePool()) {
        ($0.kernelShape, $0.strides, $0.pads) = ([3, 2], [2, 1], [1, 0, 0, 1])
      }),
    Case(
      "AveragePool whose last window reaches past the end", [2, 3, 7, 8],
      with(AveragePool()) {
        ($0.kernelShape, $0.strides, $0.ceilMode) = ([3, 3], [3, 2], true)
        $0.pads = [1, 0, 0, 0]
      }),
  ]

  private static let parts: [Case] = [
    Case("Tile", [2, 3, 4], Tile(), [list([1, 2, 3])]),
    Case("Expand of a middle axis", [2, 3, 1, 4], Expand(), [list([5, 1])]),
    Case(
      "Slice in steps", [2, 9, 7], SliceOperator(),
      [list([1, -1]), list([9, -8]), list([1, 2]), list([3, -2])]),
    Case(
      "Slice from the end", [2, 6], SliceOperator(),
      [list([-1]), list([-100]), list([1]), list([-1])]),
    Case(
      "Gather of several indices", [2, 6, 3], with(Gather()) { $0.axis = 1 }, [list([4, -1, 0, 1])]),
    Case(
      "Gather of many indices", [2, 99], with(Gather()) { $0.axis = 1 },
      [list((0..<80).map { ($0 * 7) % 99 })]),
    Case(
      "Pad by reflection", [2, 3, 5, 6], with(Pad()) { $0.mode = .reflect },
      [list([0, 0, 2, 1, 0, 0, 1, 3])]),
    Case("Pad by the edge", [2, 5], with(Pad()) { $0.mode = .edge }, [list([0, 2, 0, 3])]),
    Case(
      "Pad with a number", [2, 3, 4], Pad(),
      [list([0, 1, 0, 0, 2, 1]), Tensor(.float32, [], doubles: [-7.5])]),
    Case(
      "Where between numbers and a tensor", [2, 3, 4],
      before: [Tensor([3, 4], booleans: (0..<12).map { $0 % 3 == 0 })], Where(),
      [Tensor(.float32, [], doubles: [-1e9])]),
  ]

  private static let sums: [Case] = [
    Case("CumSum", [2, 5, 3], with(CumSum()) { $0.isExclusive = true }, [list([1])]),
    Case("Trilu", [2, 4, 4], with(Trilu()) { $0.upper = false }),
    Case("LogSoftmax of a middle axis", [2, 4, 3], with(LogSoftmax()) { $0.axis = 1 }),
    Case("ReduceLogSumExp", [2, 4, 3], ReduceLogSumExp(), [list([1, 2])]),
    Case("ReduceL1", [2, 4, 3], ReduceL1(), [list([2])]),
    Case("ReduceProd", [2, 4, 3], ReduceProd(), [list([1])]),
    Case("MatMul by matrices", [2, 3, 5, 4], MatMul(), [numbers([3, 4, 6])]),
    Case("Max with a constant row", [2, 5], Max(), [numbers([5])]),
    Case(
      "Concat with a constant", [1, 3, 4], with(Concat()) { $0.axis = 1 }, [numbers([1, 2, 4])]),
    Case("Add that widens", [2, 1, 4], Add(), [numbers([3, 4])]),
    Case("Shrink", [2, 9], with(Shrink()) { ($0.threshold, $0.bias) = (0.3, 0.3) }),
    Case("RMSNormalization", [2, 3, 8], RMSNormalization(), [numbers([8])]),
    Case(
      "MeanVarianceNormalization", [2, 3, 4, 5],
      with(MeanVarianceNormalization()) { $0.axes = [2, 3] }
    ),
    Case(
      "Scaler", [2, 3], with(Scaler()) { ($0.offset, $0.scale) = ([1, 2, 3], [0.5, 2, 4]) }),
    Case(
      "LinearRegressor", [2, 3],
      with(LinearRegressor()) {
        ($0.targets, $0.coefficients) = (2, [1, 2, 3, 4, 5, 6])
        $0.intercepts = [0.5, -1]
      }),
    Case(
      "OneHot", [2, 3], with(OneHot()) { $0.axis = 1 },
      [Tensor(.int64, [], integers: [300]), Tensor(.float32, [2], doubles: [-1, 2])], .uint8),
  ]

  private static let sizes: [Case] = [
    Case(
      "cubic Resize", [1, 2, 6, 5],
      with(Resize()) { $0.mode = .cubic }, [nil, nil, list([1, 2, 9, 12])]),
    Case(
      "Resize with aligned corners", [2, 2, 6, 5],
      with(Resize()) { ($0.mode, $0.coordinateTransformationMode) = (.linear, .alignCorners) },
      [nil, Tensor(.float32, [4], doubles: [1, 1, 1.5, 2])]),
    Case(
      "Resize to the nearest by a fraction", [2, 2, 6],
      with(Resize()) { $0.coordinateTransformationMode = .asymmetric },
      [nil, Tensor(.float32, [3], doubles: [1, 1, 1.5])]),
  ]

  @Test(arguments: windows + parts + sums + sizes)
  func operatorBecomesLayersWithItsResults(_ item: Case) throws {
    try KerasTrip.expectSame(try item.model(), as: "model.keras")
  }

  @Test(arguments: [RecurrentDirection.reverse, .bidirectional])
  func recurrenceGivesItsSequenceAndItsStates(_ direction: RecurrentDirection) throws {
    let count = direction == .bidirectional ? 2 : 1
    var graph = QuantizedGraph(seed: 4)
    let x = graph.input("x", [5, 2, 3])
    var net = LSTM()
    (net.hiddenSize, net.direction) = (4, direction)
    let weights = [
      try graph.constant(Self.numbers([count, 16, 3]), "w"),
      try graph.constant(Self.numbers([count, 16, 4]), "r"),
    ]
    graph.nodes.append(
      Node(net, name: "net", inputs: [x] + weights, outputs: ["y", "h", "c"]))
    var model = graph.model("y", "h", "c")
    // The batch stands in the middle.
    var turn = Transpose()
    turn.perm = [1, 0, 2]
    model.graph.nodes.insert(Node(turn, name: "turn", inputs: ["z"], outputs: ["x"]), at: 0)
    model.graph.inputs = [ValueInfo("z", .tensor(.float32, Shape(fixed: [2, 5, 3])))]
    var outputs: [String] = []
    for (name, order) in [("y", [2, 0, 1, 3]), ("h", [1, 0, 2]), ("c", [1, 0, 2])] {
      var back = Transpose()
      back.perm = order
      model.graph.nodes.append(
        Node(back, name: "\(name)_back", inputs: [name], outputs: ["\(name)_out"]))
      outputs.append("\(name)_out")
    }
    model.graph.outputs = outputs.map { ValueInfo($0, .tensor(.float32, nil)) }
    try KerasTrip.expectSame(model, as: "model.keras")
  }

  @Test(arguments: [
    Case("Sqrt", [2, 3], Sqrt()), Case("Div", [2, 3], before: [numbers([1, 3])], Div()),
    Case("Floor", [2, 3], Floor()), Case("Atan", [2, 3], Atan()),
    Case("Cast", [2, 3], with(Cast()) { $0.target = .int32 }), Case("Erf", [2, 3], Erf()),
    Case("ReduceL2", [2, 3, 4], ReduceL2(), [list([1])]),
  ])
  func functionBetweenLayersIsForKeras3Alone(_ item: Case) throws {
    let (_, losses) = try KerasTrip.expectSame(try item.model(), as: "model.keras")
    #expect(losses.contains { $0.kind == .capability && $0.what.contains("Keras 2") })
    do {
      _ = try KerasTrip.written(try item.model(), as: "model.h5")
      Issue.record("written for both")
    } catch let error as EncodeError {
      guard case .inexpressible(let what) = error.reason else { throw error }
      #expect(what.contains(item.operation.name.name))
    }
  }

  /// `x` is `[batch, 3, 4]`, and the batch is read from its shape.
  private func openBatch(
    _ body: (inout QuantizedGraph, _ x: String, _ batch: String) throws -> String
  ) throws -> Model {
    var graph = QuantizedGraph(seed: 2)
    let x = graph.input("x", [2, 3, 4])
    let first = try graph.constant(Self.list([0]), "first")
    let batch = graph.add(Gather(), [graph.add(ShapeOperator(), [x]), first])
    let y = try body(&graph, x, batch)
    var model = graph.model(y)
    model.graph.inputs[0].type = .tensor(.float32, Shape([.symbolic("n"), 3, 4]))
    return model
  }

  @Test func shapeThatIsReadFromTheTensorIsNoRefusal() throws {
    let model = try openBatch { graph, x, batch in
      let rest = try graph.constant(Self.list([-1]), "rest")
      let shape = graph.add(Concat(), [batch, rest])
      return graph.add(Reshape(), [x, shape])
    }
    try KerasTrip.expectSame(model, as: "model.h5")
  }

  @Test func constantForEveryExampleIsJoined() throws {
    let model = try openBatch { graph, x, batch in
      let token = try graph.constant(Self.numbers([1, 1, 4]), "token")
      let one = try graph.constant(Self.list([1, 1]), "one")
      let each = graph.add(Expand(), [token, graph.add(Concat(), [batch, one])])
      return graph.add(Self.with(Concat()) { $0.axis = 1 }, [each, x])
    }
    try KerasTrip.expectSame(model, as: "model.h5")
  }

  @Test func zerosOfAnOpenBatchAreNoStates() throws {
    let model = try openBatch { graph, x, batch in
      let one = try graph.constant(Self.list([1]), "one")
      let five = try graph.constant(Self.list([5]), "five")
      let zeros = graph.add(ConstantOfShape(), [graph.add(Concat(), [one, batch, five])])
      let turned = graph.add(Self.with(Transpose()) { $0.perm = [1, 0, 2] }, [x])
      let weights = [
        try graph.constant(Self.numbers([1, 15, 4]), "w"),
        try graph.constant(Self.numbers([1, 15, 5]), "r"),
      ]
      let net = graph.add(
        Self.with(GRU()) { $0.hiddenSize = 5 }, [turned] + weights + [nil, nil, zeros])
      return graph.add(Self.with(Transpose()) { $0.perm = [2, 0, 1, 3] }, [net])
    }
    let losses = try KerasTrip.expectSame(model, as: "model.h5").losses
    #expect(losses.allSatisfy { $0.kind == .information })
  }

  @Test func extentsAsAResultAreRefused() throws {
    let model = try openBatch { _, _, batch in batch }
    do {
      _ = try KerasTrip.written(model, as: "model.keras")
      Issue.record("written")
    } catch let error as EncodeError {
      guard case .inexpressible = error.reason else { throw error }
    }
  }

  @Test func comparisonsAndChoicesAreFunctionsBetweenLayers() throws {
    var graph = QuantizedGraph(seed: 2)
    let (x, y) = (graph.input("x", [2, 4]), graph.input("y", [2, 4]))
    let zero = try graph.constant(Tensor(.float32, [], doubles: [0]), "zero")
    let both = graph.add(And(), [graph.add(Less(), [x, y]), graph.add(Greater(), [y, zero])])
    let chosen = graph.add(Where(), [graph.add(Not(), [both]), x, zero])
    try KerasTrip.expectSame(graph.model(chosen), as: "model.keras")
  }

  @Test(arguments: [0, 1, 2])
  func geluInPartsIsFoundAgain(_ order: Int) throws {
    var graph = QuantizedGraph(seed: 2)
    let x = graph.input("x", [2, 5])
    func number(_ value: Double) throws -> String {
      try graph.constant(Tensor(.float32, [], doubles: [value]), "n")
    }
    let (root, one, half) = (try number(1.4142135), try number(1), try number(0.5))
    let error = graph.add(Erf(), [graph.add(Div(), [x, root])])
    let gate = graph.add(Add(), [error, one])
    let y: String
    switch order {
    case 0: y = graph.add(Mul(), [graph.add(Mul(), [x, gate]), half])
    case 1: y = graph.add(Mul(), [graph.add(Mul(), [x, half]), gate])
    default: y = graph.add(Mul(), [x, graph.add(Mul(), [half, gate])])
    }
    let again = try KerasTrip.expectSame(graph.model(y), as: "model.h5").model
    #expect(again.graph.nodes.map(\.operation.name.name) == ["Gelu"])
  }

  @Test(arguments: [true, false])
  func layerNormalizationInPartsIsFoundAgain(_ isPower: Bool) throws {
    var graph = QuantizedGraph(seed: 2)
    let x = graph.input("x", [2, 3, 5])
    let axes = try graph.constant(Self.list([isPower ? -1 : 2]), "axes")
    let two = try graph.constant(Tensor(.float32, [], doubles: [2]), "two")
    let epsilon = try graph.constant(Tensor(.float32, [], doubles: [1e-3]), "epsilon")
    let gamma = try graph.constant(Self.numbers([5]), "gamma")
    let mean = graph.add(ReduceMean(), [x, axes])
    let difference = graph.add(Sub(), [x, mean])
    let again = isPower ? difference : graph.add(Sub(), [x, mean])
    let square =
      isPower
      ? graph.add(Pow(), [difference, two]) : graph.add(Mul(), [difference, difference])
    let variance = graph.add(Add(), [graph.add(ReduceMean(), [square, axes]), epsilon])
    let y = graph.add(Div(), [again, graph.add(Sqrt(), [variance])])
    let z = graph.add(Mul(), [y, gamma])
    let written = try KerasTrip.expectSame(graph.model(z), as: "model.h5").model
    #expect(written.graph.nodes.contains { $0.operation is LayerNormalization })
  }

  @Test(arguments: [
    Case(
      "Gather", [2, 1 << 20], with(Gather()) { $0.axis = 1 }, [list((0..<1000).map { $0 * $0 })]),
    Case("Trilu", [1, 1 << 20, 1 << 20], Trilu()),
    Case(
      "Pad", [1, 1 << 20, 1 << 20], Pad(),
      [list([0, 1, 1, 0, 1, 1]), Tensor(.float32, [], doubles: [1])]),
    Case("RMSNormalization", [1, 1 << 30], RMSNormalization(), [numbers([1])]),
    Case("OneHot", [1, 2], OneHot(), [list([1 << 40]), numbers([2])], .uint8),
  ])
  func weightsThatWouldFillTheMemoryAreRefused(_ item: Case) throws {
    do {
      _ = try KerasTrip.written(try item.model(), as: "model.keras")
      Issue.record("written")
    } catch let error as EncodeError {
      guard case .inexpressible = error.reason else { throw error }
    }
  }

  @Test func castToTypesThatNoLayerComputesInIsRefused() throws {
    let cast = Self.with(Cast()) { $0.target = .float8e4m3fn }
    do {
      _ = try KerasTrip.written(try Case("Cast", [2, 3], cast).model(), as: "model.keras")
      Issue.record("written")
    } catch let error as EncodeError {
      guard case .inexpressible(let what) = error.reason else { throw error }
      #expect(what.contains("float8e4m3fn"))
    }
  }
}
