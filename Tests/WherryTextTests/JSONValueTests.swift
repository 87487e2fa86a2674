import Testing
import WherryBytes
import WherryText

@Suite struct JSONValueTests {
  private func fault(_ text: String, limits: Limits = .standard) -> DecodeError? {
    do {
      _ = try JSONValue(parsing: text, limits: limits)
      return nil
    } catch {
      return error
    }
  }

  @Test func everyKindOfValueIsReadAndWrittenAsPythonDoes() throws {
    let text =
      #"{"a": [1, -2.5, 1e-07, true, false, null], "b": {"c": "q\"\\\n"}, "a": "last", "d": NaN}"#
    let value = try JSONValue(parsing: text)
    #expect(value.text == text)
    #expect(value["a"]?.string == "last")
    #expect(value["b"]?["c"]?.string == "q\"\\\n")
    #expect(value["d"]?.number?.isNaN == true)
    #expect(value["e"] == nil)
    #expect(
      try JSONValue(parsing: "[Infinity, -Infinity]") == [.number(.infinity), .number(-.infinity)])
  }

  @Test func integersStayIntegersAndLargeOnesBecomeNumbers() throws {
    #expect(try JSONValue(parsing: "9223372036854775807") == .integer(.max))
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(9_223_372_036_854_775_808))
    #expect(try JSONValue(parsing: "3.0").integer == 3)
    #expect(try JSONValue(parsing: "3.5").integer == nil)
    #expect(try JSONValue(parsing: "1e400").number == .infinity)
  }

  @Test func escapesAndSurrogatesAreResolved() throws {
    #expect(try JSONValue(parsing: #""\u00e9\ud83d\ude00\/""#).string == "é😀/")
    #expect(fault(#""\ud83d""#)?.reason == .invalid("half a surrogate pair"))
    #expect(fault(#""\q""#)?.reason == .invalid("an unknown escape"))
  }

  @Test func faultsNameTheirLineAndColumn() {
    #expect(fault("{\"a\": 1,\n  x}")?.place == .line(2, column: 3))
    #expect(fault("[1, 2")?.place == .line(1, column: 6))
    #expect(fault("[] []")?.place == .line(1, column: 4))
    #expect(fault("")?.reason == .truncated(needed: 1, available: 0))
    #expect(fault("-")?.reason == .invalid("a value is expected"))
    #expect(fault("\"\u{1}\"")?.reason == .invalid("a control character in a string"))
  }

  @Test func depthAndSizeAreBounded() {
    var limits = Limits()
    (limits.depth, limits.elements) = (4, 8)
    #expect(fault("[[[[]]]]", limits: limits) == nil)
    #expect(fault("[[[[[]]]]]", limits: limits)?.reason == .limit("levels of nesting", 4))
    #expect(fault("[1,2,3,4,5,6,7,8]", limits: limits)?.reason == .limit("JSON values", 8))
    let deep = String(repeating: "[", count: 1 << 20)
    #expect(fault(deep)?.reason == .limit("levels of nesting", 100))
  }

  @Test func everyPrefixIsRefused() throws {
    let text = Array(#"{"a": [1.5, "x\u0041", {"b": null}], "c": true}"#.utf8)
    for end in 0..<text.count {
      #expect(throws: DecodeError.self) { try JSONValue(parsing: Bytes(text[..<end])) }
    }
  }
}
