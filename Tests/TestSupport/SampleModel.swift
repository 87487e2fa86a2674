import WherryBytes
import WherryGraph
import WherryOperators

/// Models that together use every field and every kind of value the graph has.
public enum SampleModel {
  public static func text(_ string: String) -> Bytes { Bytes(string.utf8) }

  /// A tensor of `count` elements whose bit patterns run through the whole type.
  public static func patterned(_ element: ElementType, _ shape: [Int], step: Int = 37) -> Tensor? {
    guard let count = Checked.product(shape) else { return nil }
    if element == .string {
      return Tensor(shape, strings: (0..<count).map { Bytes("s\($0)".utf8) })
    }
    if element == .bool { return Tensor(shape, booleans: (0..<count).map { $0 % 3 == 0 }) }
    guard let size = element.byteCount(of: count) else { return nil }
    var bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 * step + 11) }
    let used = count * element.bitWidth % 8
    if used > 0, let last = bytes.indices.last { bytes[last] &= UInt8(1 << used - 1) }
    return Tensor(element, shape, bytes: Bytes(bytes))
  }

  public static let scalar = Tensor(vector: [3])

  public static let sparse = SparseTensor(
    shape: [1000, 1000], values: Tensor(vector: [7, -8]), indices: Tensor(vector: [5, 999_999]))

  public static let types: [ValueType] = [
    .unspecified, .tensor(.float32, nil), .tensor(.float16, Shape([])),
    .tensor(.int8, Shape([3, .symbolic("N"), .unknown, .fixed(1 << 60)])),
    .tensor(.string, Shape([1, 2], denotations: ["DATA_BATCH", ""])),
    .sparseTensor(.float64, Shape([.unknown])), .sparseTensor(.float64, nil),
    .sequence(.sequence(.tensor(.bool, nil))), .optional(.map(key: .int64, value: .unspecified)),
    .opaque(domain: "d", name: "n"), .opaque(domain: "", name: ""),
    .denoted(.tensor(.uint8, nil), "IMAGE"), .denoted(.denoted(.unspecified, ""), "a"),
    .sequence(.denoted(.optional(.unspecified), "x")),
  ]

  public static var attributeValues: [AttributeValue] {
    let bytes = Bytes([0, 255, 128, 34])
    let graph = Graph(name: "inner", outputs: [])
    return [
      .float(0.1), .float(-0.0), .float(.infinity), .float(-.infinity), .float(.nan),
      .float(Float(bitPattern: 0xFF80_0001)), .float(.leastNonzeroMagnitude), .float(3.4028235e38),
      .float(1),
      .int(0), .int(-1), .int(1 << 53), .int(1 << 53 + 1), .int(.min), .int(.max),
      .string(text("")), .string(text("é\u{1}\"\\/\n\t😀")), .string(bytes),
      .tensor(scalar), .sparseTensor(sparse), .graph(graph), .type(types[3]), .type(.unspecified),
      .floats([]), .floats([1, 2.5, .nan, -.infinity, 1e20]), .ints([]), .ints([1, 2, 3]),
      .ints([.max, 1, .min]), .strings([]), .strings([text("a"), text("")]),
      .strings([text("a"), bytes]), .tensors([]), .tensors([scalar, scalar]),
      .sparseTensors([sparse]), .sparseTensors([]), .graphs([graph, Graph()]), .graphs([]),
      .types(types), .types([]),
    ]
  }

  public static var properties: [Property] { [Property("author", "Ann"), Property("", "")] }
  public static var repeated: [Property] {
    [Property("a", "1"), Property("a", "2"), Property("b", "")]
  }

  /// Every field of every part, none of them at its default.
  public static var everything: Model {
    var metadata = Metadata()
    metadata.producerName = "maker"
    metadata.producerVersion = "1.0\u{7F}"
    metadata.domain = "org.example"
    metadata.modelVersion = .min
    metadata.docString = "two\r\nlines"
    metadata.properties = repeated
    metadata.irVersion = 10
    let sharding = Sharding(
      tensor: "x", devices: [0, 1, -1], groups: [.init(key: -1, devices: [2, 3])],
      axes: [
        .init(
          axis: -1,
          parts: [
            .init(extent: 4, count: 2), .init(extent: .symbolic("N"), count: 1),
            .init(extent: .unknown, count: .max),
          ])
      ])
    let attributes = attributeValues.enumerated().map {
      NamedAttribute("a\($0.offset)", $0.element)
    }
    var gemm = Gemm()
    (gemm.alpha, gemm.transB) = (0.5, true)
    let nodes = [
      Node(
        gemm, name: "first", inputs: ["x", "w", nil], outputs: ["y"], docString: "doc",
        overload: "o", properties: properties,
        attributeDocs: [Property("alpha", "scale")],
        devices: [
          NodeDevice(configuration: "c", shardings: [sharding], pipelineStage: -3),
          NodeDevice(configuration: "", shardings: [], pipelineStage: nil),
        ]),
      Node(
        UnknownOperator(OperatorName("Odd", domain: "org.example"), attributes: attributes),
        inputs: [], outputs: [nil, "z"]),
      // A known name with attributes that its operator doesn't have.
      Node(
        UnknownOperator(OperatorName("Gemm"), attributes: [NamedAttribute("broadcast", .int(1))]),
        inputs: ["x"], outputs: []),
    ]
    let graph = Graph(
      name: "main", docString: "graph", nodes: nodes,
      inputs: [ValueInfo("x", types[3], docString: "input", properties: repeated)],
      outputs: [ValueInfo("y", .unspecified), ValueInfo("z", types[12])],
      initializers: [Initializer("w", scalar, docString: "weights", properties: properties)],
      sparseInitializers: [SparseInitializer("s", sparse)],
      values: types.enumerated().map { ValueInfo("v\($0.offset)", $0.element) },
      quantization: [QuantizationAnnotation(value: "x", parameters: properties)],
      properties: properties)
    let function = Function(
      OperatorName("F", domain: "org.example"), overload: "v", docString: "function",
      inputs: ["p"], outputs: ["q"], requiredAttributes: ["r"], attributes: attributes,
      nodes: [
        Node(
          Gemm(), inputs: ["p", "p"], outputs: ["q"],
          references: [AttributeReference("alpha", source: "r", kind: .float)])
      ], values: [ValueInfo("q", types[1])], operatorSets: [OperatorSetVersion("", 21)],
      properties: properties)
    return Model(
      graph: graph, functions: [function], metadata: metadata,
      operatorSets: [OperatorSetVersion("", 17), OperatorSetVersion("ai.onnx.ml", 3)],
      labels: [ClassLabels(output: "y", labels: ["cat", "dog"])],
      schema: [
        InputColumn(
          input: "x", index: 0, name: "age", lowest: 0.1, highest: .infinity, missing: ""),
        InputColumn(
          input: "x", index: 1, name: "kind", isCategorical: true, categories: ["a", "b"],
          lowest: -0.0, highest: 1e300),
      ],
      training: [
        TrainingInfo(
          initialization: Graph(name: "i"), algorithm: graph, initializationBinding: properties,
          updateBinding: repeated),
        TrainingInfo(
          initialization: nil, algorithm: nil, initializationBinding: [], updateBinding: []),
      ],
      devices: [DeviceConfiguration(name: "d", count: -2, devices: ["cpu", ""])])
  }

  /// Tensors of all element types with several shapes, one initializer each.
  public static var tensors: Model {
    let shapes = [[], [0], [5], [2, 3], [300], [3, 0, 1 << 60], [1, 4, 1]]
    let initializers = ElementType.allCases.flatMap { element in
      shapes.compactMap { shape in
        patterned(element, shape).map { Initializer("\(element) \(shape)", $0) }
      }
    }
    return Model(graph: Graph(initializers: initializers))
  }
}
