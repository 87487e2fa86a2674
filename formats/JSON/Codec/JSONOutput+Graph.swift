import WherryBytes
import WherryGraph

extension JSONOutput {
  mutating func graph(_ graph: Graph) {
    open("{")
    optional("name", graph.name)
    optional("docString", graph.docString)
    list("inputs", graph.inputs) { $0.valueInfo($1) }
    list("outputs", graph.outputs) { $0.valueInfo($1) }
    list("nodes", graph.nodes) { $0.node($1) }
    list("values", graph.values) { $0.valueInfo($1) }
    list("quantization", graph.quantization) { output, annotation in
      output.open("{")
      output.key("value")
      output.text(annotation.value)
      output.properties("parameters", annotation.parameters)
      output.close("}")
    }
    list("initializers", graph.initializers) { output, initializer in
      output.open("{")
      output.key("name")
      output.text(initializer.name)
      output.optional("docString", initializer.docString)
      output.properties("properties", initializer.properties)
      output.key("tensor")
      output.tensor(initializer.tensor)
      output.close("}")
    }
    list("sparseInitializers", graph.sparseInitializers) { output, initializer in
      output.open("{")
      output.key("name")
      output.text(initializer.name)
      output.key("tensor")
      output.sparseTensor(initializer.tensor)
      output.close("}")
    }
    properties("properties", graph.properties)
    close("}")
  }

  mutating func valueInfo(_ value: ValueInfo) {
    let isPlain = value.docString.isEmpty && value.properties.isEmpty
    open("{", isPlain ? .inline : .block)
    key("name")
    text(value.name)
    if value.type != .unspecified {
      key("type")
      type(value.type)
    }
    optional("docString", value.docString)
    properties("properties", value.properties)
    close("}")
  }

  mutating func function(_ function: Function) {
    open("{")
    key("name")
    text(function.name.name)
    optional("domain", function.name.domain)
    optional("overload", function.overload)
    optional("docString", function.docString)
    key("inputs")
    texts(function.inputs)
    key("outputs")
    texts(function.outputs)
    if !function.requiredAttributes.isEmpty {
      key("requiredAttributes")
      texts(function.requiredAttributes)
    }
    attributes(
      function.attributes, Place().inside("function", function.name.description))
    list("nodes", function.nodes) { $0.node($1) }
    list("values", function.values) { $0.valueInfo($1) }
    list("operatorSets", function.operatorSets) { $0.operatorSet($1) }
    properties("properties", function.properties)
    close("}")
  }

  mutating func type(_ type: ValueType) {
    switch type {
    case .tensor(let element, let shape):
      open("{", .inline)
      key("tensor")
      text(element.name)
      self.shape(shape)
    case .sparseTensor(let element, let shape):
      open("{", .inline)
      key("sparseTensor")
      text(element.name)
      self.shape(shape)
    case .sequence(let type):
      open("{", .inline)
      key("sequence")
      self.type(type)
    case .optional(let type):
      open("{", .inline)
      key("optional")
      self.type(type)
    case .map(let mapKey, let value):
      open("{", .inline)
      key("map")
      open("{", .inline)
      key("key")
      text(mapKey.name)
      key("value")
      self.type(value)
      close("}")
    case .opaque(let domain, let name):
      open("{", .inline)
      key("opaque")
      open("{", .inline)
      key("domain")
      text(domain)
      key("name")
      text(name)
      close("}")
    case .denoted(let type, let meaning):
      open("{", .inline)
      key("denoted")
      self.type(type)
      key("as")
      text(meaning)
    case .unspecified:
      raw("null")
      return
    }
    close("}")
  }

  private mutating func shape(_ shape: Shape?) {
    guard let shape else { return }
    key("shape")
    array(shape.dimensions, .inline) { $0.dimension($1) }
    if !shape.denotations.isEmpty {
      key("denotations")
      texts(shape.denotations)
    }
  }

  mutating func dimension(_ dimension: Dimension) {
    switch dimension {
    case .symbolic(let name): text(name)
    case .unknown: raw("null")
    case .fixed(let extent):
      if extent < 0 { fail(EncodeError(.invalid("an extent of \(extent)"))) }
      guard extent.magnitude > Self.exactInteger else {
        integer(extent)
        return
      }
      // A plain string is a symbolic name.
      open("{", .inline)
      key("extent")
      integer(extent)
      close("}")
    }
  }
}
