import TestSupport
import Testing
import WherryGraph

/// Names of a graph's operators, in order.
func operators(_ model: Model) -> [String] { model.graph.nodes.map(\.operation.name.name) }

/// How far the outputs of two models lie apart at most, and how many elements differ.
func difference(_ a: Model, _ b: Model) throws -> (most: Double, count: Int, of: Int) {
  let inputs = try seededInputs(a)
  let (one, two) = (try ReferenceEvaluator(a).run(inputs), try ReferenceEvaluator(b).run(inputs))
  var result = (most: 0.0, count: 0, of: 0)
  for (name, value) in one {
    let (x, y) = (try #require(value.tensor), try #require(two[name]?.tensor))
    #expect(x.shape == y.shape && x.element == y.element)
    for (p, q) in zip(x.doubles, y.doubles) {
      result.most = max(result.most, abs(p - q))
      result.count += p == q ? 0 : 1
      result.of += 1
    }
  }
  return result
}
