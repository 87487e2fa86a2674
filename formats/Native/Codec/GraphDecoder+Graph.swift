import WherryBytes
import WherryGraph

extension GraphDecoder {
  mutating func graph() throws(DecodeError) -> Graph {
    try nested { d throws(DecodeError) in
      var graph = Graph(name: try d.string(), docString: try d.string())
      graph.inputs = try d.values()
      graph.outputs = try d.values()
      graph.values = try d.values()
      graph.initializers = try d.list { d throws(DecodeError) in
        let (name, tensor) = (try d.string(), try d.tensor())
        return Initializer(
          name, tensor, docString: try d.string(), properties: try d.properties())
      }
      graph.sparseInitializers = try d.list { d throws(DecodeError) in
        SparseInitializer(try d.string(), try d.sparseTensor())
      }
      graph.nodes = try d.list { d throws(DecodeError) in try d.node() }
      graph.quantization = try d.list { d throws(DecodeError) in
        QuantizationAnnotation(value: try d.string(), parameters: try d.properties())
      }
      graph.properties = try d.properties()
      return graph
    }
  }

  mutating func values() throws(DecodeError) -> [ValueInfo] {
    try list { d throws(DecodeError) in
      let (name, type) = (try d.string(), try d.type())
      return ValueInfo(name, type, docString: try d.string(), properties: try d.properties())
    }
  }

  private mutating func operatorName() throws(DecodeError) -> OperatorName {
    let domain = try string()
    return OperatorName(try string(), domain: domain)
  }

  private mutating func node() throws(DecodeError) -> Node {
    let place = reader.place
    let name = try operatorName()
    let attributes = try self.attributes()
    var node = Node(UnknownOperator(), inputs: [], outputs: [])
    node.name = try string()
    node.inputs = try list { d throws(DecodeError) in
      try d.optional { d throws(DecodeError) in try d.string() }
    }
    node.outputs = try list { d throws(DecodeError) in
      try d.optional { d throws(DecodeError) in try d.string() }
    }
    node.docString = try string()
    node.overload = try string()
    node.properties = try properties()
    node.references = try list { d throws(DecodeError) in
      let (name, source) = (try d.string(), try d.string())
      return AttributeReference(name, source: source, kind: try d.attributeKind())
    }
    node.attributeDocs = try properties()
    node.devices = try list { d throws(DecodeError) in try d.device() }
    let here = place.inside("node", node.name).inside("operator", name.description)
    node.operation =
      node.references.isEmpty
      ? try operation(name, attributes, here) : try openOperation(name, attributes, here)
    return node
  }

  private func operation(
    _ name: OperatorName, _ attributes: [NamedAttribute], _ place: Place
  ) throws(DecodeError) -> any Operator {
    do throws(AttributeProblems) {
      return try operators.make(name, attributes)
    } catch {
      let first = error.problems.first
      let what = "attribute \"\(first?.attribute ?? "")\" of \(name)"
      throw DecodeError(.invalid(what), place)
    }
  }

  /// An operator in a function, some of whose attributes the caller gives.
  private func openOperation(
    _ name: OperatorName, _ attributes: [NamedAttribute], _ place: Place
  ) throws(DecodeError) -> any Operator {
    guard let type = operators[name] else { return UnknownOperator(name, attributes: attributes) }
    var operation = type.init()
    for attribute in attributes where !operation.set(attribute.name, attribute.value) {
      throw DecodeError(.invalid("attribute \"\(attribute.name)\" of \(name)"), place)
    }
    return operation
  }

  mutating func function() throws(DecodeError) -> Function {
    let name = try operatorName()
    let (overload, doc) = (try string(), try string())
    let (inputs, outputs) = (try strings(), try strings())
    var function = Function(
      name, overload: overload, docString: doc, inputs: inputs, outputs: outputs, nodes: [])
    function.requiredAttributes = try strings()
    function.attributes = try attributes()
    function.nodes = try list { d throws(DecodeError) in try d.node() }
    function.values = try values()
    function.operatorSets = try operatorSets()
    function.properties = try properties()
    return function
  }

  private mutating func device() throws(DecodeError) -> NodeDevice {
    NodeDevice(
      configuration: try string(),
      shardings: try list { d throws(DecodeError) in try d.sharding() },
      pipelineStage: try optional { d throws(DecodeError) in
        let place = d.reader.place
        guard let stage = Int32(exactly: try d.integer()) else {
          throw DecodeError(.invalid("a pipeline stage"), place)
        }
        return stage
      })
  }

  private mutating func sharding() throws(DecodeError) -> Sharding {
    let tensor = try string()
    let devices = try integers()
    let groups = try list { d throws(DecodeError) in
      Sharding.Group(key: try d.integer(), devices: try d.integers())
    }
    let axes = try list { d throws(DecodeError) in
      let axis = try d.integer()
      let parts = try d.list { d throws(DecodeError) in
        let extent = try d.dimension()
        return Sharding.Part(extent: extent, count: try d.integer())
      }
      return Sharding.Axis(axis: axis, parts: parts)
    }
    return Sharding(tensor: tensor, devices: devices, groups: groups, axes: axes)
  }

  private mutating func integers() throws(DecodeError) -> [Int64] {
    try list { d throws(DecodeError) in try d.integer() }
  }

  // MARK: Attributes

  private mutating func attributes() throws(DecodeError) -> [NamedAttribute] {
    try list { d throws(DecodeError) in
      let name = try d.string()
      return NamedAttribute(name, try d.attributeValue())
    }
  }

  private mutating func attributeKind() throws(DecodeError) -> AttributeKind {
    let place = reader.place
    guard let kind = AttributeKind(rawValue: Int32(try tag())) else {
      throw DecodeError(.invalid("a kind of attribute"), place)
    }
    return kind
  }

  private mutating func attributeValue() throws(DecodeError) -> AttributeValue {
    switch try attributeKind() {
    case .float: return .float(try float())
    case .int: return .int(try integer())
    case .string: return .string(try bytes())
    case .tensor: return .tensor(try tensor())
    case .sparseTensor: return .sparseTensor(try sparseTensor())
    case .graph: return .graph(try graph())
    case .type: return .type(try type())
    case .floats: return .floats(try list { d throws(DecodeError) in try d.float() })
    case .ints: return .ints(try integers())
    case .strings: return .strings(try list { d throws(DecodeError) in try d.bytes() })
    case .tensors: return .tensors(try list { d throws(DecodeError) in try d.tensor() })
    case .sparseTensors:
      return .sparseTensors(try list { d throws(DecodeError) in try d.sparseTensor() })
    case .graphs: return .graphs(try list { d throws(DecodeError) in try d.graph() })
    case .types: return .types(try list { d throws(DecodeError) in try d.type() })
    }
  }
}
