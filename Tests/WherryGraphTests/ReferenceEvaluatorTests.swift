import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@Suite struct ReferenceEvaluatorTests {
  typealias Build = SmallGraphs

  private static func reason(_ body: () throws -> Any?) -> RunError.Reason? {
    do {
      _ = try body()
      return nil
    } catch { return (error as? RunError)?.reason }
  }

  /// Counts to `trips` in a carried value that each iteration makes longer by one.
  private static func growing(trips: Int64?) -> Model {
    let body = Graph(
      nodes: [
        Build.node(Identity(), ["c"], "c1"),
        Build.node(Unsqueeze(), ["i", "zero"], "i1"),
        Build.node(Concat(), ["v", "i1"], "v1"),
        Build.node(Size(), ["v1"], "n"),
      ],
      inputs: Build.info("i", "c", "v"), outputs: Build.info("c1", "v1", "n"))
    let trip = trips.map { Initializer("m", Build.number($0)) }
    return Model(
      graph: Graph(
        nodes: [
          Build.node(Build.loop(body), [trip == nil ? nil : "m", nil, "start"], "y", "sizes")
        ],
        outputs: Build.info("y", "sizes"),
        initializers: [
          Initializer("start", Build.vector(7)), Initializer("zero", Build.vector(0)),
        ] + (trip.map { [$0] } ?? [])))
  }

  @Test func loopsCarryCollectAndSeeWhatIsAroundThem() throws {
    #expect(try Build.run(Self.growing(trips: 3))?.integers == [7, 0, 1, 2])
    #expect(try Build.run(Self.growing(trips: 3), [:], "sizes")?.integers == [2, 3, 4])
    #expect(try Build.run(Self.growing(trips: 0))?.integers == [7])
    #expect(try Build.run(Self.growing(trips: -5), [:], "sizes")?.shape == [0])
  }

  @Test(arguments: [1 << 62, Int64.max, nil]) func endlessLoopsUseUpTheirSteps(_ trips: Int64?) {
    var limits = EvaluationLimits()
    limits.steps = 1000
    let found = Self.reason { try Build.run(Self.growing(trips: trips), limits: limits) }
    #expect(found == .limit("1000 steps"))
    let empty = Graph(inputs: Build.info("i", "c"), outputs: Build.info("c"))
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Build.loop(empty), ["m", nil])],
        initializers: [Initializer("m", Build.number(.max))]))
    #expect(Self.reason { try Build.run(model, limits: limits) } == .limit("1000 steps"))
  }

  @Test func whatALoopCollectsIsBounded() {
    var limits = EvaluationLimits()
    limits.bytes = 100
    let body = Graph(
      nodes: [Build.node(Identity(), ["x"], "z")], inputs: Build.info("i", "c"),
      outputs: Build.info("c", "z"))
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Build.loop(body), ["m", nil], "y")], outputs: Build.info("y"),
        initializers: [
          Initializer("m", Build.number(50)), Initializer("x", Build.vector(1, 2, 3, 4)),
        ]))
    let found = Self.reason { try Build.run(model, limits: limits) }
    #expect(found == .limit("100 bytes that a loop collects"))
  }

  @Test func functionsThatCallThemselvesReachTheDepthLimit() {
    let recursive = Build.function(
      "again", inputs: ["a"], outputs: ["b"], [Build.node(Build.call("again"), ["a"], "b")])
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Build.call("again"), ["x"], "y")], outputs: Build.info("y"),
        initializers: [Initializer("x", Build.vector(1))]), functions: [recursive])
    #expect(Self.reason { try Build.run(model) } == .limit("64 nested calls"))
  }

  /// Forty functions that each call the next one twice: 2^40 nodes.
  @Test func functionsThatDoubleUseUpTheirSteps() {
    let functions = (0..<40).map { index in
      Build.function(
        "f\(index)", inputs: ["a"], outputs: ["c"],
        [
          Build.node(Build.call("f\(index + 1)"), ["a"], "b"),
          Build.node(Build.call("f\(index + 1)"), ["b"], "c"),
        ])
    }
    let last = Build.function(
      "f40", inputs: ["a"], outputs: ["b"], [Build.node(Identity(), ["a"], "b")])
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Build.call("f0"), ["x"], "y")], inputs: Build.info("x"),
        outputs: Build.info("y")), functions: functions + [last])
    var limits = EvaluationLimits()
    limits.steps = 1000
    let found = Self.reason { try Build.run(model, ["x": Build.vector(1)], limits: limits) }
    #expect(found == .limit("1000 steps"))
    #expect(
      TypeInference(model, steps: 1000).errors.map(\.reason) == [.limit("steps of inference")])
  }

  @Test func branchesSeeValuesAroundThemAndHideThemWhenTheyDefineThem() throws {
    let then = Graph(
      nodes: [Build.node(Concat(), ["x", "x"], "t")], outputs: Build.info("t"))
    // "x" is another value within this branch.
    let otherwise = Graph(
      nodes: [Build.node(Identity(), ["x"], "e")], outputs: Build.info("e"),
      initializers: [Initializer("x", Build.vector(5))])
    let graph = Graph(
      nodes: [Build.node(Build.if(then, else: otherwise), ["c"], "y")],
      inputs: Build.info("c", "x"), outputs: Build.info("y", "x"))
    for (flag, expected): (Bool, [Int64]) in [(true, [1, 2, 1, 2]), (false, [5])] {
      let inputs = ["c": Build.flag(flag), "x": Build.vector(1, 2)]
      #expect(try Build.run(Model(graph: graph), inputs)?.integers == expected)
      #expect(try Build.run(Model(graph: graph), inputs, "x")?.integers == [1, 2])
    }
  }

  @Test func inputsThatACallLeavesOutAreAbsentInsideTheFunction() throws {
    let inner = Build.function(
      "has", inputs: ["a", "b"], outputs: ["yes"],
      [Build.node(OptionalHasElement(), ["b"], "yes")])
    // Handed on through a second function, and through a branch.
    let branch = Graph(
      nodes: [Build.node(Build.call("has"), ["p", "q"], "r")], outputs: Build.info("r"))
    let outer = Build.function(
      "outer", inputs: ["p", "q"], outputs: ["s"],
      [
        Build.node(Constant(Build.flag(true)), [], "on"),
        Build.node(Build.if(branch, else: branch), ["on"], "s"),
      ])
    func has(_ inputs: [String?]) throws -> [Bool]? {
      let model = Model(
        graph: Graph(
          nodes: [Build.node(Build.call("outer"), inputs, "y")], inputs: Build.info("x"),
          outputs: Build.info("y")), functions: [inner, outer])
      #expect(TypeInference(model).errors == [])
      return try Build.run(model, ["x": Build.vector(1)])?.booleans
    }
    #expect(try has(["x", "x"]) == [true])
    #expect(try has(["x", nil]) == [false])
    #expect(try has(["x"]) == [false])
  }

  /// An attribute of the outer function reaches a node in a branch of the inner one.
  @Test func attributesReachNodesInsideSubgraphsOfFunctions() throws {
    var concat = Build.node(Concat(), ["a", "a"], "r")
    concat.references = [AttributeReference("axis", source: "way", kind: .int)]
    let branch = Graph(nodes: [concat], outputs: Build.info("r"))
    let inner = Build.function(
      "inner", inputs: ["a"], outputs: ["b"], required: ["way"],
      [
        Build.node(Constant(Build.flag(true)), [], "on"),
        Build.node(Build.if(branch, else: branch), ["on"], "b"),
      ])
    var call = Build.node(Build.call("inner"), ["p"], "q")
    call.references = [AttributeReference("way", source: "direction", kind: .int)]
    let outer = Build.function(
      "outer", inputs: ["p"], outputs: ["q"], attributes: [NamedAttribute("direction", .int(0))],
      [call])
    let matrix = try #require(Build.vector(1, 2).reshaped([1, 2]))
    func shape(_ attributes: [NamedAttribute]) throws -> [Int]? {
      let model = Model(
        graph: Graph(
          nodes: [Build.node(Build.call("outer", attributes), ["x"], "y")],
          inputs: Build.info("x", type: matrix.type), outputs: Build.info("y")),
        functions: [inner, outer])
      #expect(model.violations == [])
      let shape = try Build.run(model, ["x": matrix])?.shape
      #expect(TypeInference(model).types["y"]?.shape?.extents == shape)
      return shape
    }
    #expect(try shape([]) == [2, 2])
    #expect(try shape([NamedAttribute("direction", .int(1))]) == [1, 4])
  }

  @Test func missingRequiredAttributesAreNamed() {
    var concat = Build.node(Concat(), ["a", "a"], "b")
    concat.references = [AttributeReference("axis", source: "way", kind: .int)]
    let function = Build.function("f", inputs: ["a"], outputs: ["b"], [concat])
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Build.call("f"), ["x"], "y")], inputs: Build.info("x"),
        outputs: Build.info("y")), functions: [function])
    let found = Self.reason { try Build.run(model, ["x": Build.vector(1)]) }
    #expect(found == .badInput("attribute \"axis\" is not given"))
    #expect(TypeInference(model).errors.count == 1)
  }

  @Test func optionalInputsMayBeLeftOutOrGivenBare() throws {
    let type = ValueType.optional(.tensor(.int64, nil))
    let model = Model(
      graph: Graph(
        nodes: [Build.node(OptionalHasElement(), ["x"], "y")], inputs: Build.info("x", type: type),
        outputs: Build.info("y")))
    #expect(try Build.run(model)?.booleans == [false])
    #expect(try Build.run(model, ["x": Build.vector(1)])?.booleans == [true])
    let empty = try ReferenceEvaluator(model).run(["x": .optional(nil, .tensor(.int64, nil))])
    #expect(empty["y"]?.tensor?.booleans == [false])
    let wrong = Tensor(.float32, [1], doubles: [1]).map { ["x": $0] } ?? [:]
    #expect(throws: RunError.self) { try Build.run(model, wrong) }
  }

  @Test func inputsWithDefaultsMayBeLeftOut() throws {
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Identity(), ["x"], "y")], inputs: Build.info("x"),
        outputs: Build.info("y"),
        initializers: [Initializer("x", Build.vector(3))]))
    #expect(try Build.run(model)?.integers == [3])
    #expect(try Build.run(model, ["x": Build.vector(4)])?.integers == [4])
    #expect(Self.reason { try Build.run(model, ["z": Build.vector(4)]) } != nil)
  }

  @Test func errorsNameTheInnermostNode() throws {
    let then = Graph(
      name: "then", nodes: [Build.node(Gather(), ["x", "far"], "t")], outputs: Build.info("t"))
    let model = Model(
      graph: Graph(
        nodes: [Build.node(Build.if(then, else: then), ["c"], "y")], inputs: Build.info("x"),
        outputs: Build.info("y"),
        initializers: [Initializer("c", Build.flag(true)), Initializer("far", Build.number(9))]))
    do {
      _ = try Build.run(model, ["x": Build.vector(1)])
      Issue.record("index 9 is accepted")
    } catch let error as RunError {
      #expect(error.place.description == "graph > node 0 > subgraph \"then\" > node 0")
    }
  }
}
