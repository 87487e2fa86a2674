import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryJSON
import WherryOperators

@Suite struct JSONRoundTripTests {
  @Test(arguments: writings)
  func everyFieldSurvives(pretty: Bool, decimals: Int) throws {
    let model = SampleModel.everything
    let bytes = try encoded(model, pretty: pretty, decimals: decimals)
    let back = try decoded(bytes)
    #expect(back.graph == model.graph)
    #expect(back == model)
    #expect(try encoded(back, pretty: pretty, decimals: decimals) == bytes)
  }

  @Test(arguments: writings)
  func everyElementTypeSurvives(pretty: Bool, decimals: Int) throws {
    let model = SampleModel.tensors
    #expect(Set(model.graph.initializers.map(\.tensor.element)).count == 28)
    let bytes = try encoded(model, pretty: pretty, decimals: decimals)
    let back = try decoded(bytes)
    for (found, expected) in zip(back.graph.initializers, model.graph.initializers) {
      #expect(found == expected)
    }
    #expect(back == model)
    #expect(try encoded(back, pretty: pretty, decimals: decimals) == bytes)
  }

  @Test func everyPatternOfNarrowFloatsSurvivesAsDecimal() throws {
    for element in ElementType.allCases where element.isSmallFloat || element.bitWidth == 16 {
      let count = element.bitWidth == 16 ? 65536 : 1 << min(element.bitWidth, 8)
      for value in 0..<count {
        let bytes = [UInt8(value & 255), UInt8(value >> 8)].prefix(max(element.bitWidth / 8, 1))
        guard let tensor = Tensor(element, [1], bytes: Bytes(bytes)) else {
          Issue.record("\(element) \(value)")
          return
        }
        guard value % 61 == 0 || count <= 256 else { continue }
        let model = Model(graph: Graph(initializers: [Initializer("t", tensor)]))
        #expect(try decoded(try encoded(model)) == model, "\(element) \(value)")
      }
    }
  }

  @Test func setBitsBeyondTheLastElementSurvive() throws {
    for (element, count) in [(ElementType.int4, 3), (.uint2, 5), (.float4e2m1, 1)] {
      let size = try #require(element.byteCount(of: count))
      let bytes = Bytes([UInt8](repeating: 255, count: size))
      let tensor = try #require(Tensor(element, [count], bytes: bytes))
      let model = Model(graph: Graph(initializers: [Initializer("t", tensor)]))
      #expect(try decoded(try encoded(model)) == model)
    }
    let odd = try #require(Tensor(.bool, [3], bytes: Bytes([0, 1, 2])))
    let model = Model(graph: Graph(initializers: [Initializer("t", odd)]))
    #expect(try decoded(try encoded(model)) == model)
  }

  @Test func equalModelsGiveEqualBytes() throws {
    let (a, b) = (SampleModel.everything, SampleModel.everything)
    #expect(try encoded(a) == encoded(b))
  }

  @Test func requiredAttributeMayBeReferred() throws {
    let node = #"""
      {"op": "Cast", "inputs": ["x"], "outputs": ["y"],
        "references": [{"name": "to", "source": "s", "kind": "int"}]}
      """#
    let text = #"""
      {"format": "wherry-json", "version": 1, "graph": {}, "functions": [{"name": "F",
        "inputs": ["x"], "outputs": ["y"], "requiredAttributes": ["s"], "nodes": [\#(node)]}]}
      """#
    let model = try decoded(Array(text.utf8))
    let found = model.functions.first?.nodes.first
    #expect(found?.references == [AttributeReference("to", source: "s", kind: .int)])
    #expect(found?.operation.name == OperatorName("Cast"))
    #expect(try decoded(try encoded(model)) == model)
    let without = text.replacing(#""name": "to""#, with: #""name": "saturate""#)
    #expect(errors(Array(without.utf8)).map(\.reason) == [.missing("to")])
  }

  @Test func recognizesItsOwnDocumentsOnly() throws {
    #expect(JSONFormat.recognizes(Bytes(try encoded(SampleModel.everything))))
    #expect(JSONFormat.recognizes(Bytes(try encoded(SampleModel.everything, pretty: false))))
    for text in [
      "", "{}", "  [", #"{"format": "other"}"#, "\u{8}\u{3}", #""format" "wherry-json""#,
    ] {
      #expect(!JSONFormat.recognizes(Bytes(text.utf8)))
    }
  }
}
