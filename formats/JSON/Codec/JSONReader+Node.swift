import WherryBytes
import WherryGraph

extension JSONReader {
  enum NodeKey: String, JSONKey {
    case op, domain, overload, name, inputs, outputs, isRaw, attributes, references, docString
    case attributeDocs, properties, devices
    static let table = JSONKeyTable<Self>()
  }

  mutating func node() throws(JSONFault) -> Node? {
    let start = start
    let before = problemCount
    var op: String?
    var domain = ""
    var attributes: [PlacedAttribute] = []
    var isRaw = false
    var node = Node(UnknownOperator(), inputs: [], outputs: [])
    _ = try object(NodeKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .op: op = try reader.string()
      case .domain: domain = try reader.string() ?? ""
      case .overload: node.overload = try reader.string() ?? ""
      case .name: node.name = try reader.ownName() ?? ""
      case .inputs: node.inputs = try reader.names()
      case .outputs: node.outputs = try reader.names()
      case .isRaw: isRaw = try reader.bool() ?? false
      case .attributes: attributes = try reader.attributes()
      case .references:
        node.references = try reader.list { (reader) throws(JSONFault) in try reader.reference() }
      case .docString: node.docString = try reader.string() ?? ""
      case .attributeDocs: node.attributeDocs = try reader.properties()
      case .properties: node.properties = try reader.properties()
      case .devices:
        node.devices = try reader.parts("device") { (reader) throws(JSONFault) in
          try reader.nodeDevice()
        }
      }
    }
    guard problemCount == before, let op = try require(op, "op", at: start) else { return nil }
    let name = OperatorName(op, domain: domain)
    if isRaw {
      node.operation = UnknownOperator(name, attributes: attributes.map(\.attribute))
      return node
    }
    guard let operation = try make(name, attributes, node.references, at: start) else { return nil }
    node.operation = operation
    return node
  }

  /// The operator of a node; nil, and problems, when its attributes don't fit.
  private mutating func make(
    _ name: OperatorName, _ attributes: [PlacedAttribute], _ references: [AttributeReference],
    at start: Int
  ) throws(JSONFault) -> (any Operator)? {
    let problems: [AttributeProblems.Problem]
    do throws(AttributeProblems) {
      return try source.operators.make(name, attributes.map(\.attribute))
    } catch {
      problems = error.problems
    }
    // A required attribute that refers to one of the function's is there.
    let rest = problems.filter { problem in
      problem.kind != .missing || !references.contains { $0.name == problem.attribute }
    }
    for problem in rest {
      let offset = attributes.last { $0.attribute.name == problem.attribute }?.offset ?? start
      try inside(.named("attribute", problem.attribute)) { (reader) throws(JSONFault) in
        try reader.note(Self.reason(problem), at: offset)
      }
    }
    guard rest.isEmpty, var operation = source.operators[name]?.init() else { return nil }
    for attribute in attributes.map(\.attribute) {
      _ = operation.set(attribute.name, attribute.value)
    }
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

  /// Names of values; `null` for one left out.
  private mutating func names() throws(JSONFault) -> [String?] {
    try list { (reader) throws(JSONFault) -> String?? in
      if try reader.null() { return .some(nil) }
      return try reader.string()
    }
  }

  enum ReferenceKey: String, JSONKey {
    case name, source, kind
    static let table = JSONKeyTable<Self>()
  }

  private mutating func reference() throws(JSONFault) -> AttributeReference? {
    let start = start
    let before = problemCount
    var name: String?
    var source: String?
    var kind: AttributeKind?
    _ = try object(ReferenceKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: name = try reader.string()
      case .source: source = try reader.string()
      case .kind:
        let start = reader.start
        guard let text = try reader.string() else { return }
        kind = AttributeKind(name: text)
        if kind == nil {
          try reader.note(.invalid("\"\(text)\" is no kind of attribute"), at: start)
        }
      }
    }
    guard problemCount == before, let name = try require(name, "name", at: start),
      let source = try require(source, "source", at: start),
      let kind = try require(kind, "kind", at: start)
    else { return nil }
    return AttributeReference(name, source: source, kind: kind)
  }

  // MARK: Devices

  enum NodeDeviceKey: String, JSONKey {
    case configuration, pipelineStage, shardings
    static let table = JSONKeyTable<Self>()
  }

  private mutating func nodeDevice() throws(JSONFault) -> NodeDevice? {
    var device = NodeDevice(configuration: "", shardings: [], pipelineStage: nil)
    _ = try object(NodeDeviceKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .configuration: device.configuration = try reader.string() ?? ""
      case .pipelineStage: device.pipelineStage = try reader.integer()
      case .shardings:
        device.shardings = try reader.list { (reader) throws(JSONFault) in try reader.sharding() }
      }
    }
    return device
  }

  enum ShardingKey: String, JSONKey {
    case tensor, devices, groups, axes
    static let table = JSONKeyTable<Self>()
  }

  private mutating func sharding() throws(JSONFault) -> Sharding? {
    var sharding = Sharding(tensor: "", devices: [], groups: [], axes: [])
    _ = try object(ShardingKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .tensor: sharding.tensor = try reader.string() ?? ""
      case .devices: sharding.devices = try reader.integers()
      case .groups:
        sharding.groups = try reader.list { (reader) throws(JSONFault) in try reader.group() }
      case .axes:
        sharding.axes = try reader.list { (reader) throws(JSONFault) in try reader.axis() }
      }
    }
    return sharding
  }

  enum GroupKey: String, JSONKey {
    case key, devices
    static let table = JSONKeyTable<Self>()
  }

  private mutating func group() throws(JSONFault) -> Sharding.Group? {
    var group = Sharding.Group(key: 0, devices: [])
    _ = try object(GroupKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .key: group.key = try reader.integer() ?? 0
      case .devices: group.devices = try reader.integers()
      }
    }
    return group
  }

  enum AxisKey: String, JSONKey {
    case axis, parts
    static let table = JSONKeyTable<Self>()
  }

  private mutating func axis() throws(JSONFault) -> Sharding.Axis? {
    var axis = Sharding.Axis(axis: 0, parts: [])
    _ = try object(AxisKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .axis: axis.axis = try reader.integer() ?? 0
      case .parts: axis.parts = try reader.list { (reader) throws(JSONFault) in try reader.part() }
      }
    }
    return axis
  }

  enum PartKey: String, JSONKey {
    case extent, count
    static let table = JSONKeyTable<Self>()
  }

  private mutating func part() throws(JSONFault) -> Sharding.Part? {
    var part = Sharding.Part(extent: .unknown, count: 0)
    _ = try object(PartKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .extent: part.extent = try reader.dimension() ?? .unknown
      case .count: part.count = try reader.integer() ?? 0
      }
    }
    return part
  }
}
