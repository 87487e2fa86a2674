import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryHDF5
import WherryHDF5Graph
import WherryONNX
import WherryOperators

func encoded(_ model: Model) throws(EncodeError) -> [UInt8] {
  let sink = MemorySink()
  let losses = try HDF5GraphFormat.write(model, to: sink, options: WriteOptions())
  #expect(losses.isEmpty)
  return sink.bytes
}

func decoded(_ bytes: [UInt8], limits: Limits = .standard) throws(ReadFailure) -> Model {
  let source = ModelSource(Bytes(bytes), limits: limits, operators: OperatorSet.all)
  let reading = try HDF5Format.read(source)
  #expect(reading.losses.isEmpty)
  return reading.model
}

/// Models through the graph layout and back.
@Suite struct GraphLayoutTests {
  @Test(arguments: [SampleModel.everything, SampleModel.tensors, Model(graph: Graph())])
  func everyFieldAndElementTypeComesBack(model: Model) throws {
    let bytes = try encoded(model)
    let back = try decoded(bytes)
    #expect(back == model)
    #expect(try encoded(back) == bytes)
  }

  @Test func longValuesAndStrangeNamesComeBack() throws {
    let names = ["", ".", "..", "a/b", "/", "100%", "%2F", "nul\0nul", "é", "kind", "items", "of"]
    let long = Bytes([UInt8](repeating: 0x61, count: 200_000))
    let values: [AttributeValue] = [
      .ints((0..<100_000).map { Int64($0) }), .floats((0..<20_000).map { Float($0) }),
      .strings((0..<5000).map { Bytes(Array("s\($0)".utf8)) }), .string(long),
      .string(Bytes([UInt8](repeating: 0xFF, count: 100_000))),
      .strings((0..<5000).map { Bytes([0, UInt8(truncatingIfNeeded: $0)]) }),
    ]
    let attributes = zip(names, values + values).map { NamedAttribute($0, $1) }
    var model = Model(
      graph: Graph(nodes: [
        Node(
          UnknownOperator(OperatorName("Odd", domain: "d"), attributes: attributes),
          inputs: ["", nil, "x\0y"], outputs: (0..<5000).map { "\($0)" }, docString: "a\0b")
      ]))
    model.metadata.properties = (0..<5000).map { Property("k\($0)", "v") }
    model.metadata.docString = String(repeating: "long ", count: 100_000)
    let rank40 = Tensor(.int8, [Int](repeating: 1, count: 40), bytes: Bytes([7]))
    model.graph.initializers = [
      Initializer("a/b", try #require(rank40)), Initializer("a/b", rank40 ?? SampleModel.scalar),
    ]
    let back = try decoded(try encoded(model))
    #expect(back == model)
  }

  @Test func attributesThatStandTwiceAreRefused() throws {
    let twice = [NamedAttribute("a", .int(1)), NamedAttribute("a", .int(2))]
    let node = Node(
      UnknownOperator(OperatorName("Odd"), attributes: twice), inputs: [], outputs: [])
    #expect(throws: EncodeError.self) { try encoded(Model(graph: Graph(nodes: [node]))) }
  }

  @Test func weightsAreSharedWithTheFile() throws {
    let weights = try #require(SampleModel.patterned(.float32, [100, 30]))
    let bytes = Bytes(try encoded(Model(graph: Graph(initializers: [Initializer("w", weights)]))))
    let back = try HDF5Format.read(ModelSource(bytes, operators: OperatorSet.all)).model
    let tensor = try #require(back.graph.initializers.first?.tensor)
    #expect(tensor.bytes.store === bytes.store && tensor.bytes.offset % 64 == 0)
  }

  @Test func theChoiceOfLayoutIsReported() throws {
    let sink = MemorySink()
    let losses = try HDF5Format.write(
      SampleModel.everything, to: sink, options: WriteOptions())
    #expect(losses.map(\.kind) == [.capability])
    #expect(sink.bytes == (try encoded(SampleModel.everything)))
    #expect(HDF5GraphFormat.recognizes(Bytes(sink.bytes)))
    var options = WriteOptions()
    options.path = "model.keras"
    #expect(throws: EncodeError.self) {
      try HDF5Format.write(SampleModel.everything, to: MemorySink(), options: options)
    }
  }

  /// With `WHERRY_GRAPH_OUT` naming a folder, the files are left there for `oracle/graph_layout.py`.
  @Test(arguments: ["onnx_node", "models"])
  func everySuiteModelComesBack(suite: String) throws {
    guard let folder = Suites.find(suite) else { return }
    let out = Suites.environment("WHERRY_GRAPH_OUT")
    var (same, unread) = (0, 0)
    for path in Folder.files(folder, suffix: ".onnx") {
      let source = ModelSource(try Bytes(mapping: path), path: path, operators: OperatorSet.all)
      guard let model = try? ONNXFormat.read(source).model else {
        unread += 1
        continue
      }
      let bytes = try encoded(model)
      let back = try decoded(bytes)
      let again = try encoded(back)
      #expect(back == model && again == bytes, "\(path) changes on its way")
      if back == model, again == bytes { same += 1 }
      if let out {
        let name = path.dropFirst(folder.count + 1).split(separator: "/").joined(separator: "%")
        try Folder.write(bytes, to: "\(out)/\(suite)-\(name).h5")
      }
    }
    print("\(suite): \(same) models the same after HDF5, \(unread) not read from ONNX")
    #expect(same > 0)
  }
}
