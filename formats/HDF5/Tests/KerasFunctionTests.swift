import Testing
import WherryBytes
import WherryGraph
import WherryHDF5
import WherryKeras
import WherryOperators

/// Functions between layers, and classes that Keras's applications bring along.
@Suite struct KerasFunctionTests {
  private func read(_ layers: String, outputs: String, version: String = "2.15.0") throws -> Model {
    let configuration = """
      {"class_name": "Functional", "config": {"name": "m", "layers": [
       {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
        "config": {"name": "x", "batch_input_shape": [null, 2, 3], "dtype": "float32"}},
       \(layers)], "input_layers": [["x", 0, 0]], "output_layers": \(outputs)}}
      """
    var root = HDF5Draft.Group(members: [("model_weights", .group(HDF5Draft.Group(members: [])))])
    root.attributes = [
      HDF5Draft.Attribute("model_config", .text(configuration)),
      HDF5Draft.Attribute("keras_version", .text(version)),
    ]
    let sink = MemorySink()
    try HDF5Writer.write(root, to: sink)
    return try KerasFormat.read(
      ModelSource(Bytes(sink.bytes), operators: OperatorSet.all)
    ).model
  }

  private func function(_ name: String, _ call: String) -> String {
    let kind = name.hasSuffix("getitem") ? "SlicingOpLambda" : "TFOpLambda"
    return """
      {"class_name": "\(kind)", "name": "f", "inbound_nodes": [\(call)],
       "config": {"name": "f", "trainable": true, "dtype": "float32", "function": "\(name)"}}
      """
  }

  private func outputs(_ model: Model) throws -> [Tensor] {
    #expect(model.violations.isEmpty)
    let x = try #require(Tensor(.float32, [1, 2, 3], doubles: [1, -2, 3, 4, 5, -6]))
    let results = try ReferenceEvaluator(model).run(["x": .tensor(x)])
    return try model.graph.outputs.map { try #require(results[$0.name]?.tensor) }
  }

  struct Case: Sendable {
    let name: String
    let call: String
    let expected: [Double]

    init(_ name: String, _ call: String, _ expected: [Double]) {
      (self.name, self.call, self.expected) = (name, call, expected)
    }
  }

  private static let cases: [Case] = [
    Case("math.multiply", #"["x", 0, 0, {"y": 2.0, "name": null}]"#, [2, -4, 6, 8, 10, -12]),
    Case(
      "math.subtract", #"["_CONSTANT_VALUE", -1, 1, {"y": ["x", 0, 0]}]"#, [0, 3, -2, -3, -4, 7]),
    Case("__operators__.add", #"["x", 0, 0, {"y": ["x", 0, 0]}]"#, [2, -4, 6, 8, 10, -12]),
    Case("math.reduce_mean", #"["x", 0, 0, {"axis": [2]}]"#, [2.0 / 3, 1]),
    Case("nn.leaky_relu", #"["x", 0, 0, {"alpha": 0.5}]"#, [1, -1, 3, 4, 5, -3]),
    Case(
      "clip_by_value", #"["x", 0, 0, {"clip_value_min": -1, "clip_value_max": 4}]"#,
      [1, -1, 3, 4, 4, -1]),
    Case("compat.v1.transpose", #"["x", 0, 0, {"perm": [0, 2, 1]}]"#, [1, 4, -2, 5, 3, -6]),
    Case(
      "concat", #"[["x", 0, 0, {"axis": 1}], ["x", 0, 0, {"axis": 1}]]"#,
      [1, -2, 3, 4, 5, -6, 1, -2, 3, 4, 5, -6]),
    Case("split", #"["x", 0, 0, {"num_or_size_splits": [1, 2], "axis": -1}]"#, [1, 4]),
    // What is not 0 counts as true.
    Case("where", #"["x", 0, 0, {"x": ["x", 0, 0], "y": 7.0}]"#, [1, -2, 3, 4, 5, -6]),
    Case("reverse", #"["x", 0, 0, {"axis": [2]}]"#, [3, -2, 1, -6, 5, 4]),
    Case("compat.v1.gather", #"["x", 0, 0, {"indices": [2, 0], "axis": 2}]"#, [3, 1, -6, 4]),
    Case(
      "__operators__.getitem",
      #"["x", 0, 0, {"slice_spec": [{"start": null, "stop": null, "step": null}, -1, {"start": 2, "stop": 0, "step": -1}]}]"#,
      [-6, 5]),
  ]

  @Test(arguments: cases)
  func functionOfTensorFlowComputesWhatItSays(_ test: Case) throws {
    let model = try read(function(test.name, test.call), outputs: #"[["f", 0, 0]]"#)
    let numbers = try #require(outputs(model).first).doubles
    #expect(numbers.count == test.expected.count)
    #expect(zip(numbers, test.expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func indicesAddAndDropAxes() throws {
    let layers = """
      {"class_name": "GlobalAveragePooling1D", "name": "g", "inbound_nodes": [[["x", 0, 0, {}]]], "config": {"name": "g"}},
      \(function("__operators__.getitem", #"["g", 0, 0, {"slice_spec": [null, {"class_name": "__ellipsis__"}, 1]}]"#))
      """
    let found = try outputs(read(layers, outputs: #"[["f", 0, 0]]"#))
    #expect(found.first?.shape == [1, 1])
    #expect(found.first?.doubles == [1.5])
  }

  @Test func unknownFunctionsAreRefusedByName() {
    let error = #expect(throws: ReadFailure.self) {
      try read(
        function("image.resize", #"["x", 0, 0, {"size": [2, 2]}]"#), outputs: #"[["f", 0, 0]]"#)
    }
    #expect(error?.errors.map(\.reason) == [.unsupported("function tf.image.resize")])
    #expect(error?.errors.first?.place.description.contains("\"f\"") == true)
  }

  @Test func outputsOfADictionaryStandInTheOrderOfTheirKeys() throws {
    let layers = ["late", "early"].map { name in
      """
      {"class_name": "ReLU", "name": "\(name)", "inbound_nodes": [[["x", 0, 0, {}]]], "config": {"name": "\(name)"}}
      """
    }.joined(separator: ",")
    let model = try read(layers, outputs: #"{"b": ["late", 0, 0], "a": ["early", 0, 0]}"#)
    #expect(model.graph.outputs.map(\.name) == ["early", "late"])
  }

  private func scale(_ settings: String) -> String {
    """
    {"class_name": "Custom>CustomScaleLayer", "name": "s", "inbound_nodes": [[["x", 0, 0, {}], ["x", 0, 0, {}]]],
     "config": {"name": "s", "trainable": true, "dtype": "float32", \(settings)}}
    """
  }

  @Test func classOfAnApplicationIsReadByItsSettings() throws {
    let found = try outputs(read(scale(#""scale": 0.5"#), outputs: #"[["s", 0, 0]]"#))
    #expect(found.first?.doubles == [1.5, -3, 4.5, 6, 7.5, -9])
  }

  @Test func classOfTheSameNameWithOtherSettingsIsRefused() {
    let error = #expect(throws: ReadFailure.self) {
      try read(scale(#""scale": 0.5, "power": 2"#), outputs: #"[["s", 0, 0]]"#)
    }
    #expect(
      error?.errors.map(\.reason) == [.unsupported("class Custom>CustomScaleLayer")])
  }

  @Test func weightsThatKerasQuantizedAreRefusedByName() {
    let layer = """
      {"class_name": "Dense", "name": "d", "inbound_nodes": [[["x", 0, 0, {}]]],
       "config": {"name": "d", "units": 2, "dtype": {"class_name": "QuantizedDTypePolicy",
        "config": {"mode": "int8", "source_name": "float32"}}}}
      """
    let error = #expect(throws: ReadFailure.self) {
      try read(layer, outputs: #"[["d", 0, 0]]"#, version: "3.5.0")
    }
    #expect(
      error?.errors.map(\.reason) == [.unsupported("weights that Keras quantized (int8)")])
  }

  private func dense(_ value: Float) -> HDF5Draft.Group {
    var group = HDF5Draft.Group(members: [
      (
        "k",
        .dataset(
          HDF5Draft.Dataset(
            .array(
              .float32, [1, 1],
              Bytes((0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) }))))
      )
    ])
    group.attributes = [HDF5Draft.Attribute("weight_names", .texts(["k"]))]
    return group
  }

  /// The group of a layer stands within that of another whose name is the beginning of its own.
  @Test func layersOfNamesWithinNamesAllKeepTheirWeights() throws {
    func layer(_ name: String, _ more: String = "") -> String {
      """
      {"class_name": "Dense", "config": {"name": "\(name)", "units": 1, "use_bias": false\(more)}}
      """
    }
    let inner = layer("a/b", #", "batch_input_shape": [null, 1]"#)
    var outer = dense(3)
    outer.members.append(("b", .group(dense(2))))
    var layers = HDF5Draft.Group(members: [("a", .group(outer))])
    layers.attributes = [HDF5Draft.Attribute("layer_names", .texts(["a/b", "a"]))]
    var root = HDF5Draft.Group(members: [("model_weights", .group(layers))])
    root.attributes = [
      HDF5Draft.Attribute(
        "model_config",
        .text(
          """
          {"class_name": "Sequential", "config": {"name": "m", "layers": [\(inner), \(layer("a"))]}}
          """)),
      HDF5Draft.Attribute("keras_version", .text("2.15.0")),
    ]
    let sink = MemorySink()
    try HDF5Writer.write(root, to: sink)
    let source = ModelSource(Bytes(sink.bytes), operators: OperatorSet.all)
    let model = try KerasFormat.read(source).model
    #expect(model.graph.initializers.map(\.tensor.doubles) == [[2], [3]])
    let copy = MemorySink()
    var options = WriteOptions()
    options.path = "m.h5"
    #expect(try KerasFormat.write(model, to: copy, options: options).isEmpty)
    let again = try KerasFormat.read(ModelSource(Bytes(copy.bytes), operators: OperatorSet.all))
    #expect(again.model == model)
  }

  /// h5py has no bfloat16 and stores such numbers as opaque bytes.
  @Test func opaquePairsOfBytesAreBfloat16() throws {
    let configuration = """
      {"class_name": "Sequential", "config": {"name": "m", "layers": [
       {"class_name": "Dense", "config": {"name": "d", "units": 1, "use_bias": false, "dtype": "bfloat16",
        "batch_input_shape": [null, 2]}}]}}
      """
    var weights = HDF5Draft.Group(members: [
      (
        "d:0",
        .dataset(
          HDF5Draft.Dataset(
            .array(.opaque(size: 2, tag: Bytes()), [2, 1], Bytes([0x80, 0x3F, 0, 0x40]))))
      )
    ])
    weights.attributes = [HDF5Draft.Attribute("weight_names", .texts(["d:0"]))]
    var layers = HDF5Draft.Group(members: [("d", .group(weights))])
    layers.attributes = [HDF5Draft.Attribute("layer_names", .texts(["d"]))]
    var root = HDF5Draft.Group(members: [("model_weights", .group(layers))])
    root.attributes = [
      HDF5Draft.Attribute("model_config", .text(configuration)),
      HDF5Draft.Attribute("keras_version", .text("2.15.0")),
    ]
    let sink = MemorySink()
    try HDF5Writer.write(root, to: sink)
    let model = try KerasFormat.read(
      ModelSource(Bytes(sink.bytes), operators: OperatorSet.all)
    ).model
    let kernel = try #require(model.graph.initializers.first?.tensor)
    #expect(kernel.element == .bfloat16 && kernel.doubles == [1, 2])
    let copy = MemorySink()
    var options = WriteOptions()
    options.path = "m.h5"
    #expect(try KerasFormat.write(model, to: copy, options: options).isEmpty)
    let again = try HDF5File(Bytes(copy.bytes)).root()
    guard case .dataset(let dataset) = try again.object(at: "model_weights/d/d:0") else {
      Issue.record("the kernel is no data set")
      return
    }
    #expect(try dataset.read().type == .opaque(size: 2, tag: Bytes()))
  }
}
