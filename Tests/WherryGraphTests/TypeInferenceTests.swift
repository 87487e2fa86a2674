import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@Suite struct TypeInferenceTests {
  typealias Build = SmallGraphs

  private static func floats(_ dimensions: Dimension...) -> ValueType {
    .tensor(.float32, Shape(dimensions))
  }

  @Test func loopsGiveUpExtentsThatChangeAndKeepThoseThatDoNot() {
    let body = Graph(
      nodes: [
        Build.node(Identity(), ["c"], "c1"), Build.node(Concat(), ["a", "b"], "a1"),
        Build.node(Transpose(), ["b"], "s"), Build.node(Identity(), ["b"], "b1"),
      ],
      inputs: Build.info("i", "c", "a", "b"), outputs: Build.info("c1", "a1", "b1", "s"))
    let graph = Graph(
      nodes: [Build.node(Build.loop(body), ["m", nil, "x", "x"], "p", "q", "r")],
      inputs: Build.info("m") + Build.info("x", type: Self.floats(2, .symbolic("K"))),
      outputs: Build.info("p", "q", "r"))
    let inference = TypeInference(Model(graph: graph))
    #expect(inference.errors == [])
    #expect(inference.types["p"] == Self.floats(.unknown, .symbolic("K")))
    #expect(inference.types["q"] == Self.floats(2, .symbolic("K")))
    #expect(inference.types["r"] == Self.floats(.unknown, .symbolic("K"), 2))
    #expect(inference.types["a1"]?.shape?.rank == 2)
  }

  @Test func branchesGiveWhatBothHaveInCommon() {
    let then = Graph(nodes: [Build.node(Identity(), ["x"], "t")], outputs: Build.info("t"))
    let twice = Graph(nodes: [Build.node(Concat(), ["x", "x"], "e")], outputs: Build.info("e"))
    let broken = Graph(nodes: [Build.node(Reshape(), ["x", "odd"], "z")], outputs: Build.info("z"))
    func type(_ a: Graph, _ b: Graph, _ condition: Bool?) -> (ValueType?, [TypeError]) {
      var graph = Graph(
        nodes: [Build.node(Build.if(a, else: b), ["c"], "y")],
        inputs: Build.info("x", type: Self.floats(2, 3)), outputs: Build.info("y"),
        initializers: [Initializer("odd", Build.vector(7))])
      if let condition {
        graph.initializers.append(Initializer("c", Build.flag(condition)))
      } else {
        graph.inputs += Build.info("c", type: .tensor(.bool, Shape([])))
      }
      let inference = TypeInference(Model(graph: graph))
      return (inference.types["y"], inference.errors)
    }
    #expect(type(then, twice, nil) == (Self.floats(.unknown, 3), []))
    #expect(type(then, twice, true) == (Self.floats(2, 3), []))
    #expect(type(then, twice, false) == (Self.floats(4, 3), []))
    // A branch that can't run is one that is never taken.
    #expect(type(then, broken, nil) == (Self.floats(2, 3), []))
    #expect(type(broken, broken, nil).1.count == 1)
    #expect(type(then, broken, false).1.count == 1)
  }

  @Test func everyErrorIsFoundAndPlaced() {
    let graph = Graph(
      nodes: [
        Build.node(Transpose(), ["x"], "a"), Build.node(Concat(), ["x", "a"], "b"),
        Build.node(Reshape(), ["x", "odd"], "c"), Build.node(Where(), ["x", "x", "x"], "d"),
      ],
      inputs: Build.info("x", type: Self.floats(2, 3)),
      outputs: Build.info("a", type: Self.floats(9, 9)),
      initializers: [Initializer("odd", Build.vector(7))])
    let errors = TypeInference(Model(graph: graph)).errors
    #expect(
      errors.map(\.place.description) == [
        "graph > node 1", "graph > node 2", "graph > node 3", "graph > output \"a\"",
      ])
  }

  @Test func errorsInsideALoopAreAllListed() {
    let body = Graph(
      nodes: [
        Build.node(Reshape(), ["x", "odd"], "a"), Build.node(Where(), ["x", "x", "x"], "b"),
        Build.node(Identity(), ["c"], "c1"),
      ],
      inputs: Build.info("i", "c"), outputs: Build.info("c1"))
    let graph = Graph(
      nodes: [Build.node(Build.loop(body), [nil, nil])],
      inputs: Build.info("x", type: Self.floats(2, 3)),
      initializers: [Initializer("odd", Build.vector(7))])
    // A Loop without outputs asked for is still looked into.
    #expect(TypeInference(Model(graph: graph)).errors.count == 2)
  }

  @Test func defaultsOfInputsAreConstantOnlyInOldModels() {
    var model = Model(
      graph: Graph(
        nodes: [Build.node(Reshape(), ["x", "shape"], "y")],
        inputs: Build.info("x", type: Self.floats(6))
          + Build.info("shape", type: .tensor(.int64, Shape([2]))),
        outputs: Build.info("y"), initializers: [Initializer("shape", Build.vector(2, 3))]))
    #expect(TypeInference(model).types["y"] == Self.floats(.unknown, .unknown))
    model.metadata.irVersion = 3
    #expect(TypeInference(model).types["y"] == Self.floats(2, 3))
  }

  @Test func sequencesKeepWhatTheirElementsShare() {
    let graph = Graph(
      nodes: [
        Build.node(SequenceConstruct(), ["x", "z"], "s"),
        Build.node(SequenceAt(), ["s", "zero"], "y"), Build.node(SequenceLength(), ["s"], "n"),
        Build.node(OptionalOperator(), ["s"], "o"), Build.node(OptionalGetElement(), ["o"], "g"),
      ],
      inputs: Build.info("x", type: Self.floats(2, 3)) + Build.info("z", type: Self.floats(4, 3)),
      outputs: Build.info("y", "n", "g"), initializers: [Initializer("zero", Build.number(0))])
    let inference = TypeInference(Model(graph: graph))
    #expect(inference.errors == [])
    #expect(inference.types["y"] == Self.floats(.unknown, 3))
    #expect(inference.types["g"] == .sequence(Self.floats(.unknown, 3)))
    #expect(inference.types["n"] == .tensor(.int64, Shape([])))
  }

  /// Each node adds values to those that are known: work for every pair would take hours.
  @Test(.timeLimit(.minutes(5))) func longChainsTakeTimeInProportion() {
    let count = 200_000
    let nodes = (0..<count).map { Build.node(Transpose(), ["v\($0)"], "v\($0 + 1)") }
    let graph = Graph(
      nodes: nodes, inputs: Build.info("v0", type: Self.floats(2, 3)),
      outputs: Build.info("v\(count)"))
    #expect(TypeInference(Model(graph: graph)).types.count == count + 1)
  }

  @Test func constantsAreComputedOnlyWhileTheyAreSmall() {
    let graph = Graph(
      nodes: [
        Build.node(ConstantOfShape(), ["small"], "a"), Build.node(ConstantOfShape(), ["huge"], "b"),
        Build.node(ShapeOperator(), ["b"], "c"),
      ],
      outputs: Build.info("a", "b", "c"),
      initializers: [
        Initializer("small", Build.vector(2, 2)),
        Initializer("huge", Build.vector(1 << 30, 1 << 20)),
      ])
    let inference = TypeInference(Model(graph: graph))
    #expect(inference.contents["a"]?.count == 4)
    #expect(inference.contents["b"] == nil)
    #expect(inference.contents["c"]?.integers == [1 << 30, 1 << 20])
  }

  @Test func mergingTypesLooksInsideSequencesAndOptionals() {
    let (open, known) = (ValueType.tensor(.float32, nil), Self.floats(2, .unknown))
    #expect(ValueType.merge(.sequence(open), .sequence(known)) == .sequence(known))
    #expect(
      ValueType.merge(.optional(.sequence(open)), .optional(.sequence(known)))
        == .optional(.sequence(known)))
    #expect(ValueType.merge(.sequence(open), .sequence(.tensor(.int64, nil))) == nil)
    #expect(ValueType.merge(known, Self.floats(.symbolic("N"), 5)) == Self.floats(2, 5))
    #expect(ValueType.merge(known, Self.floats(3, 5)) == nil)
    #expect(ValueType.merge(.unspecified, known) == known)
    #expect(
      ValueType.merge(.map(key: .int64, value: open), .map(key: .int64, value: known))
        == .map(key: .int64, value: known))
  }
}
