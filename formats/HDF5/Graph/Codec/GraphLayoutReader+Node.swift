import WherryBytes
import WherryGraph
import WherryHDF5

extension GraphLayoutReader {
  static func node(_ record: inout LayoutRecord, depth: Int) throws(DecodeError) -> Node {
    let name = OperatorName(try record.text("op"), domain: try record.text("domain"))
    var node = Node(
      UnknownOperator(), name: try record.text("name"), inputs: try names("inputs", &record),
      outputs: try names("outputs", &record), docString: try record.text("docString"),
      overload: try record.text("overload"), properties: try record.properties("properties"))
    node.attributeDocs = try record.properties("attributeDocs")
    for row in try record.rows("references", width: 3) {
      guard let kind = AttributeKind(name: row[2]) else {
        throw record.error(.invalid("kind of attribute \"\(row[2])\""))
      }
      node.references.append(AttributeReference(row[0], source: row[1], kind: kind))
    }
    node.devices = try record.list("devices", "device") { (record) throws(DecodeError) in
      try device(&record)
    }
    let isRaw = try record.flag("isRaw")
    let attributes = try attributes(&record, depth: depth)
    node.operation =
      isRaw
      ? UnknownOperator(name, attributes: attributes)
      : try operation(name, attributes, node.references, record)
    return node
  }

  /// The operator of a node.
  ///
  /// - Throws: the first attribute that doesn't fit.
  private static func operation(
    _ name: OperatorName, _ attributes: [NamedAttribute], _ references: [AttributeReference],
    _ record: LayoutRecord
  ) throws(DecodeError) -> any Operator {
    let operators = record.context.source.operators
    let problems: [AttributeProblems.Problem]
    do throws(AttributeProblems) {
      return try operators.make(name, attributes)
    } catch {
      problems = error.problems
    }
    // A required attribute that refers to one of the function's is there.
    let rest = problems.filter { problem in
      problem.kind != .missing || !references.contains { $0.name == problem.attribute }
    }
    for problem in rest {
      throw DecodeError(
        reason(problem), record.place.inside("attribute", problem.attribute))
    }
    guard var operation = operators[name]?.init() else {
      return UnknownOperator(name, attributes: attributes)
    }
    for attribute in attributes { _ = operation.set(attribute.name, attribute.value) }
    return operation
  }

  private static func reason(_ problem: AttributeProblems.Problem) -> DecodeError.Reason {
    switch problem.kind {
    case .unknown: .unsupported("attribute \"\(problem.attribute)\"")
    case .duplicate: .duplicate(problem.attribute)
    case .missing: .missing(problem.attribute)
    case .wrongValue(let kind): .invalid("a value of kind \(kind.name) is expected")
    }
  }

  private static func names(
    _ part: String, _ record: inout LayoutRecord
  ) throws(DecodeError) -> [String?] {
    let empty = try record.integers(part == "inputs" ? "emptyInputs" : "emptyOutputs") ?? []
    let positions = Set(empty)
    return try record.texts(part).enumerated().map { index, name in
      name.isEmpty && !positions.contains(Int64(index)) ? nil : name
    }
  }

  private static func device(_ record: inout LayoutRecord) throws(DecodeError) -> NodeDevice {
    NodeDevice(
      configuration: try record.text("configuration"),
      shardings: try record.list("shardings", "sharding") { (record) throws(DecodeError) in
        Sharding(
          tensor: try record.text("tensor"), devices: try record.integers("devices") ?? [],
          groups: try record.list("groups", "group") { (record) throws(DecodeError) in
            Sharding.Group(
              key: try record.integer("key") ?? 0, devices: try record.integers("devices") ?? [])
          },
          axes: try record.list("axes", "axis") { (record) throws(DecodeError) in
            try axis(&record)
          })
      }, pipelineStage: try record.integer("pipelineStage", Int32.self))
  }

  private static func axis(_ record: inout LayoutRecord) throws(DecodeError) -> Sharding.Axis {
    let extents = try extents(&record) ?? []
    let counts = try record.integers("counts") ?? []
    guard extents.count == counts.count else {
      throw record.error(.inconsistent("extents and counts"))
    }
    return Sharding.Axis(
      axis: try record.integer("axis") ?? 0,
      parts: zip(extents, counts).map { Sharding.Part(extent: $0, count: $1) })
  }

  // MARK: Attributes

  static func attributes(
    _ record: inout LayoutRecord, depth: Int
  ) throws(DecodeError) -> [NamedAttribute] {
    let order = try record.texts("attributeOrder")
    guard var inner = try record.record("attributes") else { return [] }
    var found: [String: AttributeValue] = [:]
    for name in inner.names {
      guard let plain = GraphLayout.unescaped(name) else {
        throw inner.error(.invalid("attribute name \"\(name)\""))
      }
      found[plain] = try attribute(name, &inner, depth: depth)
    }
    let sorted = found.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard
      order.isEmpty || order.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) == sorted
    else { throw record.error(.inconsistent("attributes and attributeOrder")) }
    return (order.isEmpty ? sorted : order).compactMap { name in
      found[name].map { NamedAttribute(name, $0) }
    }
  }

  private static func attribute(
    _ name: String, _ record: inout LayoutRecord, depth: Int
  ) throws(DecodeError) -> AttributeValue {
    let place = record.place.inside("attribute", GraphLayout.unescaped(name) ?? name)
    guard var inner = try record.record(name, at: place) else {
      guard let array = try record.array(name) else { throw DecodeError(.missing(name), place) }
      return try value(array, name, record)
    }
    let value = try self.value(&inner, depth: depth + 1)
    try inner.finish()
    return value
  }

  /// A value that is an HDF5 attribute: its type and rank tell the kind.
  private static func value(
    _ array: HDF5Array, _ name: String, _ record: LayoutRecord
  ) throws(DecodeError) -> AttributeValue {
    let isList = array.shape?.count == 1
    switch array.type {
    case .float32:
      let floats = try record.floats(array, name)
      if isList { return .floats(floats) }
      if let float = floats.first, array.shape == [] { return .float(float) }
    case .int64:
      let integers = try record.integers(array, name)
      if isList { return .ints(integers) }
      if let integer = integers.first, array.shape == [] { return .int(integer) }
    case .uint8: return .string(try record.string(array, name))
    case .string, .variableString, .sequence:
      return isList
        ? .strings(try record.strings(array, name)) : .string(try record.string(array, name))
    default: break
    }
    throw record.error(.invalid("type of attribute \"\(name)\""))
  }

  /// A value that is a member; one that does not say its kind is a tensor.
  private static func value(
    _ record: inout LayoutRecord, depth: Int
  ) throws(DecodeError) -> AttributeValue {
    try check(depth, record)
    guard let text = try record.optionalText("kind") else { return .tensor(try tensor(&record)) }
    guard let kind = AttributeKind(name: text) else {
      throw record.error(.invalid("kind of attribute \"\(text)\""))
    }
    switch kind {
    case .tensor: return .tensor(try tensor(&record))
    case .sparseTensor: return .sparseTensor(try sparseTensor(&record))
    case .graph: return .graph(try graph(&record, depth: depth))
    case .type: return .type(try type(&record, depth: depth))
    case .tensors:
      return .tensors(
        try record.list("items", "tensor") { (item) throws(DecodeError) in try tensor(&item) })
    case .sparseTensors:
      return .sparseTensors(
        try record.list("items", "sparse tensor") { (item) throws(DecodeError) in
          try sparseTensor(&item)
        })
    case .graphs:
      return .graphs(
        try record.list("items", "graph") { (item) throws(DecodeError) in
          try graph(&item, depth: depth)
        })
    case .types:
      return .types(
        try record.list("items", "type") { (item) throws(DecodeError) in
          try type(&item, depth: depth)
        })
    case .float, .int, .string, .floats, .ints, .strings:
      guard let dataset = record.dataset else { throw record.error(.invalid("\(text) in a group")) }
      try record.context.spend(dataset.storedSize ?? .max, record.place)
      let value = try value(try dataset.read(), text, record)
      guard value.kind == kind else { throw record.error(.inconsistent("kind of an attribute")) }
      return value
    }
  }
}
