import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryJSON

/// Documents that chance has damaged are read or refused, never more.
@Suite struct JSONMutantTests {
  /// How many mutants to try: `WHERRY_MUTANTS`, and where they start: `WHERRY_SEED`.
  private static let count = Suites.environment("WHERRY_MUTANTS").flatMap { Int($0) } ?? 3000
  private static let seed = Suites.environment("WHERRY_SEED").flatMap { UInt64($0) } ?? 1

  private static let words = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "null", "true", "-", "0", "1e999",
    "18446744073709551616", "9223372036854775807", "1e-999", "\"NaN\"", "{}", "[]", "\u{0}", "é",
    "\"type\":", "\"shape\":", "\"data\":", "\"graph\":", "\"base64\":", "{\"graph\":{\"nodes\":[",
  ].map { Array($0.utf8) }

  @Test func damagedDocumentsAreReadOrRefused() throws {
    var random = SplitMix(state: Self.seed)
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(bound, 1))) }
    var small = SampleModel.tensors
    small.graph.initializers.removeAll { $0.tensor.count > 10 }
    let parents = [
      try encoded(SampleModel.everything),
      try encoded(SampleModel.everything, pretty: false),
      try encoded(small, pretty: false), try encoded(small, pretty: false, decimals: 0),
    ]
    var read = 0
    for index in 0..<Self.count {
      var bytes = parents[below(parents.count)]
      for _ in 0...below(4) {
        let at = below(bytes.count)
        let end = min(at + below(20), bytes.count)
        switch below(6) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[at] ^= 1 << UInt8(below(8))
        case 2: bytes.removeSubrange(at..<end)
        case 3: bytes.insert(contentsOf: bytes[at..<end], at: below(bytes.count))
        case 4: bytes.insert(contentsOf: Self.words[below(Self.words.count)], at: at)
        default: bytes.replaceSubrange(at..<end, with: Self.words[below(Self.words.count)])
        }
      }
      do {
        let model = try decoded(bytes)
        let again = try encoded(model, pretty: false)
        guard try decoded(again) == model else {
          Issue.record("seed \(Self.seed), mutant \(index) changes on its way")
          return
        }
        read += 1
      } catch {
        guard let failure = error as? ReadFailure, !failure.errors.isEmpty else {
          Issue.record("seed \(Self.seed), mutant \(index): \(error)")
          return
        }
      }
    }
    print("\(Self.count) mutants from seed \(Self.seed): \(read) read, the others refused")
    #expect(read < Self.count)
  }
}
