import Testing
import WherryBytes
import WherryGraph
import WherryOperators

/// Models made by hand for the native format's tests.
enum NativeSample {
  /// y = relu(x W + b), with labels, small enough to mutate.
  static func small() throws -> Model {
    var gemm = Gemm()
    gemm.transB = true
    let weights = (0..<60).map { Float($0) / 16 - 1 }
    let w = try #require(Tensor(.float32, [20, 3], elements: weights))
    let b = try #require(Tensor(.float32, [20], elements: (0..<20).map { Float($0) }))
    let graph = Graph(
      name: "small",
      nodes: [
        Node(gemm, name: "dense", inputs: ["x", "w", "b"], outputs: ["h"]),
        Node(Relu(), name: "relu", inputs: ["h"], outputs: ["y"]),
      ],
      inputs: [ValueInfo("x", .tensor(.float32, Shape([.symbolic("batch"), 3])))],
      outputs: [ValueInfo("y", .tensor(.float32, Shape([.symbolic("batch"), 20])))],
      initializers: [Initializer("w", w), Initializer("b", b)])
    var model = Model(graph: graph)
    model.labels = [ClassLabels(output: "y", labels: (0..<20).map { "class \($0)" })]
    return model
  }

  /// Every field that a model has, with a value that is not its default.
  static func full() throws -> Model {
    var model = try small()
    let properties = [Property("key", "value"), Property("key", "again")]
    model.metadata.producerName = "maker"
    model.metadata.producerVersion = "1.2"
    model.metadata.domain = "org.example"
    model.metadata.modelVersion = -7
    model.metadata.docString = "doc \u{1F6F6}"
    model.metadata.properties = properties
    model.metadata.irVersion = 10
    model.operatorSets = [OperatorSetVersion("", 21), OperatorSetVersion("ai.onnx.ml", 5)]
    model.schema = [
      InputColumn(
        input: "x", index: 2, name: "colour", isCategorical: true, categories: ["red", "blue"],
        lowest: -1.5, highest: .infinity, missing: "NA")
    ]
    model.training = [
      TrainingInfo(
        initialization: Graph(name: "start"), algorithm: nil, initializationBinding: properties,
        updateBinding: [])
    ]
    model.devices = [DeviceConfiguration(name: "two", count: 2, devices: ["a", "b"])]
    model.graph.docString = "a graph"
    model.graph.properties = properties
    model.graph.values = [ValueInfo("h", .tensor(.float32, nil), docString: "inner")]
    model.graph.quantization = [QuantizationAnnotation(value: "h", parameters: properties)]
    model.graph.inputs += try types()
    let values = try #require(Tensor(.float32, [2], elements: [Float(1), .nan]))
    let sparse = SparseTensor(shape: [9], values: values, indices: Tensor(vector: [1, 8]))
    model.graph.sparseInitializers = [SparseInitializer("s", sparse)]
    try addTensors(&model)
    model.graph.nodes.append(try unknownNode(sparse))
    model.functions = [try function()]
    return model
  }

  private static func types() throws -> [ValueInfo] {
    let float = ValueType.tensor(.bfloat16, Shape([.unknown, .fixed(0)], denotations: ["N", "C"]))
    return [
      ValueInfo("t0", .unspecified), ValueInfo("t1", .sparseTensor(.int4, nil)),
      ValueInfo("t2", .sequence(.optional(float))),
      ValueInfo("t3", .map(key: .string, value: .denoted(float, "IMAGE"))),
      ValueInfo(
        "t4", .opaque(domain: "d", name: "n"), docString: "doc", properties: [Property("a", "")]),
    ]
  }

  private static func addTensors(_ model: inout Model) throws {
    let texts = try #require(Tensor([2], strings: [Bytes([0xFF, 0]), Bytes("text".utf8)]))
    let nibbles = try #require(Tensor(.int4, [3], integers: [-8, 7, -1]))
    let empty = try #require(Tensor(.float64, [0, 5], bytes: Bytes()))
    let large = try #require(Tensor(.uint8, [300], integers: (0..<300).map { Int64($0) }))
    for (name, tensor) in [
      ("texts", texts), ("nibbles", nibbles), ("empty", empty), ("large", large), ("same", large),
    ] {
      model.graph.initializers.append(
        Initializer(name, tensor, docString: "doc \(name)", properties: [Property(name, "p")]))
    }
  }

  private static func unknownNode(_ sparse: SparseTensor) throws -> Node {
    let tensor = Tensor(vector: [3, -4])
    let inner = Graph(
      name: "inner", nodes: [Node(Relu(), inputs: ["x"], outputs: ["z"])],
      outputs: [ValueInfo("z", .unspecified)])
    let attributes: [AttributeValue] = [
      .float(-0.0), .int(.min), .string(Bytes([0, 255])), .tensor(tensor), .sparseTensor(sparse),
      .graph(inner), .type(.tensor(.bool, nil)), .floats([.nan, 1]), .ints([.max, 0, -1]),
      .strings([Bytes(), Bytes([1])]), .tensors([tensor]), .sparseTensors([sparse]),
      .graphs([inner, inner]), .types([.unspecified]),
    ]
    var node = Node(
      UnknownOperator(
        OperatorName("Mystery", domain: "org.example"),
        attributes: attributes.enumerated().map { NamedAttribute("a\($0.offset)", $0.element) }),
      name: "mystery", inputs: ["y", nil, "texts"], outputs: [nil, "m"])
    node.docString = "doc"
    node.overload = "other"
    node.properties = [Property("a", "b")]
    node.attributeDocs = [Property("a0", "a number")]
    node.devices = [
      NodeDevice(
        configuration: "two",
        shardings: [
          Sharding(
            tensor: "y", devices: [0, -1], groups: [.init(key: -1, devices: [0, 1])],
            axes: [.init(axis: 1, parts: [.init(extent: .symbolic("n"), count: 2)])])
        ], pipelineStage: 3)
    ]
    return node
  }

  private static func function() throws -> Function {
    var node = Node(Gemm(), inputs: ["a", "b"], outputs: ["c"])
    node.references = [AttributeReference("alpha", source: "factor", kind: .float)]
    return Function(
      OperatorName("Scale", domain: "org.example"), overload: "v", docString: "doc",
      inputs: ["a", "b"], outputs: ["c"], requiredAttributes: ["factor"],
      attributes: [NamedAttribute("other", .int(1))], nodes: [node],
      values: [ValueInfo("c", .unspecified)], operatorSets: [OperatorSetVersion("", 21)],
      properties: [Property("k", "v")])
  }
}
