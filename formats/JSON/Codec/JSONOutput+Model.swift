import WherryBytes
import WherryGraph

extension JSONOutput {
  mutating func model(_ model: Model) {
    open("{")
    key("format")
    text(JSONFormat.marker)
    key("version")
    integer(JSONFormat.version)
    if model.metadata != Metadata() {
      key("metadata")
      metadata(model.metadata)
    }
    list("operatorSets", model.operatorSets) { $0.operatorSet($1) }
    list("labels", model.labels) { output, labels in
      output.open("{")
      output.key("output")
      output.text(labels.output)
      output.key("labels")
      output.texts(labels.labels)
      output.close("}")
    }
    list("schema", model.schema) { $0.column($1) }
    key("graph")
    graph(model.graph)
    list("functions", model.functions) { $0.function($1) }
    list("training", model.training) { $0.training($1) }
    list("devices", model.devices) { output, device in
      output.open("{", .inline)
      output.key("name")
      output.text(device.name)
      output.key("count")
      output.integer(device.count)
      output.key("devices")
      output.texts(device.devices)
      output.close("}")
    }
    close("}")
    if isPretty { newline() }
  }

  private mutating func metadata(_ metadata: Metadata) {
    open("{")
    optional("producerName", metadata.producerName)
    optional("producerVersion", metadata.producerVersion)
    optional("domain", metadata.domain)
    if metadata.modelVersion != 0 {
      key("modelVersion")
      integer(metadata.modelVersion)
    }
    optional("docString", metadata.docString)
    if let version = metadata.irVersion {
      key("irVersion")
      integer(version)
    }
    properties("properties", metadata.properties)
    close("}")
  }

  private mutating func column(_ column: InputColumn) {
    open("{", .inline)
    key("input")
    text(column.input)
    key("index")
    integer(column.index)
    key("name")
    text(column.name)
    if column.isCategorical {
      key("isCategorical")
      bool(true)
    }
    if !column.categories.isEmpty {
      key("categories")
      texts(column.categories)
    }
    if let lowest = column.lowest {
      key("lowest")
      double(lowest)
    }
    if let highest = column.highest {
      key("highest")
      double(highest)
    }
    if let missing = column.missing {
      key("missing")
      text(missing)
    }
    close("}")
  }

  private mutating func training(_ training: TrainingInfo) {
    open("{")
    if let initialization = training.initialization {
      key("initialization")
      graph(initialization)
    }
    if let algorithm = training.algorithm {
      key("algorithm")
      graph(algorithm)
    }
    properties("initializationBinding", training.initializationBinding)
    properties("updateBinding", training.updateBinding)
    close("}")
  }

  mutating func operatorSet(_ version: OperatorSetVersion) {
    open("{", .inline)
    key("domain")
    text(version.domain)
    key("version")
    integer(version.version)
    close("}")
  }
}

/// Members that are left out when they hold the default.
extension JSONOutput {
  mutating func optional(_ name: StaticString, _ value: String) {
    guard !value.isEmpty else { return }
    key(name)
    text(value)
  }

  mutating func list<T>(
    _ name: StaticString, _ items: [T], _ layout: Layout = .block,
    _ write: (inout JSONOutput, T) -> Void
  ) {
    guard !items.isEmpty else { return }
    key(name)
    array(items, layout, write)
  }

  mutating func array<T>(
    _ items: [T], _ layout: Layout = .block, _ write: (inout JSONOutput, T) -> Void
  ) {
    open("[", layout)
    for item in items where failure == nil {
      next()
      write(&self, item)
    }
    close("]")
  }

  mutating func texts(_ texts: [String]) { array(texts, .inline) { $0.text($1) } }

  mutating func integers(_ integers: [some FixedWidthInteger]) {
    array(integers, .inline) { $0.integer($1) }
  }

  /// An object, or, when a key stands twice, an array of pairs.
  mutating func properties(_ name: StaticString, _ properties: [Property]) {
    guard !properties.isEmpty else { return }
    key(name)
    self.properties(properties)
  }

  mutating func properties(_ properties: [Property]) {
    guard Set(properties.map(\.key)).count == properties.count else {
      array(properties) { output, property in
        output.open("[", .inline)
        output.next()
        output.text(property.key)
        output.next()
        output.text(property.value)
        output.close("]")
      }
      return
    }
    open("{")
    for property in properties {
      key(named: property.key)
      text(property.value)
    }
    close("}")
  }
}
