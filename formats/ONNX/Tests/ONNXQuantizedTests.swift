import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryONNX

/// 8-bit operators in ONNX files.
@Suite struct ONNXQuantizedTests {
  private func model(
    _ node: Node, _ inputs: [(String, ElementType, [Int])], _ constants: [(String, Tensor?)]
  ) throws -> Model {
    var initializers: [Initializer] = []
    for (name, tensor) in constants { initializers.append(Initializer(name, try #require(tensor))) }
    return Model(
      graph: Graph(
        name: "g", nodes: [node],
        inputs: inputs.map { ValueInfo($0.0, .tensor($0.1, Shape(fixed: $0.2))) },
        outputs: [ValueInfo("y", .unspecified)], initializers: initializers))
  }

  private func scalar(_ value: Float) -> Tensor? { Tensor(.float32, [], elements: [value]) }

  private func bytes(_ element: ElementType, _ shape: [Int]) throws -> Tensor {
    let count = shape.reduce(1, *)
    let values = (0..<count).map { Int64($0 * 89 % 256) }
    return try #require(Tensor(element, shape, integers: values))
  }

  private func written(_ model: Model) throws -> (model: Model, losses: [Loss]) {
    let sink = MemorySink()
    let losses = try ONNXFormat.write(model, to: sink, options: WriteOptions())
    let source = ModelSource(Bytes(sink.bytes), operators: OperatorSet.all)
    let reading = try ONNXFormat.read(source)
    #expect(reading.losses.isEmpty)
    return (reading.model, losses)
  }

  private func results(_ model: Model, _ inputs: [String: Tensor]) throws -> [Double] {
    let values = inputs.mapValues { Value.tensor($0) }
    let outputs = try ReferenceEvaluator(model).run(values)
    return try #require(outputs["y"]?.tensor).doubles
  }

  /// Operators of com.microsoft keep their name, attributes and operator set.
  @Test func contribOperatorsSurvive() throws {
    var pool = QLinearAveragePool()
    (pool.kernelShape, pool.channelsLast, pool.pads) = ([2, 2], true, [1, 0, 0, 1])
    let node = Node(pool, name: "pool", inputs: ["x", "s", nil, "t", nil], outputs: ["y"])
    let model = try model(
      node, [("x", .uint8, [1, 4, 5, 3])], [("s", scalar(0.5)), ("t", scalar(0.25))])
    let (read, losses) = try written(model)
    #expect(losses.isEmpty)
    #expect(read.graph.nodes == model.graph.nodes)
    #expect(read.operatorSets.contains(OperatorSetVersion(OperatorName.contribDomain, 1)))
    let x = ["x": try bytes(.uint8, [1, 4, 5, 3])]
    #expect(try results(read, x) == results(model, x))
  }

  @Test(arguments: [ElementType.int8, .uint8])
  func aTableIsWrittenAsAGather(_ element: ElementType) throws {
    let table = Tensor(.float32, [256], elements: (0..<256).map { Float($0 * $0) })
    let node = Node(Lookup(), name: "f", inputs: ["x", "table"], outputs: ["y"])
    let model = try model(node, [("x", element, [4, 64])], [("table", table)])
    let (read, losses) = try written(model)
    #expect(losses.isEmpty)
    #expect(read.graph.nodes.allSatisfy { $0.operation.name.domain.isEmpty })
    let x = ["x": try bytes(element, [4, 64])]
    #expect(try results(read, x) == results(model, x))
  }

  @Test func aConvolutionToFloatIsWrittenInParts() throws {
    var conv = ConvIntegerToFloat()
    conv.pads = [1, 1, 1, 1]
    let node = Node(
      conv, inputs: ["x", "w", "s", "t", "z", nil, "b"], outputs: ["y"])
    let model = try model(
      node, [("x", .uint8, [1, 2, 5, 5])],
      [
        ("w", try bytes(.int8, [3, 2, 3, 3])), ("s", scalar(0.1)),
        ("t", Tensor(.float32, [3], elements: [Float(0.1), 0.2, 0.3])),
        ("z", Tensor(.uint8, [], integers: [7])),
        ("b", Tensor(.float32, [3], elements: [Float(1), 2, 3])),
      ])
    let (read, losses) = try written(model)
    #expect(losses.isEmpty)
    #expect(read.graph.nodes.allSatisfy { $0.operation.name.domain.isEmpty })
    let x = ["x": try bytes(.uint8, [1, 2, 5, 5])]
    #expect(try results(read, x) == results(model, x))
  }

  @Test func differencesAndInterpolationBecomeFloatWithALoss() throws {
    let node = Node(
      QLinearSub(), inputs: ["x", "s", nil, "x", "t", nil, "s"], outputs: ["y"])
    let first = try model(
      node, [("x", .int8, [256])], [("s", scalar(0.1)), ("t", scalar(0.03))])
    let sizes = Tensor(vector: [1, 1, 32, 16])
    let resize = Node(
      QLinearResize(), inputs: ["x", "s", nil, "t", nil, nil, nil, "sizes"], outputs: ["y"])
    let second = try model(
      resize, [("x", .int8, [1, 1, 16, 16])],
      [("s", scalar(0.1)), ("t", scalar(0.09)), ("sizes", sizes)])
    for (model, shape) in [(first, [256]), (second, [1, 1, 16, 16])] {
      let (read, losses) = try written(model)
      #expect(losses.map(\.kind) == [.numeric])
      #expect(read.graph.nodes.allSatisfy { $0.operation.name.domain.isEmpty })
      let x = ["x": try bytes(.int8, shape)]
      let (one, two) = (try results(model, x), try results(read, x))
      #expect(one.count == two.count && zip(one, two).allSatisfy { abs($0 - $1) <= 1 })
    }
  }
}
