import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryONNX

/// Files that are not models, each refused with its reason and place.
@Suite struct ONNXHostileTests {
  @Test func everyPrefixIsRefusedOrAModel() throws {
    let bytes = WireBuilder.model(WireBuilder.sum)
    #expect(errors(bytes).isEmpty)
    for count in 0..<bytes.count {
      #expect(!errors(Array(bytes[..<count])).isEmpty, "prefix of \(count) bytes")
    }
  }

  @Test func truncationNamesByteAndRoad() {
    let bytes = WireBuilder.model(WireBuilder.sum)
    let found = errors(Array(bytes.dropLast()))
    #expect(found.first?.reason == .truncated(needed: bytes.count - 8, available: bytes.count - 9))
    #expect(found.first?.place == .byte(6))
  }

  @Test func brokenLengthInsideANodeNamesTheNode() {
    let broken = WireBuilder.node("Add", ["x"], ["y"]).appending([0x0a, 0x7f, 1])
    let found = errors(WireBuilder.model(WireBuilder().message(1, broken)))
    guard case .truncated(let needed, let available)? = found.first?.reason else {
      Issue.record("\(found)")
      return
    }
    #expect(needed == 0x7f && available == 1)
    #expect(
      found.first?.place.road == [.named("graph", nil), .indexed("node", 0, "ny")])
  }

  @Test func deepNestingIsRefusedBeforeAnyoneRecurses() {
    var graph = WireBuilder.sum
    for _ in 0..<2000 {
      let attribute = WireBuilder().text(1, "body").message(6, graph).number(20, 5)
      graph = WireBuilder().message(1, WireBuilder.node("If", [], ["z"]).message(5, attribute))
    }
    let found = errors(WireBuilder.model(graph))
    #expect(found.map(\.reason) == [.limit("nested messages", 100)])
    #expect(found.first?.place.position != nil)
  }

  @Test func deepTypesAreRefused() {
    var type = WireBuilder().message(1, WireBuilder().number(1, 1))
    for _ in 0..<5000 { type = WireBuilder().message(4, WireBuilder().message(1, type)) }
    let graph = WireBuilder.sum.message(13, WireBuilder().text(1, "v").message(2, type))
    #expect(errors(WireBuilder.model(graph)).map(\.reason) == [.limit("nested messages", 100)])
  }

  @Test func cyclesAreMissingValues() {
    let graph = WireBuilder().message(1, WireBuilder.node("Neg", ["b"], ["a"]))
      .message(1, WireBuilder.node("Neg", ["a"], ["b"])).message(12, WireBuilder.value("a"))
    let found = errors(WireBuilder.model(graph))
    #expect(found.map(\.reason) == [.missing("b")])
    #expect(found.first?.place.road == [.named("graph", nil), .indexed("node", 0, "na")])
    #expect(found.first?.place.position == .byte(8))
  }

  @Test func aNameDefinedTwiceIsRefused() {
    let graph = WireBuilder.sum.message(1, WireBuilder.node("Neg", ["x"], ["y"]))
    let found = errors(WireBuilder.model(graph))
    #expect(found.map(\.reason) == [.duplicate("y")])
    #expect(found.first?.place.road == [.named("graph", nil), .indexed("node", 1, "ny")])
  }

  @Test func everyProblemIsListed() {
    let graph = WireBuilder().message(1, WireBuilder.node("Neg", ["p"], ["a"]))
      .message(1, WireBuilder.node("Neg", ["q"], ["b"])).message(12, WireBuilder.value("c"))
    #expect(
      errors(WireBuilder.model(graph)).map(\.reason) == [
        .missing("p"), .missing("q"), .missing("c"),
      ]
    )
  }

  @Test func textMustBeUTF8() {
    let node = WireBuilder.node("Neg", ["x"], ["y"]).bytes(6, [0xff, 0xfe])
    let found = errors(WireBuilder.model(WireBuilder.sum.message(1, node)))
    #expect(found.map(\.reason) == [.notUTF8])
    #expect(
      found.first?.place.road
        == [.named("graph", nil), .indexed("node", 1, "ny"), .named("doc_string", nil)])
  }

  @Test func shapesThatOverflowAreRefused() {
    let tensor = WireBuilder.tensor("v", [1 << 62, 1 << 62], [1, 2, 3, 4])
    let found = errors(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    #expect(found.map(\.reason) == [.invalid("shape [4611686018427387904, 4611686018427387904]")])
    #expect(found.first?.place.road == [.named("graph", nil), .indexed("initializer", 1, "v")])
  }

  @Test func negativeExtentsAreRefused() {
    let tensor = WireBuilder.tensor("v", [-1], [1, 2, 3, 4])
    let found = errors(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    #expect(found.map(\.reason) == [.invalid("shape [-1]")])
  }

  @Test func contentsMustFitTheShape() {
    let tensor = WireBuilder.tensor("v", [3], [1, 2, 3, 4])
    let found = errors(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    #expect(found.map(\.reason) == [.inconsistent("shape [3] of float32 and its data")])
  }

  @Test func segmentsAreRefused() {
    let tensor = WireBuilder.tensor("v", [1], [1, 2, 3, 4]).message(3, WireBuilder().number(1, 0))
    let found = errors(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    #expect(found.map(\.reason) == [.unsupported("tensor in segments")])
  }

  @Test func newerVersionsAreRefusedByNumber() {
    let newer = WireBuilder().number(1, 99).message(8, WireBuilder().number(2, 999))
      .message(7, WireBuilder.sum).bytes
    #expect(
      errors(newer).map(\.reason) == [
        .unsupportedVersion("IR version 99"), .unsupportedVersion("operator set 999 of \"\""),
      ])
  }

  @Test func anUnknownAttributeIsNamed() {
    let attribute = WireBuilder().text(1, "color").number(3, 1).number(20, 2)
    let node = WireBuilder.node("Neg", ["x"], ["z"]).message(5, attribute)
    let found = errors(WireBuilder.model(WireBuilder.sum.message(1, node)))
    #expect(found.map(\.reason) == [.unsupported("attribute of Neg")])
    #expect(
      found.first?.place.road
        == [.named("graph", nil), .indexed("node", 1, "nz"), .named("attribute", "color")])
  }

  @Test func unknownFieldsAreLossesWithTheirNumber() throws {
    let node = WireBuilder.node("Neg", ["x"], ["z"]).number(77, 5)
    let reading = try read(WireBuilder.model(WireBuilder.sum.message(1, node)))
    #expect(reading.losses.map(\.what) == ["field 77 of NodeProto"])
    #expect(
      reading.losses.first?.place.road == [.named("graph", nil), .indexed("node", 1, "nz")])
  }

  @Test func aFieldCanNotPassForAPlaceInTheFile() {
    // The number by which the skeleton refers to the source means nothing in a file.
    let marker = [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 0xff, count: 8)
    let tensor = WireBuilder().number(1, 1).number(2, 1).text(8, "v")
      .bytes(WireScan.rawDataNumber, marker)
    let found = errors(WireBuilder.model(WireBuilder.sum.message(5, tensor)))
    #expect(found.map(\.reason) == [.inconsistent("shape [1] of float32 and its data")])
  }

  @Test func mutantsNeverStopTheReader() {
    let count = Suites.environment("WHERRY_MUTANTS").flatMap { Int($0) } ?? 3000
    let seed: UInt64 = 0x5eed
    let graph = WireBuilder.sum.message(
      1,
      WireBuilder.node("Softmax", ["y"], ["z"])
        .message(5, WireBuilder().text(1, "axis").number(3, 0).number(20, 2)))
    let original = WireBuilder.model(graph, operatorSet: 11)
    let outcomes = CaseWorker.run(1, test: "mutantsNeverStopTheReader", seconds: 600) { _ in
      var random = SeededGenerator(seed)
      var sound = 0
      for _ in 0..<count {
        var bytes = original
        for _ in 0...Int.random(in: 0...3, using: &random) {
          let index = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0...3, using: &random) {
          case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
          case 2: bytes.remove(at: index)
          default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
          }
        }
        guard let model = try? read(bytes).model else { continue }
        sound += 1
        let sink = MemorySink()
        let losses = try? ONNXFormat.write(model, to: sink, options: WriteOptions())
        guard losses == [] else { continue }
        let out = sink.bytes
        do {
          let again = try read(out).model
          if again == model { continue }
          return "seed \(seed): \(ModelDifference.first(model, again)) after writing \(bytes)"
        } catch {
          return "seed \(seed): \(error) after writing \(bytes)"
        }
      }
      return sound > 0 ? nil : "no mutant was read"
    }
    if let outcome = outcomes.first { #expect(outcome == .passed) }
  }
}

/// Reproducible random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension ONNXHostileTests {
  /// `WHERRY_FUZZ_CASE` names a file that the fuzz target stopped at.
  @Test func theFileOfAFuzzRunIsTheSameAfterWriting() throws {
    guard let path = Suites.environment("WHERRY_FUZZ_CASE") else { return }
    let first = try ONNXFormat.read(
      ModelSource(Bytes(mapping: path), operators: OperatorSet.all)
    ).model
    let second = try read(written(first)).model
    #expect(first == second, "\(ModelDifference.first(first, second))")
  }
}
