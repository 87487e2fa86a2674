import WherryBytes
import WherryGraph
import WherryHDF5

extension GraphLayoutReader {
  /// - Parameter depth: how many graphs and types this one lies in.
  static func graph(_ record: inout LayoutRecord, depth: Int) throws(DecodeError) -> Graph {
    try check(depth, record)
    var graph = Graph()
    graph.name = try record.text("name")
    graph.docString = try record.text("docString")
    graph.properties = try record.properties("properties")
    graph.inputs = try values("inputs", "input", &record, depth)
    graph.outputs = try values("outputs", "output", &record, depth)
    graph.values = try values("values", "value", &record, depth)
    graph.nodes = try record.list("nodes", "node") { (record) throws(DecodeError) in
      try node(&record, depth: depth)
    }
    graph.quantization = try record.list("quantization", "quantization") {
      (record) throws(DecodeError) in
      QuantizationAnnotation(
        value: try record.text("value"), parameters: try record.properties("parameters"))
    }
    graph.initializers = try record.list("initializers", "initializer") {
      (record) throws(DecodeError) in
      Initializer(
        try record.text("name"), try tensor(&record), docString: try record.text("docString"),
        properties: try record.properties("properties"))
    }
    graph.sparseInitializers = try record.list("sparseInitializers", "sparse initializer") {
      (record) throws(DecodeError) in
      SparseInitializer(try record.text("name"), try sparseTensor(&record))
    }
    return graph
  }

  static func check(_ depth: Int, _ record: LayoutRecord) throws(DecodeError) {
    let most = record.context.source.limits.depth
    guard depth <= most else { throw record.error(.limit("levels", most)) }
  }

  private static func values(
    _ name: String, _ part: String, _ record: inout LayoutRecord, _ depth: Int
  ) throws(DecodeError) -> [ValueInfo] {
    try record.list(name, part) { (record) throws(DecodeError) in
      ValueInfo(
        try record.text("name"), try type(&record, depth: depth),
        docString: try record.text("docString"), properties: try record.properties("properties"))
    }
  }

  static func function(_ record: inout LayoutRecord) throws(DecodeError) -> Function {
    Function(
      OperatorName(try record.text("name"), domain: try record.text("domain")),
      overload: try record.text("overload"), docString: try record.text("docString"),
      inputs: try record.texts("inputs"), outputs: try record.texts("outputs"),
      requiredAttributes: try record.texts("requiredAttributes"),
      attributes: try attributes(&record, depth: 0),
      nodes: try record.list("nodes", "node") { (record) throws(DecodeError) in
        try node(&record, depth: 0)
      },
      values: try values("values", "value", &record, 0),
      operatorSets: try operatorSets(&record),
      properties: try record.properties("properties"))
  }

  // MARK: Types

  static func type(_ record: inout LayoutRecord, depth: Int) throws(DecodeError) -> ValueType {
    try check(depth, record)
    func inner(_ record: inout LayoutRecord) throws(DecodeError) -> ValueType {
      guard var inner = try record.record("of") else { throw record.error(.missing("of")) }
      let type = try type(&inner, depth: depth + 1)
      try inner.finish()
      return type
    }
    switch try record.optionalText("type") {
    case nil: return .unspecified
    case "tensor": return .tensor(try element("element", &record), try shape(&record))
    case "sparseTensor": return .sparseTensor(try element("element", &record), try shape(&record))
    case "sequence": return .sequence(try inner(&record))
    case "optional": return .optional(try inner(&record))
    case "map": return .map(key: try element("key", &record), value: try inner(&record))
    case "opaque":
      return .opaque(
        domain: try record.text("opaqueDomain"), name: try record.text("opaqueName"))
    case "denoted":
      let meaning = try record.text("meaning")
      return .denoted(try inner(&record), meaning)
    case let name?: throw record.error(.invalid("type \"\(name)\""))
    }
  }

  private static func element(
    _ name: String, _ record: inout LayoutRecord
  ) throws(DecodeError) -> ElementType {
    let text = try record.text(name)
    guard let element = ElementType(name: text) else {
      throw record.error(.invalid("element type \"\(text)\""))
    }
    return element
  }

  private static func shape(_ record: inout LayoutRecord) throws(DecodeError) -> Shape? {
    guard let dimensions = try extents(&record) else { return nil }
    return Shape(dimensions, denotations: try record.texts("denotations"))
  }

  static func extents(_ record: inout LayoutRecord) throws(DecodeError) -> [Dimension]? {
    guard let extents = try record.integers("extents") else { return nil }
    var symbols = try record.texts("symbols").makeIterator()
    var dimensions: [Dimension] = []
    for extent in extents {
      switch extent {
      case GraphLayout.unknownExtent: dimensions.append(.unknown)
      case GraphLayout.symbolicExtent:
        guard let symbol = symbols.next() else { throw record.error(.missing("symbols")) }
        dimensions.append(.symbolic(symbol))
      case 0...: dimensions.append(.fixed(Int(extent)))
      default: throw record.error(.invalid("extent \(extent)"))
      }
    }
    guard symbols.next() == nil else { throw record.error(.inconsistent("extents and symbols")) }
    return dimensions
  }

  // MARK: Tensors

  static func tensor(_ record: inout LayoutRecord) throws(DecodeError) -> Tensor {
    guard let dataset = record.dataset else {
      throw record.error(.invalid("tensor that is a group"))
    }
    if dataset.chunkShape != nil {
      try record.context.spend(dataset.storedSize ?? .max, record.place)
    }
    let array = try dataset.read()
    let name = try record.optionalText("element")
    var shape = array.shape
    if let stated = try record.integers("shape") {
      shape = []
      for extent in stated {
        guard extent >= 0 else { throw record.error(.invalid("extent \(extent)")) }
        shape?.append(Int(extent))
      }
    }
    guard let shape else { throw record.error(.invalid("tensor without elements")) }
    let tensor: Tensor?
    switch array.type {
    case .string, .variableString, .sequence:
      tensor = Tensor(shape, strings: try record.strings(array, "tensor"))
    default:
      let element: ElementType? =
        if let name { ElementType(name: name) } else { GraphLayout.element(of: array.type) }
      guard let element, name == nil || array.type == .uint8 else {
        throw record.error(.unsupported("type of a tensor"))
      }
      tensor = Tensor(element, shape, bytes: array.bytes)
    }
    guard let tensor else { throw record.error(.inconsistent("elements and shape of a tensor")) }
    return tensor
  }

  static func sparseTensor(_ record: inout LayoutRecord) throws(DecodeError) -> SparseTensor {
    func part(
      _ name: String, _ record: inout LayoutRecord
    ) throws(DecodeError) -> Tensor {
      guard var inner = try record.record(name) else { throw record.error(.missing(name)) }
      let tensor = try tensor(&inner)
      try inner.finish()
      return tensor
    }
    var shape: [Int] = []
    for extent in try record.integers("shape") ?? [] { shape.append(Int(extent)) }
    return SparseTensor(
      shape: shape, values: try part("values", &record), indices: try part("indices", &record))
  }
}
