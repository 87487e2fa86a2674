import Glibc
import TestSupport
import Testing
import Wherry
import WherryBytes
import WherryGraph
import WherryKeras
import WherryOperators
import WherryZip

/// Models written as Keras files, read again.
@Suite struct KerasWritingTests {
  private static let training = "mlperf_tiny/benchmark/training"
  private static let suites = [
    "\(training)/image_classification/trained_models/pretrainedResnet.h5",
    "\(training)/anomaly_detection/trained_models/ad01.h5",
    "\(training)/anomaly_detection/trained_models/ToyCar/baseline_tf23/model/model_ToyCar.hdf5",
  ]

  private func read(_ bytes: Bytes, _ path: String) throws -> Model {
    try KerasTrip.read(bytes, path)
  }

  private func written(_ model: Model, as path: String) throws -> (bytes: Bytes, losses: [Loss]) {
    try KerasTrip.written(model, as: path)
  }

  private func expectSame(_ model: Model, as path: String) throws {
    try KerasTrip.expectSame(model, as: path)
  }

  private func numbers(_ shape: [Int]) -> Tensor? { KerasTrip.numbers(shape) }

  @Test(arguments: suites)
  func fileOfTheSuiteComesBackWhole(_ name: String) throws {
    guard let path = Suites.find(name) else { return }
    try expectWhole(try read(Bytes(mapping: path), path))
  }

  @Test(arguments: suites)
  func fileOfKeras2BecomesAnArchiveWithItsOwnLayers(_ name: String) throws {
    guard let path = Suites.find(name) else { return }
    let first = try read(Bytes(mapping: path), path)
    let (bytes, losses) = try written(first, as: "model.keras")
    #expect(losses.allSatisfy { $0.what.contains("training") })
    // Archives name weights without the ":0" of TensorFlow.
    let (old, new) = (first.graph, try read(bytes, "model.keras").graph)
    #expect(new.nodes.map(\.outputs) == old.nodes.map(\.outputs))
    #expect(new.initializers.map(\.tensor) == old.initializers.map(\.tensor))
  }

  @Test func functionThatMeansSomethingElseInKeras3IsSaidAnew() throws {
    var graph = QuantizedGraph(seed: 5)
    let x = graph.input("x", [2, 3])
    let y = graph.add(Tanh(), [x])
    var model = try read(written(graph.model(y), as: "a.h5").bytes, "a.h5")
    model.metadata.producerVersion = "2.15.0"
    func moved(_ model: Model) throws -> (losses: [Loss], configuration: String) {
      let (bytes, losses) = try written(model, as: "b.keras")
      let property = try read(bytes, "b.keras").metadata.properties.first {
        $0.key == "keras.config"
      }
      return (losses, try #require(property?.value))
    }
    #expect(try moved(model).losses.isEmpty)
    let index = try #require(
      model.metadata.properties.firstIndex { $0.key == "keras.config" })
    let configuration = model.metadata.properties[index].value
    model.metadata.properties[index].value =
      configuration.replacing("\"tanh\"", with: "\"hard_sigmoid\"")
    model.graph.nodes[0].operation = HardSigmoid()
    #expect(try written(model, as: "c.h5").losses.isEmpty)
    let (losses, text) = try moved(model)
    #expect(losses.contains { $0.what.contains("nesting") })
    #expect(!text.contains("hard_sigmoid"))
  }

  @Test(arguments: [1, 2])
  func weightsAloneBecomeAWholeFile(_ half: Int) throws {
    guard let path = Suites.find("models/breizhn+DTLN/pretrained_model/model.h5") else { return }
    let beside = Suites.packageFolder + "/formats/HDF5/oracle/dtln_\(half).h5"
    try expectWhole(try read(Bytes(mapping: path), beside))
  }

  private func expectWhole(_ first: Model) throws {
    let (bytes, losses) = try written(first, as: "model.h5")
    #expect(losses.isEmpty)
    #expect(try read(bytes, "model.h5") == first)
  }

  @Test func changedWeightIsWrittenAnew() throws {
    var first = try read(written(try digits(), as: "a.h5").bytes, "a.h5")
    let index = try #require(first.graph.initializers.firstIndex { $0.tensor.rank == 4 })
    let tensor = first.graph.initializers[index].tensor
    let doubled = try #require(
      Tensor(tensor.element, tensor.shape, doubles: tensor.doubles.map { $0 * 2 }))
    first.graph.initializers[index].tensor = doubled
    let second = try read(written(first, as: "b.h5").bytes, "b.h5")
    #expect(second.graph.initializers[index].tensor == doubled)
    #expect(second.metadata == first.metadata)
  }

  private func digits() throws -> Model {
    let path = Suites.packageFolder + "/fixtures/models/digits_cnn.onnx"
    let format = try #require(Formats.ofPath(path))
    let source = ModelSource(try Bytes(mapping: path), path: path, operators: OperatorSet.all)
    return try format.read(source).model
  }

  @Test(arguments: ["model.h5", "model.keras"])
  func convolutionalNetworkWithChannelsInFrontBecomesLayers(_ path: String) throws {
    try expectSame(try digits(), as: path)
  }

  @Test(arguments: [AutoPad.notSet, .sameUpper, .sameLower], [1, 2])
  func paddedConvolutionBecomesLayers(_ padding: AutoPad, _ stride: Int) throws {
    var graph = QuantizedGraph(seed: 3)
    let x = graph.input("x", [2, 3, 9, 8])
    var conv = Conv()
    conv.autoPad = padding
    conv.strides = [stride, stride]
    if padding == .notSet { conv.pads = [0, 2, 1, 1] }
    let w = try graph.constant(numbers([4, 3, 3, 2]), "w")
    let y = graph.add(conv, [x, w])
    let z = graph.add(LeakyRelu(), [y])
    try expectSame(graph.model(z), as: "model.keras")
  }

  @Test(arguments: [RecurrentDirection.forward, .reverse, .bidirectional])
  func recurrenceBecomesALayer(_ direction: RecurrentDirection) throws {
    var graph = QuantizedGraph(seed: 4)
    let x = graph.input("x", [2, 5, 3])
    var turn = Transpose()
    turn.perm = [1, 0, 2]
    var net = LSTM()
    (net.hiddenSize, net.direction) = (4, direction)
    let count = direction == .bidirectional ? 2 : 1
    let weights = [
      try graph.constant(numbers([count, 16, 3]), "w"),
      try graph.constant(numbers([count, 16, 4]), "r"),
      try graph.constant(numbers([count, 32]), "b"),
    ]
    let turned = graph.add(turn, [x])
    let y = graph.add(net, [turned] + weights)
    var back = Transpose()
    back.perm = [2, 0, 1, 3]
    let z = graph.add(back, [y])
    try expectSame(graph.model(z), as: "model.keras")
  }

  @Test func filePagesOfRearrangedWeightsLeaveMemory() throws {
    var graph = QuantizedGraph(seed: 8)
    let x = graph.input("x", [1, 256, 3, 3])
    let w = try graph.constant(numbers([256, 256, 3, 3]), "w")
    let y = graph.add(Conv(), [x, w])
    let folder = Folder.temporary()
    defer { Folder.remove(folder) }
    let path = folder + "/large.h5"
    try Folder.write(written(graph.model(y), as: path).bytes.array, to: path)
    let file = try Bytes(mapping: path)
    _ = file.array
    let before = try residentKilobytes(path)
    #expect(before > 2_000)
    let model = try read(file, path)
    #expect(model.graph.initializers.contains { $0.tensor.shape == [256, 256, 3, 3] })
    #expect(try residentKilobytes(path) < before / 10)
    withExtendedLifetime(file) {}
  }

  /// What the mapping of a file holds of memory.
  private func residentKilobytes(_ path: String) throws -> Int {
    let descriptor = open("/proc/self/smaps", O_RDONLY)
    defer { close(descriptor) }
    let text = try #require(try Bytes(reading: descriptor).text)
    let mapping = text.split(separator: "\n").drop { !$0.hasSuffix(path) }
    let line = try #require(mapping.first { $0.hasPrefix("Rss:") })
    return try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) })
  }

  @Test func weightsAloneAreReadWithTheStructureBesideThem() throws {
    let (bytes, _) = try written(try digits(), as: "model.keras")
    let archive = try ZipArchive(bytes)
    let entry = try #require(archive.entries.first { $0.name == "model.weights.h5" })
    let weights = try archive.content(of: entry)
    let folder = Folder.temporary()
    defer { Folder.remove(folder) }
    let path = folder + "/digits.weights.h5"
    do {
      _ = try read(weights, path)
      Issue.record("read without a structure")
    } catch let failure as ReadFailure {
      guard case .unsupported(let names)? = failure.errors.first?.reason else { throw failure }
      #expect(names.contains("digits.json"))
    }
    try Folder.write(bytes.array, to: folder + "/digits.keras")
    #expect(try read(weights, path).graph == read(bytes, "model.keras").graph)
  }

  @Test func operatorsThatNoLayerSaysAreAllNamed() throws {
    var graph = QuantizedGraph(seed: 5)
    let x = graph.input("x", [2, 3])
    let (root, error) = (graph.add(Sqrt(), [x]), graph.add(Erf(), [x]))
    let model = graph.model(root, error)
    do {
      _ = try written(model, as: "model.h5")
      Issue.record("written")
    } catch let error as EncodeError {
      guard case .inexpressible(let what) = error.reason else { throw error }
      #expect(what.contains("Sqrt") && what.contains("Erf"))
    }
  }

  @Test(arguments: [[-1, 5], [12, 5]])
  func reshapeThatJoinsTheBatchWithAnotherAxisIsRefused(_ shape: [Int]) throws {
    var graph = QuantizedGraph(seed: 6)
    let x = graph.input("x", [2, 6, 5])
    let wanted = try graph.constant(Tensor(vector: shape), "shape")
    let y = graph.add(Reshape(), [x, wanted])
    var model = graph.model(y)
    if shape[0] == -1 {
      let open = Shape([.symbolic("batch"), 6, 5])
      model.graph.inputs[0].type = .tensor(.float32, open)
    }
    do {
      _ = try written(model, as: "model.keras")
      Issue.record("written")
    } catch let error as EncodeError {
      guard case .inexpressible = error.reason else { throw error }
    }
  }
}
