import Testing
import WherryBytes
import WherryGraph
import WherryHDF5
import WherryKeras
import WherryOperators

/// Configurations that are wrong, or made to take time and memory, are refused with reason and place.
@Suite struct KerasHostileTests {
  private func read(_ configuration: String) throws -> Reading {
    var root = HDF5Draft.Group(members: [])
    root.attributes = [
      HDF5Draft.Attribute("model_config", .text(configuration)),
      HDF5Draft.Attribute("keras_version", .text("2.11.0")),
    ]
    var (weights, layer) = (HDF5Draft.Group(members: []), HDF5Draft.Group(members: []))
    layer.attributes = [HDF5Draft.Attribute("weight_names", .texts([]))]
    weights.attributes = [HDF5Draft.Attribute("layer_names", .texts(["layer"]))]
    weights.members = [("layer", .group(layer))]
    root.members = [("model_weights", .group(weights))]
    let sink = MemorySink()
    try HDF5Writer.write(root, to: sink)
    return try KerasFormat.read(ModelSource(Bytes(sink.bytes), operators: OperatorSet.all))
  }

  private func refusals(_ configuration: String) throws -> [DecodeError] {
    do {
      _ = try read(configuration)
      return []
    } catch let failure as ReadFailure {
      return failure.errors
    }
  }

  private func input(_ shape: String, _ name: String = "x") -> String {
    layer("InputLayer", name, #""batch_input_shape": [null, \#(shape)], "dtype": "float32""#, [])
  }

  private func layer(
    _ kind: String, _ name: String, _ settings: String, _ from: [String]
  ) -> String {
    let inbound = from.map { #"["\#($0)", 0, 0, {}]"# }.joined(separator: ", ")
    return """
      {"class_name": "\(kind)", "name": "\(name)", "inbound_nodes": [\(from.isEmpty ? "" : "[\(inbound)]")],
       "config": {"name": "\(name)"\(settings.isEmpty ? "" : ", \(settings)")}}
      """
  }

  private func model(
    _ layers: [String], inputs: [String] = ["x"], outputs: [String], call: Int = 0
  ) -> String {
    let ends = [(inputs, 0), (outputs, call)].map { (names, call) in
      names.map { #"["\#($0)", \#(call), 0]"# }.joined(separator: ", ")
    }
    return """
      {"class_name": "Functional", "config": {"name": "m", "layers": [\(layers.joined(separator: ", "))],
       "input_layers": [\(ends[0])], "output_layers": [\(ends[1])]}}
      """
  }

  /// Lambda layers and classes of somebody's own, all at once.
  @Test func codeIsRefusedByNameAndPlace() throws {
    let found = try refusals(
      model(
        [
          input("4"), layer("Lambda", "twice", #""function": ["4wEAAAA", null, null]"#, ["x"]),
          layer("Dropout", "drop", #""rate": 0.5"#, ["twice"]),
          layer("MyAttention", "own", "", ["drop"]),
        ], outputs: ["own"]))
    #expect(
      found.map(\.reason) == [.unsupported("class Lambda"), .unsupported("class MyAttention")])
    #expect(found.map { $0.place.description.contains("layer") } == [true, true])
    #expect(found.first?.place.description.contains("twice") == true)
  }

  @Test func layersThatWaitForThemselvesAreRefused() throws {
    let one = model([input("4"), layer("ReLU", "a", "", ["a"])], outputs: ["a"])
    let two = model(
      [input("4"), layer("ReLU", "a", "", ["b"]), layer("ReLU", "b", "", ["a"])], outputs: ["b"])
    for configuration in [one, two] {
      let found = try refusals(configuration)
      #expect(found.map(\.reason) == [.invalid("the layer waits for its own output")])
    }
  }

  @Test func unknownAndRepeatedNamesAreRefused() throws {
    let unknown = model([input("4"), layer("ReLU", "a", "", ["nobody"])], outputs: ["a"])
    #expect(try refusals(unknown).contains { $0.reason == .missing("nobody") })
    let output = model([input("4"), layer("ReLU", "a", "", ["x"])], outputs: ["b"])
    #expect(try !refusals(output).isEmpty)
    let twice = model(
      [input("4"), layer("ReLU", "a", "", ["x"]), layer("ReLU", "a", "", ["x"])], outputs: ["a"])
    #expect(try !refusals(twice).isEmpty)
  }

  private static let immense: [(kind: String, shape: String, settings: String)] = [
    ("RepeatVector", "4", #""n": 4611686018427387904"#),
    ("RepeatVector", "4", #""n": -1"#),
    ("UpSampling1D", "4, 3", #""size": 9223372036854775807"#),
    ("ZeroPadding2D", "4, 4, 3", #""padding": [[9223372036854775807, 1], [1, 1]]"#),
    ("ZeroPadding1D", "4, 3", #""padding": -5"#),
    ("Cropping1D", "4, 3", #""cropping": [3, 3]"#),
    ("Cropping2D", "4, 4, 3", #""cropping": 9223372036854775807"#),
    ("Reshape", "4", #""target_shape": [9223372036854775807, 9223372036854775807]"#),
    ("Reshape", "4", #""target_shape": [-1, -1]"#),
    ("Reshape", "5", #""target_shape": [2, -1]"#),
    ("Permute", "4, 5", #""dims": [1, 3]"#),
    ("MaxPooling2D", "4, 4, 3", #""pool_size": [0, 2], "strides": [1, 1]"#),
    ("MaxPooling2D", "4, 4, 3", #""pool_size": [2, 2], "strides": [0, 0]"#),
    ("AveragePooling1D", "4, 3", #""pool_size": 9223372036854775807, "padding": "same""#),
    ("Resizing", "4, 4, 3", #""height": 9223372036854775807, "width": 2"#),
    ("Softmax", "4", #""axis": 9"#),
    ("Flatten", "9223372036854775807, 9223372036854775807", ""),
    ("Dense", "4", #""units": 3"#),
    ("Dense", "4", #""units": 9223372036854775807"#),
    ("Embedding", "4", #""input_dim": 9223372036854775807, "output_dim": 9223372036854775807"#),
    ("Conv2D", "4, 4, 3", #""filters": 2, "kernel_size": [9223372036854775807, 1]"#),
    ("LSTM", "4, 3", #""units": 4611686018427387904"#),
    ("Normalization", "4", #""axis": 7, "mean": 0, "variance": 1"#),
    ("Discretization", "4", #""bin_boundaries": "none""#),
    ("ReLU", "4", #""max_value": "six""#),
  ]

  @Test(arguments: immense)
  func settingsBeyondReasonAreRefused(_ kind: String, _ shape: String, _ settings: String) throws {
    let found = try refusals(
      model([input(shape), layer(kind, "layer", settings, ["x"])], outputs: ["layer"]))
    #expect(found.contains { $0.place.description.contains("layer") }, "\(found)")
  }

  /// Each level applies the one below twice: 60 levels stand for more layers than there are atoms at hand.
  @Test func modelsThatMultiplyAreRefused() throws {
    var inner = ""
    for level in 0..<28 {
      let x = "x\(level)"
      let part =
        level == 0
        ? layer("ReLU", "m", "", [x])
        : inner.dropLast()
          + #", "name": "m", "inbound_nodes": [[["\#(x)", 0, 0, {}]], [["m", 0, 0, {}]]]}"#
      inner = model(
        [input("4", x), part], inputs: [x], outputs: ["m"], call: level == 0 ? 0 : 1)
    }
    let found = try refusals(inner)
    #expect(found.contains { if case .limit("layers", _) = $0.reason { true } else { false } })
  }

  @Test func nestingWithoutEndIsRefused() throws {
    let levels = 50_000
    let start = #"{"class_name": "TimeDistributed", "config": {"name": "t", "layer": "#
    let nested =
      String(repeating: start, count: levels) + #"{"class_name": "ReLU", "config": {"name": "r"}}"#
      + String(repeating: "}}", count: levels)
    let found = try refusals(model([input("4, 3"), nested], outputs: ["t"]))
    #expect(found.contains { if case .limit = $0.reason { true } else { false } })
  }

  @Test(arguments: [
    "", "null", "[]", "7", "{}", #"{"class_name": "Functional"}"#, "{\"a\": ", "\u{0}",
  ])
  func whatIsNoConfigurationIsRefused(_ text: String) throws {
    #expect(try !refusals(text).isEmpty)
  }

  /// One tensor as output a thousand times is a thousand outputs, each with its name.
  @Test func repeatedOutputsKeepApart() throws {
    let names = [String](repeating: "a", count: 1000)
    let reading = try read(
      model([input("4"), layer("ReLU", "a", "", ["x"])], outputs: names))
    #expect(Set(reading.model.graph.outputs.map(\.name)).count == names.count)
    #expect(reading.model.violations.isEmpty)
  }
}
