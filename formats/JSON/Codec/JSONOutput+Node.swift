import WherryBytes
import WherryGraph
import WherryOperators

extension JSONOutput {
  mutating func node(_ node: Node) {
    open("{")
    key("op")
    text(node.operation.name.name)
    optional("domain", node.operation.name.domain)
    optional("overload", node.overload)
    optional("name", node.name)
    key("inputs")
    names(node.inputs)
    key("outputs")
    names(node.outputs)
    if node.operation is UnknownOperator, OperatorSet.all[node.operation.name] != nil {
      key("isRaw")
      bool(true)
    }
    attributes(node.operation.nonDefaultAttributes, Place().inside("node", node.name))
    list("references", node.references) { output, reference in
      output.open("{", .inline)
      output.key("name")
      output.text(reference.name)
      output.key("source")
      output.text(reference.source)
      output.key("kind")
      output.text(reference.kind.name)
      output.close("}")
    }
    optional("docString", node.docString)
    properties("attributeDocs", node.attributeDocs)
    properties("properties", node.properties)
    list("devices", node.devices) { $0.nodeDevice($1) }
    close("}")
  }

  private mutating func names(_ names: [String?]) {
    array(names, .inline) { output, name in
      if let name { output.text(name) } else { output.raw("null") }
    }
  }

  private mutating func nodeDevice(_ device: NodeDevice) {
    open("{")
    key("configuration")
    text(device.configuration)
    if let stage = device.pipelineStage {
      key("pipelineStage")
      integer(stage)
    }
    list("shardings", device.shardings) { $0.sharding($1) }
    close("}")
  }

  private mutating func sharding(_ sharding: Sharding) {
    open("{", .inline)
    key("tensor")
    text(sharding.tensor)
    if !sharding.devices.isEmpty {
      key("devices")
      integers(sharding.devices)
    }
    list("groups", sharding.groups) { output, group in
      output.open("{")
      output.key("key")
      output.integer(group.key)
      output.key("devices")
      output.integers(group.devices)
      output.close("}")
    }
    list("axes", sharding.axes) { output, axis in
      output.open("{")
      output.key("axis")
      output.integer(axis.axis)
      output.key("parts")
      output.array(axis.parts) { output, part in
        output.open("{")
        output.key("extent")
        output.dimension(part.extent)
        output.key("count")
        output.integer(part.count)
        output.close("}")
      }
      output.close("}")
    }
    close("}")
  }

  mutating func attributes(_ attributes: [NamedAttribute], _ place: Place) {
    guard !attributes.isEmpty else { return }
    var seen: Set<String> = []
    for attribute in attributes where !seen.insert(attribute.name).inserted {
      let place = place.inside("attribute", attribute.name)
      fail(EncodeError(.invalid("the attribute stands twice"), place))
    }
    key("attributes")
    open("{")
    for attribute in attributes where failure == nil {
      key(named: attribute.name)
      self.attribute(attribute.value)
    }
    close("}")
  }

  /// The short form where it can be told from every other, else an object whose key is the kind.
  private mutating func attribute(_ value: AttributeValue) {
    switch value {
    case .int(let value) where value.magnitude <= Self.exactInteger: integer(value)
    case .string(let value) where value.isText: bytes(value)
    case .ints(let values) where Self.isPlain(values): integers(values)
    case .strings(let values) where !values.isEmpty && values.allSatisfy(\.isText):
      array(values, .inline) { $0.bytes($1) }
    default:
      let layout: Layout = value.kind.isNested ? .block : .inline
      open("{", layout)
      key(named: value.kind.name)
      payload(value)
      close("}")
    }
  }

  private static func isPlain(_ values: [Int64]) -> Bool {
    !values.isEmpty && values.allSatisfy { $0.magnitude <= exactInteger }
  }

  private mutating func payload(_ value: AttributeValue) {
    switch value {
    case .float(let value): float(value)
    case .int(let value): integer(value)
    case .string(let value): bytes(value)
    case .tensor(let value): tensor(value)
    case .sparseTensor(let value): sparseTensor(value)
    case .graph(let value): graph(value)
    case .type(let value): type(value)
    case .floats(let values): array(values, .inline) { $0.float($1) }
    case .ints(let values): integers(values)
    case .strings(let values): array(values, .inline) { $0.bytes($1) }
    case .tensors(let values): array(values) { $0.tensor($1) }
    case .sparseTensors(let values): array(values) { $0.sparseTensor($1) }
    case .graphs(let values): array(values) { $0.graph($1) }
    case .types(let values): array(values) { $0.type($1) }
    }
  }

  /// Text, or base64 in an object where the bytes are not UTF-8.
  mutating func bytes(_ bytes: Bytes) {
    guard !bytes.isText else {
      bytes.withUnsafeBytes { quoted($0) }
      return
    }
    open("{", .inline)
    key("base64")
    bytes.withUnsafeBytes { base64($0) }
    close("}")
  }
}

extension Bytes {
  /// Whether the bytes are UTF-8.
  fileprivate var isText: Bool {
    withUnsafeBytes { raw in raw.allSatisfy { $0 < 0x80 } } || text != nil
  }
}

extension AttributeKind {
  /// Whether values of the kind have parts that deserve lines of their own.
  fileprivate var isNested: Bool {
    switch self {
    case .tensor, .tensors, .sparseTensor, .sparseTensors, .graph, .graphs: true
    default: false
    }
  }
}
