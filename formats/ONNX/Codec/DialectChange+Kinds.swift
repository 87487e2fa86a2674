import WherryBytes
import WherryGraph

/// Kinds of change that several operators went through.
extension DialectChange {
  /// A list attribute became an int64 vector input.
  static func listBecameInput(
    _ operators: [String], _ attribute: String, _ input: Int, since version: Int64
  ) -> DialectChange {
    DialectChange(
      operators, since: version,
      lift: { (node, site) throws(DialectRefusal) in
        guard let value = node.take(attribute) else { return }
        guard case .ints(let numbers) = value else { throw DialectRefusal(attribute) }
        node.setInput(input, site.integers(numbers, attribute, of: node))
      },
      lower: { (node, site) throws(DialectRefusal) in
        guard let tensor = try site.take(input, of: &node, attribute) else { return }
        node[attribute] = .ints(tensor.integers)
      })
  }

  /// A number attribute became a scalar input of the first input's element type; `neutral` stands for
  /// an input left out.
  static func numberBecameInput(
    _ operators: [String], _ attribute: String, _ input: Int, neutral: Float, since version: Int64
  ) -> DialectChange {
    DialectChange(
      operators, since: version,
      lift: { (node, site) throws(DialectRefusal) in
        guard let value = node.take(attribute) else { return }
        guard case .float(let number) = value else { throw DialectRefusal(attribute) }
        guard number != neutral else { return }
        let element = site.type(node.input(0))?.element ?? .float32
        guard let scalar = Tensor(element, [], doubles: [Double(number)]) else {
          throw DialectRefusal("\(attribute) for \(element)")
        }
        node.setInput(input, site.constant(scalar, attribute, of: node))
      },
      lower: { (node, site) throws(DialectRefusal) in
        guard let tensor = try site.take(input, of: &node, attribute) else { return }
        guard tensor.count == 1, let number = tensor.doubles.first else {
          throw DialectRefusal("\(attribute) of shape \(tensor.shape)")
        }
        guard Double(Float(number)) == number || number.isNaN else {
          throw DialectRefusal("\(attribute) \(number), which float32 can't hold")
        }
        node[attribute] = .float(Float(number))
      })
  }

  /// An attribute that says nothing any more; `meaningless` is the value that may go.
  static func attributeWent(
    _ operators: [String], _ attribute: String, meaningless: AttributeValue, since version: Int64,
    isWritten: Bool = false
  ) -> DialectChange {
    DialectChange(
      operators, since: version,
      lift: { (node, _) throws(DialectRefusal) in
        guard let value = node.take(attribute) else { return }
        guard value == meaningless else {
          throw DialectRefusal("the attribute \"\(attribute)\"")
        }
      },
      lower: { (node, _) in if isWritten { node[attribute] = meaningless } })
  }

  /// Some values of an attribute got other names.
  static func valuesRenamed(
    _ operators: [String], _ attribute: String, _ names: [(old: String, new: String)],
    since version: Int64
  ) -> DialectChange {
    DialectChange(
      operators, since: version,
      lift: { (node, _) in
        guard let value = node.text(attribute) else { return }
        if let name = names.first(where: { $0.old == value }) {
          node[attribute] = .string(Bytes(name.new.utf8))
        }
      },
      lower: { (node, _) in
        guard let value = node.text(attribute) else { return }
        if let name = names.first(where: { $0.new == value }) {
          node[attribute] = .string(Bytes(name.old.utf8))
        }
      })
  }

  /// Some values of an attribute came into being.
  static func valuesAdded(
    _ operators: [String], _ attribute: String, _ values: [String], since version: Int64
  ) -> DialectChange {
    DialectChange(
      operators, since: version, lift: { (_, _) in },
      lower: { (node, _) throws(DialectRefusal) in
        if let value = node.text(attribute), values.contains(value) {
          throw DialectRefusal("\(attribute) \"\(value)\"")
        }
      })
  }

  /// Something about the operator has no form before the change, or none after it.
  static func refused(
    _ operators: [String], _ what: String, since version: Int64,
    lifting: @escaping @Sendable (DialectNode) -> Bool,
    lowering: @escaping @Sendable (DialectNode) -> Bool
  ) -> DialectChange {
    DialectChange(
      operators, since: version,
      lift: { (node, _) throws(DialectRefusal) in if lifting(node) { throw DialectRefusal(what) } },
      lower: { (node, _) throws(DialectRefusal) in
        if lowering(node) { throw DialectRefusal(what) }
      })
  }

  /// Axes may be negative since.
  static func negativeAxes(
    _ operators: [String], _ attribute: String, since version: Int64, added: Bool = false
  ) -> DialectChange {
    DialectChange(
      operators, since: version, lift: { (_, _) in },
      lower: { (node, site) throws(DialectRefusal) in
        let axes: [Int64]
        switch node[attribute] {
        case .int(let axis)?: axes = [axis]
        case .ints(let list)?: axes = list
        default: return
        }
        guard !site.isUnmoved, axes.contains(where: { $0 < 0 }) else { return }
        guard let rank = site.shape(node.input(0))?.rank else {
          throw DialectRefusal("a negative axis of a value of unknown rank")
        }
        let extra = added ? axes.count : 0
        let positive = axes.map { $0 < 0 ? $0 + Int64(rank + extra) : $0 }
        if case .int? = node[attribute] {
          node[attribute] = .int(positive[0])
        } else {
          node[attribute] = .ints(positive)
        }
      })
  }

  /// An operator got another name.
  static func renamed(
    _ old: String, _ new: String, since version: Int64
  ) -> DialectChange {
    DialectChange(
      [old, new], since: version,
      lift: { (node, _) in node.name.name = new }, lower: { (node, _) in node.name.name = old })
  }
}
