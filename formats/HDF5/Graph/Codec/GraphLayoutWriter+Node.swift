import WherryBytes
import WherryGraph
import WherryHDF5
import WherryOperators

extension GraphLayoutWriter {
  static func node(_ node: Node, _ place: Place) throws(EncodeError) -> RecordDraft {
    var record = RecordDraft()
    record.text("op", node.operation.name.name)
    record.text("domain", node.operation.name.domain)
    record.text("overload", node.overload)
    record.text("name", node.name)
    names("inputs", node.inputs, into: &record)
    names("outputs", node.outputs, into: &record)
    record.flag(
      "isRaw",
      node.operation is UnknownOperator && OperatorSet.all[node.operation.name] != nil)
    try attributes(
      node.operation.nonDefaultAttributes, keepsOrder: node.operation is UnknownOperator,
      into: &record, place)
    if !node.references.isEmpty {
      let texts = node.references.flatMap { [$0.name, $0.source, $0.kind.name] }
      record.put(
        "references",
        RecordDraft.value(texts.map { Bytes(Array($0.utf8)) }, [node.references.count, 3]))
    }
    record.text("docString", node.docString)
    record.properties("attributeDocs", node.attributeDocs)
    record.properties("properties", node.properties)
    try record.list("devices", node.devices) { (device, _) throws(EncodeError) in
      try self.device(device, place)
    }
    return record
  }

  /// Names of values: "" stands for one left out, and `emptyInputs` or `emptyOutputs` lists the
  /// positions of names that really are empty.
  private static func names(_ part: String, _ names: [String?], into record: inout RecordDraft) {
    record.texts(part, names.map { $0 ?? "" })
    let empty = names.indices.filter { names[$0] == "" }.map { Int64($0) }
    if !empty.isEmpty {
      record.put(part == "inputs" ? "emptyInputs" : "emptyOutputs", RecordDraft.value(empty))
    }
  }

  private static func device(_ device: NodeDevice, _ place: Place) throws(EncodeError)
    -> RecordDraft
  {
    var record = RecordDraft()
    record.text("configuration", device.configuration)
    if let stage = device.pipelineStage { record.put("pipelineStage", .integer(Int64(stage))) }
    try record.list("shardings", device.shardings) { (sharding, _) throws(EncodeError) in
      var record = RecordDraft()
      record.text("tensor", sharding.tensor)
      record.put("devices", RecordDraft.value(sharding.devices))
      try record.list("groups", sharding.groups) { (group, _) in
        var record = RecordDraft()
        record.put("key", .integer(group.key))
        record.put("devices", RecordDraft.value(group.devices))
        return record
      }
      try record.list("axes", sharding.axes) { (axis, _) throws(EncodeError) in
        var record = RecordDraft()
        record.put("axis", .integer(axis.axis))
        try extents(axis.parts.map(\.extent), into: &record, place)
        record.put("counts", RecordDraft.value(axis.parts.map(\.count)))
        return record
      }
      return record
    }
    return record
  }

  // MARK: Attributes

  /// The part `attributes`: an HDF5 attribute each, a member where the value is a tensor, graph or type
  /// or a list of them.
  ///
  /// - Parameter keepsOrder: whether their order says something; then `attributeOrder` tells it where it
  ///   is not that of the names.
  static func attributes(
    _ attributes: [NamedAttribute], keepsOrder: Bool, into record: inout RecordDraft,
    _ place: Place
  ) throws(EncodeError) {
    guard !attributes.isEmpty else { return }
    var inner = RecordDraft()
    var names: Set<String> = []
    for attribute in attributes {
      let place = place.inside("attribute", attribute.name)
      guard names.insert(attribute.name).inserted else {
        throw EncodeError(.invalid("the attribute stands twice"), place)
      }
      try put(attribute.value, as: GraphLayout.escaped(attribute.name), into: &inner, place)
    }
    record.put("attributes", inner)
    let order = attributes.map(\.name)
    if keepsOrder, order != order.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      record.texts("attributeOrder", order)
    }
  }

  private static func put(
    _ value: AttributeValue, as name: String, into record: inout RecordDraft, _ place: Place
  ) throws(EncodeError) {
    let kind = value.kind.name
    func list<T>(
      _ items: [T], _ make: (T, Int) throws(EncodeError) -> RecordDraft
    ) throws(EncodeError) {
      var list = RecordDraft()
      list.text("kind", kind)
      try list.list("items", items, make)
      record.put(name, list)
    }
    switch value {
    case .float(let value): record.put(name, RecordDraft.value(value))
    case .int(let value): record.put(name, .integer(value))
    case .string(let value): record.put(name, RecordDraft.value(value), kind: kind)
    case .floats(let values): record.put(name, RecordDraft.value(values), kind: kind)
    case .ints(let values): record.put(name, RecordDraft.value(values), kind: kind)
    case .strings(let values):
      record.put(name, RecordDraft.value(values, [values.count]), kind: kind)
    case .tensor(let value): record.put(name, tensor(value))
    case .sparseTensor(let value):
      var inner = sparseTensor(value)
      inner.text("kind", kind)
      record.put(name, inner)
    case .graph(let value):
      var inner = try graph(value, place.inside("graph"))
      inner.text("kind", kind)
      record.put(name, inner)
    case .type(let value):
      var inner = RecordDraft()
      inner.text("kind", kind)
      try type(value, into: &inner, place)
      record.put(name, inner)
    case .tensors(let values):
      var list = RecordDraft()
      list.text("kind", kind)
      if !values.isEmpty {
        var items = RecordDraft()
        for (index, value) in values.enumerated() { items.put("\(index)", tensor(value)) }
        list.put("items", items)
      }
      record.put(name, list)
    case .sparseTensors(let values): try list(values) { (value, _) in sparseTensor(value) }
    case .graphs(let values):
      try list(values) { (value, index) throws(EncodeError) in
        try graph(value, place.inside("graph", at: index, value.name))
      }
    case .types(let values):
      try list(values) { (value, _) throws(EncodeError) in
        var inner = RecordDraft()
        try type(value, into: &inner, place)
        return inner
      }
    }
  }
}
