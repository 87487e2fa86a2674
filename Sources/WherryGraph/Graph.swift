import WherryBytes

/// A trained model: a graph, the functions it calls, and what its makers say about it.
public struct Model: Sendable, Hashable {
  public var graph: Graph
  public var functions: [Function]
  public var metadata: Metadata
  /// Operator set versions the model was written against; a writer that can, writes these again. The
  /// graph itself is always in the newest version.
  public var operatorSets: [OperatorSetVersion]
  public var labels: [ClassLabels]
  public var schema: [InputColumn]
  public var training: [TrainingInfo]
  public var devices: [DeviceConfiguration]

  public init(
    graph: Graph, functions: [Function] = [], metadata: Metadata = Metadata(),
    operatorSets: [OperatorSetVersion] = [], labels: [ClassLabels] = [], schema: [InputColumn] = [],
    training: [TrainingInfo] = [], devices: [DeviceConfiguration] = []
  ) {
    (self.graph, self.functions, self.metadata) = (graph, functions, metadata)
    (self.operatorSets, self.labels, self.schema) = (operatorSets, labels, schema)
    (self.training, self.devices) = (training, devices)
  }
}

/// Nodes in topological order over named values. A name stands for one value within a graph and the
/// graphs inside it.
public struct Graph: Sendable, Hashable {
  public var name: String
  public var docString: String
  public var nodes: [Node]
  public var inputs: [ValueInfo]
  public var outputs: [ValueInfo]
  /// Constant values. One that is also an input is that input's default.
  public var initializers: [Initializer]
  public var sparseInitializers: [SparseInitializer]
  /// Types of inner values, as far as the file states them.
  public var values: [ValueInfo]
  public var quantization: [QuantizationAnnotation]
  public var properties: [Property]

  public init(
    name: String = "", docString: String = "", nodes: [Node] = [], inputs: [ValueInfo] = [],
    outputs: [ValueInfo] = [], initializers: [Initializer] = [],
    sparseInitializers: [SparseInitializer] = [], values: [ValueInfo] = [],
    quantization: [QuantizationAnnotation] = [], properties: [Property] = []
  ) {
    (self.name, self.docString, self.nodes) = (name, docString, nodes)
    (self.inputs, self.outputs, self.initializers) = (inputs, outputs, initializers)
    (self.sparseInitializers, self.values) = (sparseInitializers, values)
    (self.quantization, self.properties) = (quantization, properties)
  }
}

/// An operator applied to values.
public struct Node: Sendable {
  public var name: String
  public var docString: String
  public var operation: any Operator
  /// Value names; nil for an optional input left out.
  public var inputs: [String?]
  /// Value names; nil for an output nobody asks for.
  public var outputs: [String?]
  /// Which of several functions of one name is called; usually empty.
  public var overload: String
  public var properties: [Property]
  /// Attributes whose value is the attribute of the function that the node stands in.
  public var references: [AttributeReference]
  /// Doc strings of single attributes, by attribute name.
  public var attributeDocs: [Property]
  public var devices: [NodeDevice]

  public init(
    _ operation: any Operator, name: String = "", inputs: [String?], outputs: [String?],
    docString: String = "", overload: String = "", properties: [Property] = [],
    references: [AttributeReference] = [], attributeDocs: [Property] = [],
    devices: [NodeDevice] = []
  ) {
    (self.operation, self.name, self.inputs, self.outputs) = (operation, name, inputs, outputs)
    (self.docString, self.overload, self.properties) = (docString, overload, properties)
    (self.references, self.attributeDocs, self.devices) = (references, attributeDocs, devices)
  }
}

extension Node: Hashable {
  public static func == (a: Node, b: Node) -> Bool {
    a.name == b.name && a.docString == b.docString && a.inputs == b.inputs && a.outputs == b.outputs
      && a.overload == b.overload && a.properties == b.properties && a.references == b.references
      && a.attributeDocs == b.attributeDocs && a.devices == b.devices
      && a.operation.equals(b.operation)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(outputs)
    hasher.combine(operation.name)
  }
}

/// A named value and its type.
public struct ValueInfo: Sendable, Hashable {
  public var name: String
  public var type: ValueType
  public var docString: String
  public var properties: [Property]

  public init(
    _ name: String, _ type: ValueType, docString: String = "", properties: [Property] = []
  ) {
    (self.name, self.type, self.docString, self.properties) = (name, type, docString, properties)
  }
}

/// A constant value of a graph, by name.
public struct Initializer: Sendable, Hashable {
  public var name: String
  public var tensor: Tensor
  public var docString: String
  public var properties: [Property]

  public init(_ name: String, _ tensor: Tensor, docString: String = "", properties: [Property] = [])
  {
    (self.name, self.tensor, self.docString, self.properties) = (
      name, tensor, docString, properties
    )
  }
}

/// A constant value of a graph that lists only its non-zero elements.
public struct SparseInitializer: Sendable, Hashable {
  public var name: String
  public var tensor: SparseTensor

  public init(_ name: String, _ tensor: SparseTensor) { (self.name, self.tensor) = (name, tensor) }
}

/// A function: a graph with attributes that nodes call by name.
public struct Function: Sendable, Hashable {
  public var name: OperatorName
  public var overload: String
  public var docString: String
  public var inputs: [String]
  public var outputs: [String]
  /// Attributes a caller must give.
  public var requiredAttributes: [String]
  /// Attributes with a default.
  public var attributes: [NamedAttribute]
  public var nodes: [Node]
  public var values: [ValueInfo]
  public var operatorSets: [OperatorSetVersion]
  public var properties: [Property]

  public init(
    _ name: OperatorName, overload: String = "", docString: String = "", inputs: [String],
    outputs: [String], requiredAttributes: [String] = [], attributes: [NamedAttribute] = [],
    nodes: [Node], values: [ValueInfo] = [], operatorSets: [OperatorSetVersion] = [],
    properties: [Property] = []
  ) {
    (self.name, self.overload, self.docString) = (name, overload, docString)
    (self.inputs, self.outputs, self.nodes) = (inputs, outputs, nodes)
    (self.requiredAttributes, self.attributes) = (requiredAttributes, attributes)
    (self.values, self.operatorSets, self.properties) = (values, operatorSets, properties)
  }
}

/// A key and its text; keys may repeat and keep their order.
public struct Property: Sendable, Hashable {
  public var key: String
  public var value: String

  public init(_ key: String, _ value: String) { (self.key, self.value) = (key, value) }
}

/// What the makers of a model say about it.
public struct Metadata: Sendable, Hashable {
  public var producerName = ""
  public var producerVersion = ""
  public var domain = ""
  public var modelVersion: Int64 = 0
  public var docString = ""
  public var properties: [Property] = []
  /// The ONNX IR version the model was written against; nil when it never was ONNX.
  public var irVersion: Int64?

  public init() {}
}

/// A domain of operators and the version of it that a model was written against.
public struct OperatorSetVersion: Sendable, Hashable {
  public var domain: String
  public var version: Int64

  public init(_ domain: String, _ version: Int64) {
    (self.domain, self.version) = (domain, version)
  }
}

/// The names of the classes that an output scores or gives.
public struct ClassLabels: Sendable, Hashable {
  /// The graph output.
  public var output: String
  public var labels: [String]

  public init(output: String, labels: [String]) { (self.output, self.labels) = (output, labels) }
}

/// A column of a tabular input: what values it may take and what stands for a missing one.
public struct InputColumn: Sendable, Hashable {
  /// The graph input and the position within its last axis.
  public var input: String
  public var index: Int
  public var name: String
  public var isCategorical: Bool
  /// Allowed categories; empty when any.
  public var categories: [String]
  public var lowest: Double?
  public var highest: Double?
  /// What a missing value is replaced by, as text; nil when none is allowed.
  public var missing: String?

  public init(
    input: String, index: Int, name: String, isCategorical: Bool = false, categories: [String] = [],
    lowest: Double? = nil, highest: Double? = nil, missing: String? = nil
  ) {
    (self.input, self.index, self.name) = (input, index, name)
    (self.isCategorical, self.categories) = (isCategorical, categories)
    (self.lowest, self.highest, self.missing) = (lowest, highest, missing)
  }
}

/// Names of the scale and zero point of a quantized value.
public struct QuantizationAnnotation: Sendable, Hashable {
  public var value: String
  public var parameters: [Property]

  public init(value: String, parameters: [Property]) {
    (self.value, self.parameters) = (value, parameters)
  }
}

/// In a function's node: the attribute `name` takes the value of the function's attribute `source`.
public struct AttributeReference: Sendable, Hashable {
  public var name: String
  public var source: String
  public var kind: AttributeKind

  public init(_ name: String, source: String, kind: AttributeKind) {
    (self.name, self.source, self.kind) = (name, source, kind)
  }
}
