import Testing
import WherryBytes
import WherryGraph

@testable import WherryONNX

/// Every message and field both ways.
@Suite struct ONNXCoverageTests {
  @Test func everythingAModelCanSaySurvives() throws {
    let model = try fullModel()
    let bytes = try written(model)
    let reading = try read(bytes)
    #expect(reading.model == model, "\(ModelDifference.first(model, reading.model))")
    #expect(reading.losses.isEmpty)
    #expect(try written(reading.model) == bytes)
  }

  @Test func everyElementTypeSurvives() throws {
    for element in ElementType.allCases where element != .string {
      let count = try #require(element.byteCount(of: 3))
      let tensor = try #require(
        Tensor(element, [3], bytes: Bytes((0..<count).map { UInt8($0 * 37 % 11) })))
      var model = try read(WireBuilder.model(WireBuilder.sum)).model
      model.graph.initializers.append(Initializer("t", tensor))
      #expect(try read(written(model)).model == model, "\(element)")
    }
  }

  @Test func typedFieldsGiveTheSameTensorAsRawData() throws {
    let cases: [(Int64, WireBuilder, [Int64])] = [
      (6, WireBuilder().number(5, -7).number(5, 9), [-7, 9]),
      (7, WireBuilder().bytes(7, WireBuilder.varint(5) + WireBuilder.varint(6)), [5, 6]),
      (2, WireBuilder().bytes(5, [200, 1, 3]), [200, 3]),
      (3, WireBuilder().number(5, -1).number(5, 127), [-1, 127]),
      (12, WireBuilder().number(11, 4_000_000_000).number(11, 1), [4_000_000_000, 1]),
      (13, WireBuilder().number(11, 8).number(11, 1), [8, 1]),
      (9, WireBuilder().number(5, 1).number(5, 0), [1, 0]),
    ]
    for (code, data, expected) in cases {
      let tensor = WireBuilder().number(1, 2).number(2, code).text(8, "v").appending(data.bytes)
      let model = try read(WireBuilder.model(WireBuilder.sum.message(5, tensor))).model
      #expect(model.graph.initializers.last?.tensor.integers == expected, "type \(code)")
    }
  }

  @Test func longTypedFieldsStayInTheFile() throws {
    let numbers = (0..<1000).map { Int64($0 * $0) - 500 }
    let packed = numbers.flatMap { WireBuilder.varint(UInt64(bitPattern: $0)) }
    let tensor = WireBuilder().number(1, 1000).number(2, 7).bytes(7, packed).text(8, "v")
    let model = try read(WireBuilder.model(WireBuilder.sum.message(5, tensor))).model
    #expect(model.graph.initializers.last?.tensor.integers == numbers)
  }

  @Test func numbersThatDoNotFitTheElementTypeAreRefused() {
    let tensor = WireBuilder().number(1, 1).number(2, 2).number(5, 300).text(8, "v")
    let found = errors(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    #expect(found.map(\.reason) == [.invalid("300 as an element of 8 bits")])
  }

  @Test func weightsAreBorrowedFromTheFile() throws {
    let raw = (0..<4096).map { UInt8(truncatingIfNeeded: $0) }
    let tensor = WireBuilder.tensor("v", [1024], raw)
    let source = Bytes(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    let model = try ONNXFormat.read(ModelSource(source, operators: OperatorTable([]))).model
    #expect(model.graph.initializers.last?.tensor.bytes.store === source.store)
  }

  @Test func aZeroByteInANameCanNotBeWritten() throws {
    var model = try read(WireBuilder.model(WireBuilder.sum)).model
    model.graph.nodes[0].name = "a\0b"
    #expect(throws: EncodeError.self) { try written(model) }
  }

  @Test func contentTellsTheFormat() {
    let model = WireBuilder.model(WireBuilder.sum)
    #expect(ONNXFormat.recognizes(Bytes(model)))
    #expect(ONNXFormat.recognizes(Bytes(model.prefix(12))))
    #expect(!ONNXFormat.recognizes(Bytes("{\"wherry\": 1}".utf8)))
    #expect(!ONNXFormat.recognizes(Bytes([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a])))
    #expect(!ONNXFormat.recognizes(Bytes()))
  }

  // MARK: A model with everything

  private func fullModel() throws -> Model {
    var model = try read(WireBuilder.model(WireBuilder.sum)).model
    let small = try #require(Tensor(.float32, [2], elements: [Float(1), .nan]))
    let sparse = SparseTensor(
      shape: [5], values: small, indices: try #require(Tensor(.int64, [2], integers: [1, 4])))
    var inner = model.graph
    inner.name = "inner"
    inner.inputs = []
    inner.outputs = [ValueInfo("w", .unspecified)]
    inner.nodes = []
    let type = ValueType.denoted(
      .tensor(
        .float16,
        Shape([.fixed(2), .symbolic("N"), .unknown], denotations: ["DATA_BATCH", "", "X"])),
      "IMAGE")
    let attributes: [NamedAttribute] = [
      NamedAttribute("f", .float(-0.0)), NamedAttribute("i", .int(.min)),
      NamedAttribute("s", .string(Bytes([0, 255]))), NamedAttribute("t", .tensor(small)),
      NamedAttribute("g", .graph(inner)), NamedAttribute("fs", .floats([1, .infinity])),
      NamedAttribute("is", .ints([])), NamedAttribute("ss", .strings([Bytes(), Bytes([1])])),
      NamedAttribute("ts", .tensors([small, small])), NamedAttribute("gs", .graphs([inner])),
      NamedAttribute("p", .sparseTensor(sparse)), NamedAttribute("ps", .sparseTensors([sparse])),
      NamedAttribute("y", .type(type)),
      NamedAttribute(
        "ys",
        .types([
          .sequence(type), .optional(.sequence(.unspecified)), .map(key: .string, value: type),
          .opaque(domain: "d", name: "n"), .sparseTensor(.int8, nil),
        ])),
    ]
    let device = NodeDevice(
      configuration: "c",
      shardings: [
        Sharding(
          tensor: "x", devices: [0, 1], groups: [.init(key: 1, devices: [0])],
          axes: [
            .init(
              axis: 1,
              parts: [
                .init(extent: .fixed(4), count: 2), .init(extent: .symbolic("N"), count: 3),
              ])
          ])
      ], pipelineStage: 0)
    model.graph.nodes.append(
      Node(
        UnknownOperator(OperatorName("Odd", domain: "org.example"), attributes: attributes),
        name: "odd", inputs: ["x", nil, "y"], outputs: [nil, "z"], docString: "doc", overload: "o",
        properties: [Property("k", "v"), Property("k", "")],
        attributeDocs: [Property("f", "about f")], devices: [device]))
    model.graph.docString = "größer"
    model.graph.values = [ValueInfo("z", type, docString: "d", properties: [Property("a", "b")])]
    model.graph.quantization = [
      QuantizationAnnotation(value: "x", parameters: [Property("SCALE_TENSOR", "w")])
    ]
    model.graph.properties = [Property("graph", "yes")]
    model.graph.sparseInitializers = [SparseInitializer("sp", sparse)]
    model.graph.initializers[0].docString = "weights"
    model.graph.initializers[0].properties = [Property("p", "q")]
    model.graph.initializers.append(
      Initializer("strings", try #require(Tensor([2], strings: [Bytes([255]), Bytes()]))))
    model.functions = [
      Function(
        OperatorName("Twice", domain: "org.example"), overload: "two", docString: "twice",
        inputs: ["a"], outputs: ["b"], requiredAttributes: ["need"],
        attributes: [NamedAttribute("alpha", .float(2))],
        nodes: [
          Node(
            UnknownOperator(OperatorName("Odd", domain: "org.example"), attributes: []),
            inputs: ["a"], outputs: ["b"],
            references: [AttributeReference("mine", source: "need", kind: .ints)])
        ],
        values: [ValueInfo("b", type)], operatorSets: [OperatorSetVersion("org.example", 3)],
        properties: [Property("f", "g")])
    ]
    var metadata = Metadata()
    (metadata.producerName, metadata.producerVersion) = ("maker", "1.2")
    (metadata.domain, metadata.modelVersion, metadata.docString) = ("org.example", -4, "about")
    metadata.properties = [Property("author", "someone"), Property("author", "else")]
    metadata.irVersion = 14
    model.metadata = metadata
    model.operatorSets.append(OperatorSetVersion("org.example", 3))
    model.devices = [DeviceConfiguration(name: "c", count: 2, devices: ["cpu", "gpu"])]
    model.training = [
      TrainingInfo(
        initialization: inner, algorithm: inner,
        initializationBinding: [Property("w", "w")], updateBinding: [Property("w", "w")])
    ]
    return model
  }
}
