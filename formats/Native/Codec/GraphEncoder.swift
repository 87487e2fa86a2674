import WherryBytes
import WherryGraph
import WherryPasses

/// A model as the bytes of the graph section. Contents of tensors go to the weights section.
///
/// - Source: formats/Native/README.md, "Graph section". `GraphDecoder` mirrors every function.
struct GraphEncoder {
  /// Tensors of at most this many bytes stand in the section itself.
  static let inlineBytes = 64

  var writer = ByteWriter()
  var store: WeightStore
  /// Scales written so far, for others that are in proportion to them.
  var knownScales: [KnownScales] = []

  static func encode(_ model: Model, _ store: inout WeightStore) -> [UInt8] {
    var encoder = GraphEncoder(store: store)
    encoder.write(model)
    store = encoder.store
    return encoder.writer.bytes
  }

  init(store: WeightStore) { self.store = store }

  // MARK: Basic values

  mutating func write(_ value: UInt64) { writer.natural(value) }

  mutating func write(_ value: Int64) {
    write(UInt64(bitPattern: value << 1 ^ value >> 63))
  }
  mutating func write(_ value: Int) { write(Int64(value)) }
  mutating func write(count: Int) { write(UInt64(count)) }
  mutating func write(tag: UInt8) { writer.integer(tag) }
  mutating func write(_ value: Bool) { writer.integer(UInt8(value ? 1 : 0)) }

  mutating func write(_ value: Bytes) {
    write(count: value.count)
    writer.raw(value)
  }

  mutating func write(_ value: String) {
    let bytes = Array(value.utf8)
    write(count: bytes.count)
    writer.raw(bytes)
  }

  mutating func write<T>(_ value: T?, _ body: (inout Self, T) -> Void) {
    write(value != nil)
    if let value { body(&self, value) }
  }

  mutating func write<T>(_ values: [T], _ body: (inout Self, T) -> Void) {
    write(count: values.count)
    for value in values { body(&self, value) }
  }

  // MARK: Model

  mutating func write(_ model: Model) {
    write(model.graph)
    write(model.functions) { $0.write($1) }
    write(model.metadata)
    write(model.operatorSets) { $0.write($1) }
    write(model.labels) { encoder, labels in
      encoder.write(labels.output)
      encoder.write(labels.labels) { $0.write($1) }
    }
    write(model.schema) { $0.write($1) }
    write(model.training) { $0.write($1) }
    write(model.devices) { encoder, device in
      encoder.write(device.name)
      encoder.write(Int64(device.count))
      encoder.write(device.devices) { $0.write($1) }
    }
  }

  mutating func write(_ metadata: Metadata) {
    write(metadata.producerName)
    write(metadata.producerVersion)
    write(metadata.domain)
    write(metadata.modelVersion)
    write(metadata.docString)
    write(metadata.properties) { $0.write($1) }
    write(metadata.irVersion) { $0.write($1) }
  }

  mutating func write(_ version: OperatorSetVersion) {
    write(version.domain)
    write(version.version)
  }

  mutating func write(_ property: Property) {
    write(property.key)
    write(property.value)
  }

  mutating func write(_ column: InputColumn) {
    write(column.input)
    write(column.index)
    write(column.name)
    write(column.isCategorical)
    write(column.categories) { $0.write($1) }
    for bound in [column.lowest, column.highest] {
      write(bound) { $0.writer.integer($1.bitPattern) }
    }
    write(column.missing) { $0.write($1) }
  }

  mutating func write(_ training: TrainingInfo) {
    write(training.initialization) { $0.write($1) }
    write(training.algorithm) { $0.write($1) }
    write(training.initializationBinding) { $0.write($1) }
    write(training.updateBinding) { $0.write($1) }
  }

  // MARK: Graph

  mutating func write(_ graph: Graph) {
    write(graph.name)
    write(graph.docString)
    write(graph.inputs) { $0.write($1) }
    write(graph.outputs) { $0.write($1) }
    write(graph.values) { $0.write($1) }
    write(graph.initializers) { encoder, initializer in
      encoder.write(initializer.name)
      encoder.write(initializer.tensor)
      encoder.write(initializer.docString)
      encoder.write(initializer.properties) { $0.write($1) }
    }
    write(graph.sparseInitializers) { encoder, initializer in
      encoder.write(initializer.name)
      encoder.write(initializer.tensor)
    }
    write(graph.nodes) { $0.write($1) }
    write(graph.quantization) { encoder, annotation in
      encoder.write(annotation.value)
      encoder.write(annotation.parameters) { $0.write($1) }
    }
    write(graph.properties) { $0.write($1) }
  }

  mutating func write(_ value: ValueInfo) {
    write(value.name)
    write(value.type)
    write(value.docString)
    write(value.properties) { $0.write($1) }
  }

  mutating func write(_ name: OperatorName) {
    write(name.domain)
    write(name.name)
  }

  mutating func write(_ node: Node) {
    write(node.operation.name)
    write(node.operation.attributes) { $0.write($1) }
    write(node.name)
    write(node.inputs) { encoder, name in encoder.write(name) { $0.write($1) } }
    write(node.outputs) { encoder, name in encoder.write(name) { $0.write($1) } }
    write(node.docString)
    write(node.overload)
    write(node.properties) { $0.write($1) }
    write(node.references) { encoder, reference in
      encoder.write(reference.name)
      encoder.write(reference.source)
      encoder.write(tag: UInt8(truncatingIfNeeded: reference.kind.rawValue))
    }
    write(node.attributeDocs) { $0.write($1) }
    write(node.devices) { $0.write($1) }
  }

  mutating func write(_ function: Function) {
    write(function.name)
    write(function.overload)
    write(function.docString)
    write(function.inputs) { $0.write($1) }
    write(function.outputs) { $0.write($1) }
    write(function.requiredAttributes) { $0.write($1) }
    write(function.attributes) { $0.write($1) }
    write(function.nodes) { $0.write($1) }
    write(function.values) { $0.write($1) }
    write(function.operatorSets) { $0.write($1) }
    write(function.properties) { $0.write($1) }
  }

  mutating func write(_ device: NodeDevice) {
    write(device.configuration)
    write(device.shardings) { $0.write($1) }
    write(device.pipelineStage) { $0.write(Int64($1)) }
  }

  mutating func write(_ sharding: Sharding) {
    write(sharding.tensor)
    write(sharding.devices) { $0.write($1) }
    write(sharding.groups) { encoder, group in
      encoder.write(group.key)
      encoder.write(group.devices) { $0.write($1) }
    }
    write(sharding.axes) { encoder, axis in
      encoder.write(axis.axis)
      encoder.write(axis.parts) { encoder, part in
        encoder.write(part.extent)
        encoder.write(part.count)
      }
    }
  }

  // MARK: Types and tensors

  mutating func write(_ dimension: Dimension) {
    switch dimension {
    case .unknown: write(tag: 0)
    case .fixed(let extent):
      write(tag: 1)
      write(extent)
    case .symbolic(let name):
      write(tag: 2)
      write(name)
    }
  }

  mutating func write(_ shape: Shape) {
    write(shape.dimensions) { $0.write($1) }
    write(shape.denotations) { $0.write($1) }
  }

  mutating func write(_ element: ElementType) {
    write(tag: UInt8(truncatingIfNeeded: element.rawValue))
  }

  mutating func write(_ type: ValueType) {
    switch type {
    case .unspecified: write(tag: 0)
    case .tensor(let element, let shape):
      write(tag: 1)
      write(element)
      write(shape) { $0.write($1) }
    case .sparseTensor(let element, let shape):
      write(tag: 2)
      write(element)
      write(shape) { $0.write($1) }
    case .sequence(let element):
      write(tag: 3)
      write(element)
    case .optional(let element):
      write(tag: 4)
      write(element)
    case .map(let key, let value):
      write(tag: 5)
      write(key)
      write(value)
    case .opaque(let domain, let name):
      write(tag: 6)
      write(domain)
      write(name)
    case .denoted(let type, let meaning):
      write(tag: 7)
      write(type)
      write(meaning)
    }
  }

  mutating func write(_ tensor: SparseTensor) {
    write(tensor.shape) { $0.write(count: $1) }
    write(tensor.values)
    write(tensor.indices)
  }

  // MARK: Attributes

  mutating func write(_ attribute: NamedAttribute) {
    write(attribute.name)
    write(attribute.value)
  }

  mutating func write(_ value: AttributeValue) {
    write(tag: UInt8(truncatingIfNeeded: value.kind.rawValue))
    switch value {
    case .float(let number): writer.integer(number.bitPattern)
    case .int(let number): write(number)
    case .string(let bytes): write(bytes)
    case .tensor(let tensor): write(tensor)
    case .sparseTensor(let tensor): write(tensor)
    case .graph(let graph): write(graph)
    case .type(let type): write(type)
    case .floats(let list): write(list) { $0.writer.integer($1.bitPattern) }
    case .ints(let list): write(list) { $0.write($1) }
    case .strings(let list): write(list) { $0.write($1) }
    case .tensors(let list): write(list) { $0.write($1) }
    case .sparseTensors(let list): write(list) { $0.write($1) }
    case .graphs(let list): write(list) { $0.write($1) }
    case .types(let list): write(list) { $0.write($1) }
    }
  }
}
