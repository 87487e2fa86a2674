import WherryBytes
import WherryGraph
import WherryHDF5

extension GraphLayoutWriter {
  static func graph(_ graph: Graph, _ place: Place) throws(EncodeError) -> RecordDraft {
    var record = RecordDraft()
    record.text("name", graph.name)
    record.text("docString", graph.docString)
    record.properties("properties", graph.properties)
    try values("inputs", "input", graph.inputs, into: &record, place)
    try values("outputs", "output", graph.outputs, into: &record, place)
    try values("values", "value", graph.values, into: &record, place)
    try nodes(graph.nodes, into: &record, place)
    try record.list("quantization", graph.quantization) { (annotation, _) in
      var record = RecordDraft(isSmall: true)
      record.text("value", annotation.value)
      record.properties("parameters", annotation.parameters)
      return record
    }
    if !graph.initializers.isEmpty {
      var list = RecordDraft()
      for (index, initializer) in graph.initializers.enumerated() {
        list.put("\(index)", self.initializer(initializer))
      }
      record.put("initializers", list)
    }
    try record.list("sparseInitializers", graph.sparseInitializers) { (initializer, _) in
      var record = sparseTensor(initializer.tensor)
      record.text("name", initializer.name)
      return record
    }
    return record
  }

  static func values(
    _ name: String, _ part: String, _ values: [ValueInfo], into record: inout RecordDraft,
    _ place: Place
  ) throws(EncodeError) {
    try record.list(name, values) { (value, index) throws(EncodeError) in
      var record = RecordDraft(isSmall: true)
      record.text("name", value.name)
      record.text("docString", value.docString)
      record.properties("properties", value.properties)
      try type(value.type, into: &record, place.inside(part, at: index, value.name))
      return record
    }
  }

  static func nodes(
    _ nodes: [Node], into record: inout RecordDraft, _ place: Place
  ) throws(EncodeError) {
    try record.list("nodes", nodes) { (node, index) throws(EncodeError) in
      try self.node(node, place.inside("node", at: index, node.name))
    }
  }

  private static func initializer(_ initializer: Initializer) -> HDF5Draft.Dataset {
    var dataset = tensor(initializer.tensor)
    var record = RecordDraft(isOfDataset: true)
    record.text("name", initializer.name)
    record.text("docString", initializer.docString)
    record.properties("properties", initializer.properties)
    dataset.attributes += record.attributes
    return dataset
  }

  static func function(_ function: Function, _ place: Place) throws(EncodeError) -> RecordDraft {
    var record = RecordDraft()
    record.text("name", function.name.name)
    record.text("domain", function.name.domain)
    record.text("overload", function.overload)
    record.text("docString", function.docString)
    record.texts("inputs", function.inputs)
    record.texts("outputs", function.outputs)
    record.texts("requiredAttributes", function.requiredAttributes)
    try attributes(function.attributes, keepsOrder: true, into: &record, place)
    try nodes(function.nodes, into: &record, place)
    try values("values", "value", function.values, into: &record, place)
    operatorSets(function.operatorSets, into: &record)
    record.properties("properties", function.properties)
    return record
  }

  // MARK: Types

  static func type(
    _ type: ValueType, into record: inout RecordDraft, _ place: Place
  ) throws(EncodeError) {
    func inner(_ type: ValueType) throws(EncodeError) {
      var inner = RecordDraft()
      try self.type(type, into: &inner, place)
      record.put("of", inner)
    }
    switch type {
    case .unspecified: break
    case .tensor(let element, let shape):
      record.text("type", "tensor")
      record.text("element", element.name)
      try self.shape(shape, into: &record, place)
    case .sparseTensor(let element, let shape):
      record.text("type", "sparseTensor")
      record.text("element", element.name)
      try self.shape(shape, into: &record, place)
    case .sequence(let type):
      record.text("type", "sequence")
      try inner(type)
    case .optional(let type):
      record.text("type", "optional")
      try inner(type)
    case .map(let key, let value):
      record.text("type", "map")
      record.text("key", key.name)
      try inner(value)
    case .opaque(let domain, let name):
      record.text("type", "opaque")
      record.text("opaqueDomain", domain)
      record.text("opaqueName", name)
    case .denoted(let type, let meaning):
      record.text("type", "denoted")
      record.text("meaning", meaning)
      try inner(type)
    }
  }

  private static func shape(
    _ shape: Shape?, into record: inout RecordDraft, _ place: Place
  ) throws(EncodeError) {
    guard let shape else { return }
    try extents(shape.dimensions, into: &record, place)
    record.texts("denotations", shape.denotations)
  }

  static func extents(
    _ dimensions: [Dimension], into record: inout RecordDraft, _ place: Place
  ) throws(EncodeError) {
    var extents: [Int64] = []
    var symbols: [String] = []
    for dimension in dimensions {
      switch dimension {
      case .unknown: extents.append(GraphLayout.unknownExtent)
      case .symbolic(let name):
        extents.append(GraphLayout.symbolicExtent)
        symbols.append(name)
      case .fixed(let extent):
        guard extent >= 0 else { throw EncodeError(.invalid("an extent of \(extent)"), place) }
        extents.append(Int64(extent))
      }
    }
    record.put("extents", RecordDraft.value(extents))
    record.texts("symbols", symbols)
  }

  // MARK: Tensors

  static func tensor(_ tensor: Tensor) -> HDF5Draft.Dataset {
    var record = RecordDraft(isOfDataset: true)
    var shape = tensor.shape
    func flatten(_ count: Int) {
      record.put("shape", RecordDraft.value(tensor.shape.map { Int64($0) }))
      shape = [count]
    }
    let value: HDF5Draft.Value
    switch tensor.storage {
    case .strings(let strings):
      if shape.count > GraphLayout.mostExtents { flatten(strings.count) }
      value = RecordDraft.value(strings, shape)
    case .bytes(let bytes):
      if let type = GraphLayout.type(of: tensor.element) {
        if shape.count > GraphLayout.mostExtents { flatten(tensor.count) }
        value = .array(type, shape, bytes)
      } else {
        record.text("element", tensor.element.name)
        flatten(bytes.count)
        value = .array(.uint8, shape, bytes)
      }
    }
    return HDF5Draft.Dataset(value, attributes: record.attributes)
  }

  static func sparseTensor(_ tensor: SparseTensor) -> RecordDraft {
    var record = RecordDraft()
    record.put("shape", RecordDraft.value(tensor.shape.map { Int64($0) }))
    record.put("values", self.tensor(tensor.values))
    record.put("indices", self.tensor(tensor.indices))
    return record
  }
}
