import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryKeras
import WherryOperators

/// What a graph loses when it is said in layers of Keras.
@Suite struct KerasLossTests {
  private func dense() throws -> Model {
    var graph = QuantizedGraph(seed: 3)
    let x = graph.input("x", [2, 3])
    let w = try graph.constant(KerasTrip.numbers([3, 4]), "w")
    let y = graph.add(MatMul(), [x, w])
    return graph.model(y)
  }

  private func losses(_ model: Model, as path: String = "model.keras") throws -> [Loss] {
    try KerasTrip.expectSame(model, as: path).losses
  }

  @Test func inputWithADefaultIsNoInputAnyMore() throws {
    var model = try dense()
    model.graph.inputs.append(ValueInfo("w", .tensor(.float32, Shape(fixed: [3, 4]))))
    let (bytes, losses) = try KerasTrip.written(model, as: "model.keras")
    let loss = try #require(losses.first { $0.kind == .capability })
    #expect("\(loss.place)".contains("w"))
    #expect(try KerasTrip.read(bytes, "model.keras").graph.inputs.map(\.name) == ["x"])
  }

  @Test(arguments: ["model.h5", "model.keras"])
  func quantizedWeightsBecomeFloatingPointAndAreNamed(_ path: String) throws {
    var graph = QuantizedGraph(seed: 3)
    let x = graph.input("x", [2, 3])
    let w = try graph.weights([3, 4], axis: 1)
    let y = graph.add(MatMul(), [x, w])
    let losses = try losses(graph.model(y), as: path)
    let loss = try #require(losses.first { $0.what.contains("integers") })
    #expect("\(loss.place)".contains("n0"))
  }

  @Test func namesAndDocumentsThatStandInNoLayerAreNamed() throws {
    var model = try dense()
    model.graph.inputs[0].type = .tensor(.float32, Shape([.symbolic("people"), 3]))
    model.graph.nodes[0].docString = "why"
    model.metadata.domain = "org.example"
    model.metadata.modelVersion = 7
    model.metadata.properties = [Property("author", "somebody")]
    let told = try losses(model).map(\.what)
    for part in ["documentation", "org.example", "7", "author", "people", "names of 1 nodes"] {
      #expect(told.contains { $0.contains(part) }, "\(part)")
    }
  }

  @Test func indicesThatEmbeddingDoesNotTakeAreNamed() throws {
    var graph = QuantizedGraph(seed: 3)
    let x = graph.input("x", [2, 3], .int32)
    let table = try graph.constant(KerasTrip.numbers([5, 4]), "table")
    let y = graph.add(Relu(), [graph.add(Gather(), [table, x])])
    let losses = try KerasTrip.written(graph.model(y), as: "model.keras").losses
    #expect(losses.contains { $0.what.contains("indices below 0") })
  }

  @Test func plainGraphLosesNothing() throws {
    var model = try dense()
    model.graph.nodes[0].name = ""
    #expect(try losses(model).isEmpty)
  }
}
