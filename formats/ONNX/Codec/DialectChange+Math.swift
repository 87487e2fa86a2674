import WherryBytes
import WherryGraph

extension DialectChange {
  /// Arithmetic and activations.
  static let mathChanges: [DialectChange] = [
    clip,
    softmax,
    .valuesRenamed(
      ["GridSample"], "mode", [("bilinear", "linear"), ("bicubic", "cubic")], since: 20),
  ]

  /// Bounds were attributes that stood for no bound at the ends of float32; they became scalars.
  private static let clip = DialectChange(
    ["Clip"], since: 11,
    lift: { (node, site) throws(DialectRefusal) in
      let bounds: [(String, Float)] = [
        ("min", -Float.greatestFiniteMagnitude), ("max", .greatestFiniteMagnitude),
      ]
      for (index, (name, open)) in bounds.enumerated() {
        guard case .float(let bound)? = node.take(name), bound != open else { continue }
        let element = site.type(node.input(0))?.element ?? .float32
        guard let scalar = Tensor(element, [], doubles: [Double(bound)]) else {
          throw DialectRefusal("\(name) for \(element)")
        }
        node.setInput(index + 1, site.constant(scalar, name, of: node))
      }
    },
    lower: { (node, site) throws(DialectRefusal) in
      for (index, name) in [(2, "max"), (1, "min")] {
        guard let tensor = try site.take(index, of: &node, name) else { continue }
        guard tensor.element.isFloat, tensor.count == 1, let bound = tensor.doubles.first,
          Double(Float(bound)) == bound
        else { throw DialectRefusal("\(name) as \(tensor.element)") }
        node[name] = .float(Float(bound))
      }
    })

  /// Before 13 the axes from `axis` on were one: the same as a single axis when all behind it are 1,
  /// else said by flattening, applying along the second axis and restoring the shape.
  private static let softmax = DialectChange(
    ["Softmax", "LogSoftmax", "Hardmax"], since: 13,
    lift: { (node, site) throws(DialectRefusal) in
      let axis = Int(node.int("axis") ?? 1)
      guard !isSingleAxis(axis, site.shape(node.input(0))) else { return }
      let input = node.input(0)
      let shape = site.name("shape", of: node)
      let flat = site.name("flat", of: node)
      let result = site.name("result", of: node)
      site.before += [
        DialectNode(name: OperatorName("Shape"), attributes: [], inputs: [input], outputs: [shape]),
        DialectNode(
          name: OperatorName("Flatten"),
          attributes: [NamedAttribute("axis", .int(Int64(axis)))], inputs: [input], outputs: [flat]),
      ]
      site.after.append(
        DialectNode(
          name: OperatorName("Reshape"), attributes: [], inputs: [result, shape],
          outputs: node.outputs))
      (node.inputs, node.outputs) = ([flat], [result])
      node["axis"] = .int(1)
    },
    lower: { (node, site) throws(DialectRefusal) in
      if restore(&node, site) { return }
      let axis = Int(node.int("axis") ?? -1)
      guard axis == -1 || isSingleAxis(axis, site.shape(node.input(0))) else {
        throw DialectRefusal("axis \(axis), which is not the last one")
      }
    })

  /// Undoes the flattening around a node; false when it isn't flattened.
  private static func restore(_ node: inout DialectNode, _ site: DialectLoweringSite) -> Bool {
    guard node.int("axis") == 1, let flat = site.producer(node.input(0), "Flatten"),
      let last = site.consumer(node.outputs.first ?? nil, "Reshape"), last.node.inputs.count == 2,
      let shape = site.producer(last.node.inputs[1], "Shape"), shape.inputs == flat.inputs
    else { return false }
    let axis = flat.operation.attributes.first { $0.name == "axis" }?.value
    site.release(node.input(0))
    site.release(last.node.inputs[1])
    site.replace(last.index)
    (node.inputs, node.outputs) = (flat.inputs, last.node.outputs)
    node["axis"] = axis ?? .int(1)
    return true
  }

  /// Whether the axes from `axis` on hold no more than that axis itself.
  private static func isSingleAxis(_ axis: Int, _ shape: Shape?) -> Bool {
    guard let shape else { return axis == -1 }
    let first = axis < 0 ? axis + shape.rank : axis
    guard first >= 0, first < shape.rank else { return false }
    return shape.dimensions[(first + 1)...].allSatisfy { $0 == .fixed(1) }
  }
}
