import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@Suite struct ModelInvariantsTests {
  typealias Build = SmallGraphs

  private static func found(_ graph: Graph, _ functions: [Function] = []) -> [String] {
    Model(graph: graph, functions: functions).violations.map(\.description)
  }

  private static let sound = Graph(
    nodes: [Build.node(Identity(), ["x"], "a"), Build.node(Concat(), ["a", "w"], "y")],
    inputs: Build.info("x"), outputs: Build.info("y"),
    initializers: [Initializer("w", Build.vector(1))])

  @Test func soundModelsHaveNoViolations() {
    #expect(Self.found(Self.sound) == [])
  }

  @Test func namesMustBeDefinedOnceAndBeforeTheirUse() {
    var cycle = Self.sound
    cycle.nodes.reverse()
    #expect(Self.found(cycle) == ["graph > node 0: \"a\" is not defined"])
    var twice = Self.sound
    twice.nodes[1].outputs = ["a"]
    #expect(
      Self.found(twice) == [
        "graph > node 1: \"a\" stands twice", "graph > output 0 \"y\": \"y\" is not defined",
      ])
    var input = Self.sound
    input.inputs += Build.info("x", "")
    #expect(Self.found(input).count == 2)
    var overwritten = Self.sound
    overwritten.nodes[0].outputs = ["w"]
    #expect(Self.found(overwritten).contains("graph > node 0: \"w\" stands twice"))
  }

  @Test func branchesSeeOnlyWhatStandsBeforeThem() {
    let branch = Graph(nodes: [Build.node(Identity(), ["late"], "t")], outputs: Build.info("t"))
    let graph = Graph(
      nodes: [
        Build.node(Build.if(branch, else: branch), ["c"], "y"),
        Build.node(Identity(), ["c"], "late"),
        Build.node(Identity(), ["t"], "leak"),
      ], inputs: Build.info("c"), outputs: Build.info("y"))
    #expect(
      Self.found(graph) == [
        "graph > node 0 > attribute \"else_branch\" > node 0: \"late\" is not defined",
        "graph > node 0 > attribute \"then_branch\" > node 0: \"late\" is not defined",
        "graph > node 2: \"t\" is not defined",
      ])
  }

  @Test func functionsMustNotCallThemselves() {
    func calling(_ name: String, _ callee: String) -> Function {
      Build.function(
        name, inputs: ["a"], outputs: ["b"], [Build.node(Build.call(callee), ["a"], "b")])
    }
    let functions = [calling("f", "g"), calling("g", "h"), calling("h", "g"), calling("k", "none")]
    #expect(
      Self.found(Self.sound, functions) == [
        "function 0 \"test.f\": invalid: the function calls itself",
        "function 1 \"test.g\": invalid: the function calls itself",
        "function 2 \"test.h\": invalid: the function calls itself",
      ])
    let branch = Graph(
      nodes: [Build.node(Build.call("deep"), ["a"], "t")], outputs: Build.info("t"))
    let deep = Build.function(
      "deep", inputs: ["a"], outputs: ["b"],
      [Build.node(Build.if(branch, else: branch), ["a"], "b")])
    #expect(Self.found(Self.sound, [deep]).count == 1)
    #expect(Self.found(Self.sound, [functions[3], functions[3]]).count == 1)
  }

  @Test func functionsSeeNothingOfTheGraph() {
    let function = Build.function(
      "f", inputs: [], outputs: ["b"], [Build.node(Identity(), ["x"], "b")])
    #expect(
      Self.found(Self.sound, [function]) == ["function 0 \"test.f\" > node 0: \"x\" is not defined"]
    )
  }

  @Test func attributeReferencesNeedAFunctionThatHasTheAttribute() {
    var node = Build.node(Concat(), ["x", "x"], "y")
    node.references = [AttributeReference("axis", source: "way", kind: .int)]
    let graph = Graph(nodes: [node], inputs: Build.info("x"), outputs: Build.info("y"))
    let missing = "> attribute \"axis\": \"way\" is not defined"
    #expect(Self.found(graph) == ["graph > node 0 \(missing)"])
    func function(_ required: [String]) -> Function {
      Build.function("f", inputs: ["x"], outputs: ["y"], required: required, [node])
    }
    #expect(Self.found(Self.sound, [function(["way"])]) == [])
    #expect(Self.found(Self.sound, [function([])]) == ["function 0 \"test.f\" > node 0 \(missing)"])
    #expect(Self.found(Self.sound, [function(["way", "way"])]).count == 1)
  }
}
