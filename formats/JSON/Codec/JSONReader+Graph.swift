import WherryBytes
import WherryGraph

extension JSONReader {
  enum GraphKey: String, JSONKey {
    case name, docString, inputs, outputs, nodes, values, quantization, initializers
    case sparseInitializers, properties
    static let table = JSONKeyTable<Self>()
  }

  mutating func graph() throws(JSONFault) -> Graph? {
    var graph = Graph()
    let isObject = try object(GraphKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: graph.name = try reader.string() ?? ""
      case .docString: graph.docString = try reader.string() ?? ""
      case .inputs:
        graph.inputs = try reader.parts("input") { (reader) throws(JSONFault) in
          try reader.valueInfo()
        }
      case .outputs:
        graph.outputs = try reader.parts("output") { (reader) throws(JSONFault) in
          try reader.valueInfo()
        }
      case .nodes:
        graph.nodes = try reader.parts("node") { (reader) throws(JSONFault) in try reader.node() }
      case .values:
        graph.values = try reader.parts("value") { (reader) throws(JSONFault) in
          try reader.valueInfo()
        }
      case .quantization:
        graph.quantization = try reader.parts("quantization") { (reader) throws(JSONFault) in
          try reader.quantization()
        }
      case .initializers:
        graph.initializers = try reader.parts("initializer") { (reader) throws(JSONFault) in
          try reader.initializer()
        }
      case .sparseInitializers:
        graph.sparseInitializers = try reader.parts("sparse initializer") {
          (reader) throws(JSONFault) in try reader.sparseInitializer()
        }
      case .properties: graph.properties = try reader.properties()
      }
    }
    return isObject ? graph : nil
  }

  enum ValueKey: String, JSONKey {
    case name, type, docString, properties
    static let table = JSONKeyTable<Self>()
  }

  private mutating func valueInfo() throws(JSONFault) -> ValueInfo? {
    let start = start
    var name: String?
    var value = ValueInfo("", .unspecified)
    _ = try object(ValueKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: name = try reader.ownName()
      case .type: value.type = try reader.type() ?? .unspecified
      case .docString: value.docString = try reader.string() ?? ""
      case .properties: value.properties = try reader.properties()
      }
    }
    guard let name = try require(name, "name", at: start) else { return nil }
    value.name = name
    return value
  }

  enum QuantizationKey: String, JSONKey {
    case value, parameters
    static let table = JSONKeyTable<Self>()
  }

  private mutating func quantization() throws(JSONFault) -> QuantizationAnnotation? {
    let start = start
    var value: String?
    var parameters: [Property] = []
    _ = try object(QuantizationKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .value: value = try reader.ownName()
      case .parameters: parameters = try reader.properties()
      }
    }
    return try require(value, "value", at: start)
      .map { QuantizationAnnotation(value: $0, parameters: parameters) }
  }

  enum InitializerKey: String, JSONKey {
    case name, docString, properties, tensor
    static let table = JSONKeyTable<Self>()
  }

  private mutating func initializer() throws(JSONFault) -> Initializer? {
    let start = start
    let before = problemCount
    var name: String?
    var tensor: Tensor?
    var docString = ""
    var properties: [Property] = []
    _ = try object(InitializerKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: name = try reader.ownName()
      case .docString: docString = try reader.string() ?? ""
      case .properties: properties = try reader.properties()
      case .tensor: tensor = try reader.tensor()
      }
    }
    guard problemCount == before, let name = try require(name, "name", at: start),
      let tensor = try require(tensor, "tensor", at: start)
    else { return nil }
    return Initializer(name, tensor, docString: docString, properties: properties)
  }

  enum SparseInitializerKey: String, JSONKey {
    case name, tensor
    static let table = JSONKeyTable<Self>()
  }

  private mutating func sparseInitializer() throws(JSONFault) -> SparseInitializer? {
    let start = start
    let before = problemCount
    var name: String?
    var tensor: SparseTensor?
    _ = try object(SparseInitializerKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: name = try reader.ownName()
      case .tensor: tensor = try reader.sparseTensor()
      }
    }
    guard problemCount == before, let name = try require(name, "name", at: start),
      let tensor = try require(tensor, "tensor", at: start)
    else { return nil }
    return SparseInitializer(name, tensor)
  }

  /// The name of the part that reading stands in, kept for the places of problems.
  mutating func ownName() throws(JSONFault) -> String? {
    let name = try string()
    if let name { self.name(name) }
    return name
  }

  /// Where the value here begins.
  var start: Int {
    mutating get {
      cursor.skipSpace()
      return cursor.at
    }
  }

  enum FunctionKey: String, JSONKey {
    case name, domain, overload, docString, inputs, outputs, requiredAttributes, attributes, nodes
    case values, operatorSets, properties
    static let table = JSONKeyTable<Self>()
  }

  mutating func function() throws(JSONFault) -> Function? {
    let start = start
    var name: String?
    var domain = ""
    var function = Function(OperatorName(""), inputs: [], outputs: [], nodes: [])
    _ = try object(FunctionKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: name = try reader.ownName()
      case .domain: domain = try reader.string() ?? ""
      case .overload: function.overload = try reader.string() ?? ""
      case .docString: function.docString = try reader.string() ?? ""
      case .inputs: function.inputs = try reader.strings()
      case .outputs: function.outputs = try reader.strings()
      case .requiredAttributes: function.requiredAttributes = try reader.strings()
      case .attributes: function.attributes = try reader.attributes().map(\.attribute)
      case .nodes:
        function.nodes = try reader.parts("node") { (reader) throws(JSONFault) in try reader.node()
        }
      case .values:
        function.values = try reader.parts("value") { (reader) throws(JSONFault) in
          try reader.valueInfo()
        }
      case .operatorSets: function.operatorSets = try reader.operatorSets()
      case .properties: function.properties = try reader.properties()
      }
    }
    guard let name = try require(name, "name", at: start) else { return nil }
    function.name = OperatorName(name, domain: domain)
    return function
  }
}
