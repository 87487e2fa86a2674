import WherryBytes
import WherryGraph
import WherryHDF5

/// Writes any model as groups, attributes and data sets; nothing is lost.
enum GraphLayoutWriter {
  /// - Throws: `.invalid` for a negative extent and for an attribute that stands twice in a node;
  ///   `.file` when the sink fails.
  static func write(_ model: Model, to sink: any ByteSink) throws(EncodeError) {
    try HDF5Writer.write(try root(model).group, to: sink)
  }

  private static func root(_ model: Model) throws(EncodeError) -> RecordDraft {
    var root = RecordDraft()
    root.text("format", GraphLayout.marker)
    root.put("version", .integer(GraphLayout.version))
    if model.metadata != Metadata() { root.put("metadata", metadata(model.metadata)) }
    operatorSets(model.operatorSets, into: &root)
    try root.list("labels", model.labels) { (labels, _) in
      var record = RecordDraft(isSmall: true)
      record.text("output", labels.output)
      record.texts("labels", labels.labels)
      return record
    }
    try root.list("schema", model.schema) { (column, _) in self.column(column) }
    root.put("graph", try graph(model.graph, Place().inside("graph")))
    try root.list("functions", model.functions) { (function, index) throws(EncodeError) in
      let place = Place().inside("function", at: index, function.name.description)
      return try self.function(function, place)
    }
    try root.list("training", model.training) { (training, index) throws(EncodeError) in
      try self.training(training, Place().inside("training", at: index, nil))
    }
    try root.list("devices", model.devices) { (device, _) in
      var record = RecordDraft(isSmall: true)
      record.text("name", device.name)
      record.put("count", .integer(Int64(device.count)))
      record.texts("devices", device.devices)
      return record
    }
    return root
  }

  private static func metadata(_ metadata: Metadata) -> RecordDraft {
    var record = RecordDraft()
    record.text("producerName", metadata.producerName)
    record.text("producerVersion", metadata.producerVersion)
    record.text("domain", metadata.domain)
    if metadata.modelVersion != 0 { record.put("modelVersion", .integer(metadata.modelVersion)) }
    record.text("docString", metadata.docString)
    if let version = metadata.irVersion { record.put("irVersion", .integer(version)) }
    record.properties("properties", metadata.properties)
    return record
  }

  static func operatorSets(_ sets: [OperatorSetVersion], into record: inout RecordDraft) {
    guard !sets.isEmpty else { return }
    record.texts("operatorSetDomains", sets.map(\.domain))
    record.put("operatorSetVersions", RecordDraft.value(sets.map(\.version)))
  }

  private static func column(_ column: InputColumn) -> RecordDraft {
    var record = RecordDraft(isSmall: true)
    record.text("input", column.input)
    record.put("index", .integer(Int64(column.index)))
    record.text("name", column.name)
    record.flag("isCategorical", column.isCategorical)
    record.texts("categories", column.categories)
    if let lowest = column.lowest { record.put("lowest", RecordDraft.value(lowest)) }
    if let highest = column.highest { record.put("highest", RecordDraft.value(highest)) }
    if let missing = column.missing {
      record.put("missing", RecordDraft.value(Bytes(Array(missing.utf8))))
    }
    return record
  }

  private static func training(
    _ training: TrainingInfo, _ place: Place
  ) throws(EncodeError) -> RecordDraft {
    var record = RecordDraft()
    if let initialization = training.initialization {
      record.put("initialization", try graph(initialization, place.inside("initialization")))
    }
    if let algorithm = training.algorithm {
      record.put("algorithm", try graph(algorithm, place.inside("algorithm")))
    }
    record.properties("initializationBinding", training.initializationBinding)
    record.properties("updateBinding", training.updateBinding)
    return record
  }
}
