import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryJSON

@Suite struct JSONErrorTests {
  private func position(_ error: DecodeError?) -> [Int] {
    guard case .text(let line, let column) = error?.place.position else { return [] }
    return [line, column]
  }

  @Test func everyPrefixIsRefusedWithItsLineAndColumn() throws {
    var small = SampleModel.everything
    small.training = []
    small.functions = []
    small.graph.nodes.removeSubrange(1...)
    small.graph.values = []
    for (model, step) in [(small, 1), (SampleModel.everything, 101)] {
      let text = try encoded(model, pretty: step == 1)
      let end = try #require(text.lastIndex(of: UInt8(ascii: "}")))
      for count in stride(from: 0, through: end, by: step) {
        let prefix = Array(text[..<count])
        let found = errors(prefix)
        let line = prefix.count { $0 == 0x0A } + 1
        let start = (prefix.lastIndex(of: 0x0A) ?? -1) + 1
        let column = prefix[start...].count { $0 & 0xC0 != 0x80 } + 1
        guard let last = found.last else {
          Issue.record("\(count) bytes were read")
          return
        }
        // A sequence of several bytes may be cut within.
        let isCut = last.reason == .notUTF8 || last.reason == .truncated(needed: 1, available: 0)
        guard isCut, position(last) == [line, column] else {
          Issue.record("\(count) bytes: \(last)")
          return
        }
      }
    }
  }

  @Test(arguments: [
    ("{", "}", "the brackets"), ("\"name\"", "name", "a key without quotes"),
    ("[", "[,", "a comma"),
    ("]", ",]", "a trailing comma"), ("7", "07", "a leading zero"), ("7", "+7", "a plus"),
    ("7", "7.", "no fraction"), ("7", ".7", "no digit"), ("7", "7e", "no exponent"),
    ("7", "0x7", "hexadecimal"), ("7", "NaN", "NaN"), ("true", "True", "a capital"),
    ("null", "nul", "half a word"), ("\"g\"", "'g'", "apostrophes"),
    ("\"g\"", "\"\\q\"", "an escape"),
    ("\"g\"", "\"\\ud800\"", "half a pair"), ("\"g\"", "\"\\udc00\"", "the other half"),
    ("\"g\"", "\"\\ud800\\ud800\"", "two halves"), ("\"g\"", "\"\t\"", "a tab"),
    ("\"g\"", "\"\\u12g4\"", "four digits"), ("{", "/**/{", "a comment"),
    ("{", "\u{FEFF}{", "a mark"),
    (":", "=", "an equals sign"), ("]", "}", "the wrong bracket"),
  ])
  func grammarIsStrict(old: String, new: String, what: String) throws {
    let text = #"{"name":"g","inputs":[{"name":"x","type":{"tensor":"bool","shape":[7,null]}}]}"#
    #expect(errors(graph: text).isEmpty)
    let sound =
      #"{"format":"wherry-json","version":1,"schema":[{"input":"x","index":7,"isCategorical":true}],"graph":\#(text)}"#
    #expect(errors(Array(sound.utf8)).isEmpty)
    let range = try #require(sound.firstRange(of: old))
    var broken = sound
    broken.replaceSubrange(range, with: new)
    let found = errors(Array(broken.utf8))
    #expect(found.count == 1, "\(what): \(found)")
    #expect(position(found.first).first == 1)
  }

  @Test func textAfterTheDocumentIsRefused() {
    #expect(position(errors(document("{}") + Array("\n x".utf8)).first) == [2, 2])
    #expect(errors(document("{}") + Array(" \r\n\t".utf8)).isEmpty)
  }

  @Test func badUTF8IsRefusedWhereItStands() {
    let bad: [[UInt8]] = [
      [0x80], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
      [0xF4, 0x90, 0x80, 0x80],
      [0xF0, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80],
    ]
    for bytes in bad {
      let text = Array(#"{"format":"wherry-json","version":1,"graph":{"name":"é"#.utf8) + bytes
      let found = errors(text + Array(#""}}"#.utf8))
      #expect(found.map(\.reason) == [.notUTF8])
      #expect(position(found.first) == [1, 55])
    }
  }

  @Test func keysStandOnceAndAreKnown() {
    let text = """
      {"name": "a",
       "nodes": [], "nodes": [],
       "name": "b",
       "colour": {"deep": [1, {"er": null}]},
       "initializers": [{"nam\\u0065": "w", "tensor": {"type": "int8", "shape": [], "data": [1], "x": 1}}]}
      """
    let found = errors(graph: text)
    #expect(
      found.map(\.reason) == [
        .duplicate("nodes"), .duplicate("name"), .invalid("unknown key \"colour\""),
        .invalid("unknown key \"x\""),
      ])
    #expect(found.map { position($0) } == [[2, 15], [3, 2], [4, 2], [5, 91]])
    #expect(
      found.last?.place.road == [.named("graph", nil), .indexed("initializer", 0, "w")])
    #expect(
      errors(graph: #"{"properties": {"a": "1", "a": "2"}}"#).map(\.reason) == [.duplicate("a")])
    let attributes = #"{"nodes": [{"op": "Odd", "attributes": {"a": 1, "a": 2}}]}"#
    #expect(errors(graph: attributes).map(\.reason) == [.duplicate("a")])
  }

  @Test func problemsAreCollectedUpToTheirLimit() {
    let graph = "{" + (0..<50).map { "\"k\($0)\": 0" }.joined(separator: ",") + "}"
    #expect(errors(graph: graph).count == 50)
    var limits = Limits()
    limits.problems = 10
    let found = errors(document(graph), limits: limits)
    #expect(found.count == 10)
    #expect(found.last?.reason == .limit("problems", 10))
  }

  @Test func deepNestingIsRefusedWithoutRecursion() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let deep = String(repeating: open, count: 100_000)
      let found = errors(graph: "{\"colour\": \(deep)1\(String(repeating: close, count: 100_000))}")
      #expect(found.last?.reason == .limit("levels", Limits.standard.depth))
    }
    let types = String(repeating: "{\"optional\":", count: 100_000)
    let found = errors(graph: "{\"values\": [{\"name\": \"x\", \"type\": \(types)")
    #expect(found.last?.reason == .limit("levels", Limits.standard.depth))
    let graphs = String(
      repeating: #"{"nodes":[{"op":"O","attributes":{"g":{"graph":"#, count: 10_000)
    #expect(errors(graph: graphs).last?.reason == .limit("levels", Limits.standard.depth))
  }

  @Test func headersAreChecked() {
    func reasons(_ text: String) -> [DecodeError.Reason] { errors(Array(text.utf8)).map(\.reason) }
    #expect(
      reasons(#"{"format":"other","version":1,"graph":{}}"#) == [
        .notThisFormat("a wherry-json document")
      ])
    #expect(reasons(#"{"version":1,"graph":{}}"#) == [.notThisFormat("a wherry-json document")])
    #expect(
      reasons(#"{"format":"wherry-json","version":2,"graph":{}}"#) == [.unsupportedVersion("2")])
    #expect(reasons(#"{"format":"wherry-json","graph":{}}"#) == [.missing("version")])
    #expect(reasons(#"{"format":"wherry-json","version":1}"#) == [.missing("graph")])
    #expect(reasons(#"{"graph":{},"$schema":"x","version":1,"format":"wherry-json"}"#).isEmpty)
  }

  @Test func attributeProblemsNameTheirPlace() {
    let text = """
      {"nodes": [{"op": "Gemm", "name": "fc", "attributes": {"alpha": 1,
        "gamma": 1, "transA": 2, "beta": 0.5}}]}
      """
    let found = errors(graph: text)
    #expect(found.map { position($0) } == [[2, 36]])
    let rest = errors(graph: text.replacing(", \"beta\": 0.5", with: ""))
    #expect(
      rest.map(\.reason) == [
        .invalid("a value of kind float is expected"), .unsupported("attribute \"gamma\""),
        .invalid("a value of kind int is expected"),
      ])
    #expect(rest.map { position($0) } == [[1, 114], [2, 12], [2, 25]])
    #expect(
      rest.first?.place.road == [
        .named("graph", nil), .indexed("node", 0, "fc"), .named("attribute", "alpha"),
      ])
  }

  @Test func modelsThatBreakTheRulesOfGraphsAreRefused() {
    let text = #"{"nodes": [{"op": "Odd", "inputs": ["nowhere"], "outputs": ["y", "y"]}]}"#
    #expect(errors(graph: text).map(\.reason) == [.missing("nowhere"), .duplicate("y")])
  }

  @Test(arguments: [
    (#""type":"int8","shape":[2],"data":[1]"#, "1 elements, the shape has 2"),
    (#""type":"int8","shape":[2],"data":[1,2,3]"#, "3 elements, the shape has 2"),
    (#""shape":[2],"data":[1,2,3],"type":"int8""#, "3 elements, the shape has 2"),
    (#""type":"int8","shape":[1000000],"data":[1]"#, "fewer elements"),
    (#""type":"int16","shape":[9223372036854775807],"data":[1]"#, "too many elements"),
    (#""type":"int8","shape":[3000000000,3000000000,3000000000],"base64":"""#, "too many"),
    (#""type":"int8","shape":[2],"base64":"AA==""#, "1 bytes, type and shape need 2"),
    (#""type":"int8","shape":[1],"base64":"AB==""#, "not base64"),
    (#""type":"int8","shape":[1],"base64":"A\u0041=""#, "multiple of 4"),
    (#""type":"int8","shape":[1],"data":[128]"#, "an integer in -128…127"),
    (#""type":"uint4","shape":[1],"data":[16]"#, "16 is outside uint4"),
    (#""type":"int8","shape":[1],"data":[1.0]"#, "an integer"),
    (#""type":"int8","shape":[1],"data":[true]"#, "an integer"),
    (#""type":"bool","shape":[1],"data":[1]"#, "true or false"),
    (#""type":"float32","shape":[1],"data":[1e39]"#, "outside float32"),
    (#""type":"float64","shape":[1],"data":[1e309]"#, "outside float64"),
    (#""type":"float16","shape":[1],"data":[65520.0]"#, "outside float16"),
    (#""type":"float4e2m1","shape":[1],"data":["NaN"]"#, "outside float4e2m1"),
    (#""type":"float32","shape":[1],"data":["nan"]"#, "a number"),
    (#""type":"float32","shape":[1],"data":["NaN(0x7f800000)"]"#, "a number"),
    (#""type":"float32","shape":[1],"data":"AAAAAA==""#, "an array"),
    (#""type":"string","shape":[1],"base64":"AAAA""#, "strings as base64"),
    (#""type":"float33","shape":[1],"data":[1]"#, "no element type"),
    (#""type":"int8","shape":[-1],"data":[]"#, "a negative extent"),
    (#""type":"int8","shape":[1],"data":[1],"base64":"AA==""#, "both data and base64"),
    (#""type":"int8","shape":[1]"#, "data"), (#""type":"int8","data":[1]"#, "shape"),
  ])
  func tensorsThatContradictThemselvesAreRefused(members: String, message: String) {
    let found = errors(graph: #"{"initializers":[{"name":"w","tensor":{\#(members)}}]}"#)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.description.contains(message) == true, "\(found)")
    #expect(!position(found.first).isEmpty)
  }

  @Test func membersOfATensorComeInAnyOrder() throws {
    let orders = [
      #""data":[1,-2],"type":"int8","shape":[2]"#, #""shape":[2],"base64":"Af4=","type":"int8""#,
      #""type":"int8","data":[1,"-2"],"shape":[2]"#,
      #""base64":"\u0041f4=","shape":[2],"type":"int8""#,
    ]
    for members in orders {
      let model = try decoded(document(#"{"initializers":[{"tensor":{\#(members)},"name":"w"}]}"#))
      #expect(model.graph.initializers.first?.tensor.integers == [1, -2])
    }
  }

  @Test func expandedBytesAreLimited() {
    var limits = Limits()
    limits.expandedBytes = 0
    let zeros = (0..<400).map { _ in "0" }.joined(separator: ",")
    let tensor = #"{"type":"float64","shape":[400],"data":[\#(zeros)]}"#
    let text = document(#"{"initializers":[{"name":"w","tensor":\#(tensor)}]}"#)
    #expect(errors(text).isEmpty)
    #expect(errors(text, limits: limits).map(\.reason) == [.limit("expanded bytes", 0)])
    limits = Limits()
    limits.elements = 3
    let list = document(#"{"nodes":[{"op":"O","attributes":{"a":[1,2,3,4]}}]}"#)
    #expect(errors(list, limits: limits).map(\.reason) == [.limit("elements", 3)])
    limits.fileBytes = 10
    #expect(errors(list, limits: limits).map(\.reason) == [.limit("bytes", 10)])
  }

  @Test func whatCannotBeWrittenIsAnEncodeError() throws {
    let twice = UnknownOperator(
      OperatorName("O"), attributes: [NamedAttribute("a", .int(1)), NamedAttribute("a", .int(2))])
    let models = [
      Model(graph: Graph(nodes: [Node(twice, inputs: [], outputs: [])])),
      Model(graph: Graph(values: [ValueInfo("x", .tensor(.int8, Shape([.fixed(-1)])))])),
    ]
    for model in models {
      #expect(throws: EncodeError.self) { try encoded(model) }
    }
  }
}
