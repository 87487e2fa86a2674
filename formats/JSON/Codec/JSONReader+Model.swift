import WherryBytes
import WherryGraph

extension JSONReader {
  enum DocumentKey: String, JSONKey {
    case schemaReference = "$schema"
    case format, version, metadata, operatorSets, labels, schema, graph, functions, training,
      devices
    static let table = JSONKeyTable<Self>()
  }

  /// Reads a whole document.
  ///
  /// - Throws: everything that is wrong with it.
  static func document(
    _ source: ModelSource, _ raw: UnsafeRawBufferPointer
  ) throws(ReadFailure) -> Model {
    guard let cursor = JSONCursor(raw) else {
      throw ReadFailure(DecodeError(.truncated(needed: 1, available: 0), .line(1, column: 1)))
    }
    var reader = JSONReader(source, cursor)
    var result: Model?
    do throws(JSONFault) {
      result = try reader.document()
    } catch {
      reader.end(error)
    }
    guard let model = result else { throw ReadFailure(reader.errors()) }
    let violations = model.violations
    guard violations.isEmpty else {
      throw ReadFailure(Array(violations.prefix(max(source.limits.problems, 1))))
    }
    return model
  }

  private mutating func document() throws(JSONFault) -> Model? {
    cursor.skipSpace()
    let start = cursor.at
    var format: String?
    var version: Int?
    var model = Model(graph: Graph())
    var graph: Graph?
    _ = try object(DocumentKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .schemaReference: _ = try reader.string()
      case .format: format = try reader.format()
      case .version: version = try reader.version()
      case .metadata: model.metadata = try reader.metadata()
      case .operatorSets: model.operatorSets = try reader.operatorSets()
      case .labels:
        model.labels = try reader.parts("labels") { (reader) throws(JSONFault) in
          try reader.labels()
        }
      case .schema:
        model.schema = try reader.parts("column") { (reader) throws(JSONFault) in
          try reader.column()
        }
      case .graph:
        graph = try reader.inside(.named("graph", nil)) { (reader) throws(JSONFault) in
          try reader.graph()
        }
      case .functions:
        model.functions = try reader.parts("function") { (reader) throws(JSONFault) in
          try reader.function()
        }
      case .training:
        model.training = try reader.parts("training") { (reader) throws(JSONFault) in
          try reader.training()
        }
      case .devices:
        model.devices = try reader.parts("device") { (reader) throws(JSONFault) in
          try reader.device()
        }
      }
    }
    cursor.skipSpace()
    guard cursor.at == cursor.count else { throw cursor.unexpected("text after the document") }
    if format == nil { try note(.notThisFormat("a \(JSONFormat.marker) document"), at: start) }
    _ = try require(version, "version", at: start)
    if let graph = try require(graph, "graph", at: start) { model.graph = graph }
    return problemCount == 0 ? model : nil
  }

  private mutating func format() throws(JSONFault) -> String? {
    cursor.skipSpace()
    let start = cursor.at
    guard let format = try string() else { return nil }
    guard format == JSONFormat.marker else {
      throw JSONFault(reason: .notThisFormat("a \(JSONFormat.marker) document"), offset: start)
    }
    return format
  }

  private mutating func version() throws(JSONFault) -> Int? {
    cursor.skipSpace()
    let start = cursor.at
    guard let version = try integer(Int.self) else { return nil }
    guard version == JSONFormat.version else {
      throw JSONFault(reason: .unsupportedVersion("\(version)"), offset: start)
    }
    return version
  }

  enum MetadataKey: String, JSONKey {
    case producerName, producerVersion, domain, modelVersion, docString, irVersion, properties
    static let table = JSONKeyTable<Self>()
  }

  private mutating func metadata() throws(JSONFault) -> Metadata {
    var metadata = Metadata()
    _ = try object(MetadataKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .producerName: metadata.producerName = try reader.string() ?? ""
      case .producerVersion: metadata.producerVersion = try reader.string() ?? ""
      case .domain: metadata.domain = try reader.string() ?? ""
      case .modelVersion: metadata.modelVersion = try reader.integer() ?? 0
      case .docString: metadata.docString = try reader.string() ?? ""
      case .irVersion: metadata.irVersion = try reader.integer()
      case .properties: metadata.properties = try reader.properties()
      }
    }
    return metadata
  }

  enum OperatorSetKey: String, JSONKey {
    case domain, version
    static let table = JSONKeyTable<Self>()
  }

  mutating func operatorSets() throws(JSONFault) -> [OperatorSetVersion] {
    try list { (reader) throws(JSONFault) in
      var domain = ""
      var version: Int64?
      let start = reader.start
      _ = try reader.object(OperatorSetKey.self) { (reader, key) throws(JSONFault) in
        switch key {
        case .domain: domain = try reader.string() ?? ""
        case .version: version = try reader.integer()
        }
      }
      return try reader.require(version, "version", at: start)
        .map { OperatorSetVersion(domain, $0) }
    }
  }

  enum LabelsKey: String, JSONKey {
    case output, labels
    static let table = JSONKeyTable<Self>()
  }

  private mutating func labels() throws(JSONFault) -> ClassLabels? {
    var output: String?
    var labels: [String] = []
    let start = start
    _ = try object(LabelsKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .output: output = try reader.string()
      case .labels: labels = try reader.strings()
      }
    }
    return try require(output, "output", at: start).map { ClassLabels(output: $0, labels: labels) }
  }

  enum ColumnKey: String, JSONKey {
    case input, index, name, isCategorical, categories, lowest, highest, missing
    static let table = JSONKeyTable<Self>()
  }

  private mutating func column() throws(JSONFault) -> InputColumn? {
    var input: String?
    var index: Int?
    var column = InputColumn(input: "", index: 0, name: "")
    let powers = PowersOfTen.table
    let start = start
    _ = try object(ColumnKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .input: input = try reader.string()
      case .index: index = try reader.integer()
      case .name: column.name = try reader.string() ?? ""
      case .isCategorical: column.isCategorical = try reader.bool() ?? false
      case .categories: column.categories = try reader.strings()
      case .lowest: column.lowest = try reader.double(powers)
      case .highest: column.highest = try reader.double(powers)
      case .missing: column.missing = try reader.string()
      }
    }
    guard let input = try require(input, "input", at: start),
      let index = try require(index, "index", at: start)
    else { return nil }
    (column.input, column.index) = (input, index)
    return column
  }

  enum TrainingKey: String, JSONKey {
    case initialization, algorithm, initializationBinding, updateBinding
    static let table = JSONKeyTable<Self>()
  }

  private mutating func training() throws(JSONFault) -> TrainingInfo? {
    var training = TrainingInfo(
      initialization: nil, algorithm: nil, initializationBinding: [], updateBinding: [])
    _ = try object(TrainingKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .initialization:
        training.initialization = try reader.inside(.named("initialization", nil)) {
          (reader) throws(JSONFault) in try reader.graph()
        }
      case .algorithm:
        training.algorithm = try reader.inside(.named("algorithm", nil)) {
          (reader) throws(JSONFault) in try reader.graph()
        }
      case .initializationBinding: training.initializationBinding = try reader.properties()
      case .updateBinding: training.updateBinding = try reader.properties()
      }
    }
    return training
  }

  enum DeviceKey: String, JSONKey {
    case name, count, devices
    static let table = JSONKeyTable<Self>()
  }

  private mutating func device() throws(JSONFault) -> DeviceConfiguration? {
    var device = DeviceConfiguration(name: "", count: 0, devices: [])
    _ = try object(DeviceKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .name: device.name = try reader.string() ?? ""
      case .count: device.count = try reader.integer() ?? 0
      case .devices: device.devices = try reader.strings()
      }
    }
    return device
  }
}
