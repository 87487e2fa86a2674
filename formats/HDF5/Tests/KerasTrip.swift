import TestSupport
import Testing
import WherryBytes
import WherryGraph
import WherryKeras
import WherryOperators

/// Writing as Keras and reading again.
enum KerasTrip {
  static func read(_ bytes: Bytes, _ path: String) throws -> Model {
    try KerasFormat.read(ModelSource(bytes, path: path, operators: OperatorSet.all)).model
  }

  static func written(
    _ model: Model, as path: String
  ) throws -> (bytes: Bytes, losses: [Loss]) {
    var options = WriteOptions()
    options.path = path
    let sink = MemorySink()
    let losses = try KerasFormat.write(model, to: sink, options: options)
    return (Bytes(sink.bytes), losses)
  }

  private static func outputs(_ model: Model, _ inputs: [String: Value]) throws -> [Tensor] {
    let results = try ReferenceEvaluator(model).run(inputs)
    return try model.graph.outputs.map { try #require(results[$0.name]?.tensor) }
  }

  /// Writes a model whose graph came from elsewhere, and compares what comes back.
  @discardableResult
  static func expectSame(_ model: Model, as path: String) throws -> (model: Model, losses: [Loss]) {
    let (bytes, losses) = try written(model, as: path)
    let again = try read(bytes, path)
    #expect(again.violations.isEmpty)
    #expect(
      again.graph.inputs.map(\.type.shape?.rank) == model.graph.inputs.map(\.type.shape?.rank))
    var fixed = model
    for index in fixed.graph.inputs.indices {
      guard case .tensor(let element, let shape?) = model.graph.inputs[index].type else { continue }
      let extents = shape.dimensions.map { $0.extent ?? 2 }
      fixed.graph.inputs[index].type = .tensor(element, Shape(fixed: extents))
    }
    let given = try seededInputs(fixed)
    let renamed = Dictionary(
      uniqueKeysWithValues: zip(model.graph.inputs, again.graph.inputs).compactMap { old, new in
        given[old.name].map { (new.name, $0) }
      })
    let (expected, actual) = (try outputs(model, given), try outputs(again, renamed))
    #expect(actual.count == expected.count)
    for (a, e) in zip(actual, expected) {
      #expect(a.difference(from: e, Tolerance(relative: 1e-5, absolute: 1e-5)) == nil)
    }
    return (again, losses)
  }

  /// Numbers on both sides of zero.
  static func numbers(_ shape: [Int]) -> Tensor? {
    let count = shape.reduce(1, *)
    return Tensor(
      .float32, shape, doubles: (0..<count).map { Double(($0 * 37) % 101) / 101 - 0.5 })
  }
}
