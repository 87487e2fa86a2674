import Testing
import WherryGraph
import WherryOperators

/// Shapes that follow from shapes of which not everything is known.
@Suite struct TensorShapeRuleTests {
  typealias Calls = TensorOperatorCalls

  private static func type(_ dimensions: Dimension...) -> ValueType {
    .tensor(.float32, Shape(dimensions))
  }

  private static func shape(
    _ operation: any Operator, _ type: ValueType, _ contents: [Int64]?...
  ) throws -> String {
    let constants = contents.map { list -> (type: ValueType?, content: Tensor?) in
      guard let list, let tensor = Calls.integers(list) else { return (nil, nil) }
      return (tensor.type, tensor)
    }
    let result = try Calls.infer(operation, [(type, nil)] + constants)
    return result[0]?.shape?.description ?? "unknown"
  }

  @Test func reshapingDividesNamedExtents() throws {
    let batch = Self.type(.symbolic("N"), 3, 4)
    #expect(try Self.shape(Reshape(), batch, [0, -1]) == "[N, 12]")
    #expect(try Self.shape(Reshape(), batch, [-1, 12]) == "[N, 12]")
    #expect(try Self.shape(Reshape(), batch, [-1, 6]) == "[?, 6]")
    #expect(try Self.shape(Reshape(), batch, [0, 0, 2, -1]) == "[N, 3, 2, 2]")
    #expect(try Self.shape(Reshape(), Self.type(2, 6), [3, -1]) == "[3, 4]")
    #expect(throws: TypeError.self) { try Self.shape(Reshape(), Self.type(2, 6), [5, -1]) }
    #expect(throws: TypeError.self) { try Self.shape(Reshape(), Self.type(2, 6), [-1, -1]) }
    #expect(throws: TypeError.self) { try Self.shape(Reshape(), Self.type(2, 6), [11]) }
  }

  @Test func movementKeepsNamedExtents() throws {
    let image = Self.type(.symbolic("N"), 3, .symbolic("H"), .symbolic("W"))
    #expect(try Self.shape(Transpose().with(\.perm, [0, 2, 3, 1]), image) == "[N, H, W, 3]")
    #expect(try Self.shape(Flatten(), image) == "[N, ?]")
    #expect(try Self.shape(Unsqueeze(), image, [0, 5]) == "[1, N, 3, H, W, 1]")
    #expect(try Self.shape(SliceOperator(), image, [0], [2], [1]) == "[N, 2, H, W]")
    #expect(try Self.shape(SliceOperator(), image, [0], [.max], [2]) == "[N, 3, H, W]")
    #expect(try Self.shape(SliceOperator(), image, [1], [.max], [2]) == "[N, 3, ?, W]")
    #expect(try Self.shape(Gather().with(\.axis, 1), image, [0, 1]) == "[N, 2, H, W]")
    #expect(try Self.shape(Expand(), image, [2, 1, 1, 1, 1]) == "[2, N, 3, H, W]")
    #expect(try Self.shape(Tile(), image, [1, 2, 1, 1]) == "[N, 6, H, W]")
    #expect(try Self.shape(Pad(), image, [0, 1, 0, 0, 0, 1, 0, 0]) == "[N, 5, H, W]")
  }

  /// Extents that flow as numbers: Shape, Gather, Concat and Reshape around a batch that is only named.
  @Test func namedExtentsFlowThroughShapeArithmetic() throws {
    var gather = Node(Gather(), inputs: ["shape", "zero"], outputs: ["batch"])
    gather.name = "batch"
    let graph = Graph(
      nodes: [
        Node(ShapeOperator(), inputs: ["x"], outputs: ["shape"]), gather,
        Node(Unsqueeze(), inputs: ["batch", "axes"], outputs: ["batches"]),
        Node(Concat(), inputs: ["batches", "rest"], outputs: ["target"]),
        Node(Reshape(), inputs: ["x", "target"], outputs: ["y"]),
        Node(
          SliceOperator(), inputs: ["shape", "axes", "end"], outputs: ["head"]),
        Node(ConstantOfShape(), inputs: ["head"], outputs: ["zeros"]),
      ],
      inputs: [ValueInfo("x", Self.type(.symbolic("N"), .symbolic("T"), 8))],
      outputs: [ValueInfo("y", .unspecified), ValueInfo("zeros", .unspecified)],
      initializers: [
        Initializer("zero", try #require(Calls.integers([0], []))),
        Initializer("axes", try #require(Calls.integers([0]))),
        Initializer("end", try #require(Calls.integers([-1]))),
        Initializer("rest", try #require(Calls.integers([-1, 2, 4]))),
      ])
    let inference = TypeInference(Model(graph: graph))
    #expect(inference.errors == [])
    #expect(
      inference.types["y"] == .tensor(.float32, Shape([.symbolic("N"), .symbolic("T"), 2, 4])))
    #expect(inference.types["zeros"] == .tensor(.float32, Shape([.symbolic("N"), .symbolic("T")])))
  }
}
