import WherryBytes
import WherryGraph
import WherryHDF5

/// Reads a model from groups, attributes and data sets of the graph layout.
enum GraphLayoutReader {
  /// Whether the root of a file says that it holds this layout.
  static func recognizes(_ root: HDF5Group) throws(DecodeError) -> Bool {
    guard let format = try root.attributes().first(where: { $0.name.text == "format" }),
      let value = try format.read().values().first, case .string(let bytes) = value
    else { return false }
    return bytes.text == GraphLayout.marker
  }

  /// - Throws: `ReadFailure` with everything wrong with the file.
  static func read(_ root: HDF5Group, _ source: ModelSource) throws(ReadFailure) -> Model {
    let context = LayoutContext(source)
    var found: Model?
    var problems: [DecodeError] = []
    do throws(DecodeError) {
      var record = try LayoutRecord(.group(root), context, Place())
      found = try model(&record)
      try record.finish()
    } catch {
      problems = [error]
    }
    problems = context.problems.filter { !problems.contains($0) } + problems
    guard problems.isEmpty, let found else { throw ReadFailure(problems) }
    return found
  }

  private static func model(_ root: inout LayoutRecord) throws(DecodeError) -> Model {
    _ = try root.text("format")
    let version = try root.integer("version") ?? 0
    guard version == GraphLayout.version else {
      throw root.error(.unsupportedVersion("\(GraphLayout.marker) \(version)"))
    }
    var metadata = Metadata()
    if var record = try root.record("metadata") {
      metadata = try self.metadata(&record)
      try record.finish()
    }
    let sets = try operatorSets(&root)
    let labels = try root.list("labels", "labels") { (record) throws(DecodeError) in
      ClassLabels(output: try record.text("output"), labels: try record.texts("labels"))
    }
    let schema = try root.list("schema", "column") { (record) throws(DecodeError) in
      try column(&record)
    }
    guard var inner = try root.record("graph") else { throw root.error(.missing("graph")) }
    let graph = try graph(&inner, depth: 0)
    try inner.finish()
    let functions = try root.list("functions", "function") { (record) throws(DecodeError) in
      try function(&record)
    }
    let training = try root.list("training", "training") { (record) throws(DecodeError) in
      try self.training(&record)
    }
    let devices = try root.list("devices", "device") { (record) throws(DecodeError) in
      DeviceConfiguration(
        name: try record.text("name"), count: try record.integer("count", Int32.self) ?? 0,
        devices: try record.texts("devices"))
    }
    return Model(
      graph: graph, functions: functions, metadata: metadata, operatorSets: sets, labels: labels,
      schema: schema, training: training, devices: devices)
  }

  private static func metadata(_ record: inout LayoutRecord) throws(DecodeError) -> Metadata {
    var metadata = Metadata()
    metadata.producerName = try record.text("producerName")
    metadata.producerVersion = try record.text("producerVersion")
    metadata.domain = try record.text("domain")
    metadata.modelVersion = try record.integer("modelVersion") ?? 0
    metadata.docString = try record.text("docString")
    metadata.irVersion = try record.integer("irVersion")
    metadata.properties = try record.properties("properties")
    return metadata
  }

  static func operatorSets(
    _ record: inout LayoutRecord
  ) throws(DecodeError) -> [OperatorSetVersion] {
    let domains = try record.texts("operatorSetDomains")
    let versions = try record.integers("operatorSetVersions") ?? []
    guard domains.count == versions.count else {
      throw record.error(.inconsistent("operatorSetDomains and operatorSetVersions"))
    }
    return zip(domains, versions).map { OperatorSetVersion($0, $1) }
  }

  private static func column(_ record: inout LayoutRecord) throws(DecodeError) -> InputColumn {
    InputColumn(
      input: try record.text("input"), index: try record.integer("index", Int.self) ?? 0,
      name: try record.text("name"), isCategorical: try record.flag("isCategorical"),
      categories: try record.texts("categories"), lowest: try record.double("lowest"),
      highest: try record.double("highest"), missing: try record.optionalText("missing"))
  }

  private static func training(_ record: inout LayoutRecord) throws(DecodeError) -> TrainingInfo {
    func graph(
      _ name: String, _ record: inout LayoutRecord
    ) throws(DecodeError) -> Graph? {
      guard var inner = try record.record(name) else { return nil }
      let graph = try self.graph(&inner, depth: 0)
      try inner.finish()
      return graph
    }
    return TrainingInfo(
      initialization: try graph("initialization", &record),
      algorithm: try graph("algorithm", &record),
      initializationBinding: try record.properties("initializationBinding"),
      updateBinding: try record.properties("updateBinding"))
  }
}
