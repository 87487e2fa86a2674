import WherryBytes
import WherryGraph

extension ONNXReader {
  func lift(_ raw: Model) -> Model {
    var model = raw
    lift(&model.graph, Place().inside("graph"))
    return model
  }

  private func lift(_ graph: inout Graph, _ place: Place) {
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      let here = place.inside("node", at: index, node.name)
      var attributes = node.operation.attributes
      for position in attributes.indices {
        if case .graph(var inner) = attributes[position].value {
          lift(&inner, here.inside("attribute", attributes[position].name))
          attributes[position].value = .graph(inner)
        }
      }
      do {
        graph.nodes[index].operation = try source.operators.make(node.operation.name, attributes)
      } catch {
        for problem in error.problems {
          let there = here.inside("attribute", problem.attribute)
          switch problem.kind {
          case .unknown: report(.unsupported("attribute \"\(problem.attribute)\""), there)
          case .duplicate: report(.duplicate(problem.attribute), there)
          case .missing: report(.missing(problem.attribute), here)
          case .wrongValue(let expected): report(.invalid("not a fitting \(expected)"), there)
          }
        }
      }
    }
  }
}
