extension Operator {
  /// - Throws: `TypeError` when the node lists too many or too few inputs or outputs.
  func checkArity(_ node: Node) throws(TypeError) {
    guard !(self is UnknownOperator) else { return }
    let signature = Self.signature
    guard signature.inputRange.contains(node.inputs.count) else {
      throw TypeError(.inputCount(node.inputs.count, allowed: signature.inputRange))
    }
    guard signature.outputRange.contains(node.outputs.count) else {
      throw TypeError(.outputCount(node.outputs.count, allowed: signature.outputRange))
    }
    for (index, parameter) in signature.inputs.enumerated() where parameter.arity == .required {
      if node.inputs[index] == nil { throw TypeError(.missingInput(index)) }
    }
  }

  /// - Throws: `TypeError.element` when an input's element type is none the signature allows.
  func checkElements(_ inputs: [ValueType?]) throws(TypeError) {
    guard !(self is UnknownOperator) else { return }
    let parameters = Self.signature.inputs
    guard let last = parameters.last else { return }
    for (index, type) in inputs.enumerated() {
      guard case .tensor(let element, _)? = type?.plain else { continue }
      let parameter = index < parameters.count ? parameters[index] : last
      guard parameter.elements.contains(element) else {
        throw TypeError(.element(input: index, element))
      }
    }
  }
}
