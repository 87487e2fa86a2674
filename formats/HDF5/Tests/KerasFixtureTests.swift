import TestSupport
import Testing
import WherryBytes
import WherryData
import WherryGraph
import WherryKeras
import WherryOperators

/// One file of each architecture of the grid: of Keras 2 or 3, `.h5` or `.keras`.
@Suite struct KerasFixtureTests {
  private static let folder = Suites.packageFolder + "/fixtures/keras"
  private static let files = Folder.names(folder).filter { !$0.hasSuffix(".npz") }

  private func read(_ bytes: Bytes, _ path: String) throws -> Model {
    try KerasFormat.read(ModelSource(bytes, path: path, operators: OperatorSet.all)).model
  }

  @Test func thereIsAFileOfEveryKind() {
    for kind in [".tf_keras.h5", ".tf_keras.keras", ".keras.h5", ".keras.keras"] {
      #expect(Self.files.count { $0.hasSuffix(kind) } > 40, "\(kind)")
    }
  }

  @Test(arguments: files)
  func outputsAreThoseOfKeras(_ name: String) throws {
    let path = "\(Self.folder)/\(name)"
    let model = try read(Bytes(mapping: path), path)
    #expect(model.violations.isEmpty)
    let stem = name.dropLast(name.hasSuffix(".h5") ? 3 : 6)
    let arrays = Dictionary(
      try Npz.read(Bytes(mapping: "\(Self.folder)/\(stem).npz")).map { ($0.name, $0.tensor) },
      uniquingKeysWith: { a, _ in a })
    var given: [String: Value] = [:]
    for input in model.graph.inputs {
      given[input.name] = .tensor(try #require(arrays["in:\(input.name)"]))
    }
    let results = try ReferenceEvaluator(model).run(given)
    #expect(arrays["out:\(model.graph.outputs.count)"] == nil)
    let bound = try #require(arrays["bound"]?.doubles.first)
    for (index, output) in model.graph.outputs.enumerated() {
      let expected = try #require(arrays["out:\(index)"])
      let actual = try #require(results[output.name]?.tensor)
      let largest = expected.doubles.map(\.magnitude).max() ?? 0
      let tolerance = Tolerance(relative: 0, absolute: bound * max(largest, 1e-6))
      #expect(actual.difference(from: expected, tolerance) == nil, "output \(index)")
    }
  }

  @Test(arguments: files)
  func fileComesBackWhole(_ name: String) throws {
    let first = try read(Bytes(mapping: "\(Self.folder)/\(name)"), name)
    var options = WriteOptions()
    options.path = name
    let sink = MemorySink()
    let losses = try KerasFormat.write(first, to: sink, options: options)
    #expect(losses.isEmpty)
    #expect(try read(Bytes(sink.bytes), name) == first)
  }

  /// A vocabulary that is damaged is no absent one.
  @Test func damagedVocabularyIsRefusedWithItsPlace() throws {
    let name = try #require(Self.files.first { $0.hasPrefix("table.") && $0.hasSuffix("keras") })
    var bytes = try Bytes(mapping: "\(Self.folder)/\(name)").array
    let place = try #require(bytes.firstRange(of: Array("/vocabulary.txt[UNK]".utf8)))
    bytes[place.upperBound - 2] ^= 1
    do {
      _ = try read(Bytes(bytes), name)
      Issue.record("nothing is wrong")
    } catch let failure as ReadFailure {
      #expect(failure.errors.contains { "\($0.place)".contains("vocabulary.txt") })
    }
  }
}
