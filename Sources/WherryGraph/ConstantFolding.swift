import WherryBytes

/// Contents that inference computes itself: those of small nodes whose inputs are all constant.
enum ConstantFolding {
  /// Tensors are computed and followed up to this many elements.
  static let elements = 4096

  private static var limits: EvaluationLimits {
    var limits = EvaluationLimits()
    limits.elements = elements
    return limits
  }

  /// The contents of a node's outputs; nil where they can't or needn't be computed.
  static func contents(of node: Node, _ site: InferenceSite) -> [Tensor?] {
    let none = [Tensor?](repeating: nil, count: node.outputs.count)
    guard !(node.operation is any Nondeterministic), !(node.operation is UnknownOperator) else {
      return none
    }
    var values: [Value?] = []
    for (index, isPresent) in site.isPresent.enumerated() {
      guard isPresent else {
        values.append(nil)
        continue
      }
      guard let content = site.contents[index], content.count <= elements else { return none }
      values.append(.tensor(content))
    }
    for type in site.outputs {
      guard let shape = type?.shape else { continue }
      guard let count = shape.extents.map({ Checked.product($0) }) ?? 0, count <= elements else {
        return none
      }
    }
    guard node.operation.attributes.allSatisfy({ $0.value.subgraphs.isEmpty }) else { return none }
    let call = OperatorCall(
      inputs: values, wanted: node.outputs.map { $0 != nil }, limits: limits,
      runGraph: { (_, _) throws(RunError) in throw RunError(.unsupported("subgraph")) })
    guard let results = try? node.operation.evaluate(call) else { return none }
    return (0..<node.outputs.count).map { index in
      guard index < results.count, case .tensor(let tensor)? = results[index] else { return nil }
      return tensor.count <= elements ? tensor : nil
    }
  }
}
