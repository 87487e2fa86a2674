import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@Suite struct RegexFullMatchTests {
  private static func matches(_ pattern: String, _ texts: [String]) throws -> [Bool] {
    let operation = RegexFullMatch().with(\.pattern, pattern)
    return try TensorOperatorCalls.run(operation, [TensorOperatorCalls.strings(texts)])[0].booleans
  }

  /// Pattern, texts that match as a whole, texts that don't.
  static let cases: [(String, [String], [String])] = [
    ("", [""], ["a"]),
    ("a|bc|", ["a", "bc", ""], ["ab", "b", "abc"]),
    ("a*b+c?", ["b", "aabb", "bc", "abc"], ["", "a", "ac", "bcc"]),
    ("(ab){2,3}?", ["abab", "ababab"], ["ab", "abababab", "aba"]),
    ("x{2}y{2,}", ["xxyy", "xxyyyyy"], ["xyy", "xxy"]),
    ("a{,2}", ["a{,2}"], ["", "aa"]),
    ("[a-c^-]+", ["abc", "-", "^"], ["d", ""]),
    ("[^a-c]", ["d", "é", "\n"], ["a", ""]),
    ("[]a]+", ["]a"], ["["]),
    ("[\\d\\-x]+", ["12-x"], ["y"]),
    ("[[:alpha:]_]+", ["aZ_"], ["a1"]),
    ("[[:^digit:]]", ["x"], ["1"]),
    (".", ["x", "é", "👍"], ["\n", "", "xx"]),
    ("(?s).", ["\n"], [""]),
    ("(?i)straße|ÉTÉ", ["STRAßE", "été", "StrAße"], ["strasse"]),
    ("a(?i)b", ["ab", "aB"], ["Ab"]),
    ("(?i:a)b", ["ab", "Ab"], ["aB"]),
    ("(?P<year>\\d{4})-(?<month>\\d\\d)", ["2024-05"], ["24-05"]),
    ("\\Qa.b*\\E+", ["a.b*", "a.b**"], ["axb"]),
    ("\\x41\\x{1F44D}\\n\\.", ["A👍\n."], ["A👍\nx"]),
    ("\\p{Lu}\\pL*\\P{L}", ["Äb1", "A "], ["ab1"]),
    ("^a$", ["a"], ["a\n", "\na"]),
    ("(?m)a$\n^b", ["a\nb"], ["ab"]),
    ("\\bfoo\\b.*\\Bx", ["foo yx", "foo-yx"], ["fooyx", "foo x"]),
    ("(a*)*", ["", "aaa"], ["b"]),
    ("(a|b)*abb", ["abb", "babaabb"], ["ab", "abba"]),
    (
      "(\\W|^)[\\w.\\-]{0,25}@(yahoo|gmail)\\.com(\\W|$)", ["account@gmail.com"],
      ["not email", "yahoo.com"]
    ),
  ]

  @Test(arguments: cases) func wholeTextsAreMatched(
    _ pattern: String, _ yes: [String], _ no: [String]
  ) throws {
    for text in yes { #expect(try Self.matches(pattern, [text]) == [true], "\(pattern) \(text)") }
    for text in no { #expect(try Self.matches(pattern, [text]) == [false], "\(pattern) \(text)") }
  }

  @Test(arguments: [
    "(", ")", "a**", "*a", "[a", "[b-a]", "\\", "\\k", "\\1", "(?=a)", "(?<=a)", "(?!a)", "a{2,1}",
    "a{1001}", "\\p{Nope}", "[[:nope:]]", "(?P<n", "(?z)", "\\x{110000}", "\\xg1",
    String(repeating: "(", count: 1000), "((a{1000}){1000}){1000}",
  ]) func whatIsNotSupportedIsRefused(_ pattern: String) {
    #expect(throws: RunError.self) { try Self.matches(pattern, [""]) }
  }

  /// A pattern on which engines that try one way after another need 2^40 steps.
  @Test func timeStaysProportionalToThePattern() throws {
    let pattern = String(repeating: "a?", count: 40) + String(repeating: "a", count: 40)
    #expect(try Self.matches(pattern, [String(repeating: "a", count: 40)]) == [true])
    #expect(try Self.matches("(a|aa)+b", [String(repeating: "a", count: 500)]) == [false])
    #expect(try Self.matches("((){1000}){1000}", [""]) == [true])
  }
}
