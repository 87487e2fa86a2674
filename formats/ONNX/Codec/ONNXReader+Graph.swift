import CONNXSchema
import WherryBytes
import WherryGraph

extension ONNXReader {
  func graph(_ proto: Onnx__GraphProto, _ place: Place) -> Graph {
    var graph = Graph(name: text(proto.name), docString: text(proto.doc_string))
    graph.inputs = values(proto.input, proto.n_input, "input", place)
    graph.outputs = values(proto.output, proto.n_output, "output", place)
    graph.values = values(proto.value_info, proto.n_value_info, "value", place)
    graph.properties = properties(proto.metadata_props, proto.n_metadata_props)
    for (index, tensor) in messages(proto.initializer, proto.n_initializer).enumerated() {
      let name = text(tensor.pointee.name)
      let here = place.inside("initializer", at: index, name)
      // One that can't be read still defines its name, so that its uses aren't reported too.
      let content = self.tensor(tensor.pointee, here) ?? Tensor(vector: [])
      graph.initializers.append(
        Initializer(
          name, content, docString: text(tensor.pointee.doc_string),
          properties: properties(tensor.pointee.metadata_props, tensor.pointee.n_metadata_props)))
    }
    let sparse = messages(proto.sparse_initializer, proto.n_sparse_initializer)
    for (index, tensor) in sparse.enumerated() {
      let name = text(tensor.pointee.values?.pointee.name)
      let here = place.inside("sparse initializer", at: index, name)
      let none = SparseTensor(shape: [0], values: Tensor(vector: []), indices: Tensor(vector: []))
      let content = sparseTensor(tensor.pointee, here) ?? none
      graph.sparseInitializers.append(SparseInitializer(name, content))
    }
    for (index, node) in messages(proto.node, proto.n_node).enumerated() {
      let here = place.inside("node", at: index, text(node.pointee.name))
      graph.nodes.append(self.node(node.pointee, here))
    }
    let annotations = messages(proto.quantization_annotation, proto.n_quantization_annotation)
    graph.quantization = annotations.map { annotation in
      QuantizationAnnotation(
        value: text(annotation.pointee.tensor_name),
        parameters: properties(
          annotation.pointee.quant_parameter_tensor_names,
          annotation.pointee.n_quant_parameter_tensor_names))
    }
    return graph
  }

  func values(
    _ base: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__ValueInfoProto>?>?, _ count: Int,
    _ part: String, _ place: Place
  ) -> [ValueInfo] {
    messages(base, count).enumerated().map { index, info in
      let name = text(info.pointee.name)
      let here = place.inside(part, at: index, name)
      return ValueInfo(
        name, info.pointee.type.map { type($0.pointee, here) } ?? .unspecified,
        docString: text(info.pointee.doc_string),
        properties: properties(info.pointee.metadata_props, info.pointee.n_metadata_props))
    }
  }

  func function(_ proto: Onnx__FunctionProto, _ place: Place) -> Function {
    var function = Function(
      OperatorName(text(proto.name), domain: canonicalDomain(text(proto.domain))),
      overload: text(proto.overload), docString: text(proto.doc_string),
      inputs: texts(proto.input, proto.n_input), outputs: texts(proto.output, proto.n_output),
      requiredAttributes: texts(proto.attribute, proto.n_attribute), nodes: [],
      values: values(proto.value_info, proto.n_value_info, "value", place),
      operatorSets: operatorSets(proto.opset_import, proto.n_opset_import, place),
      properties: properties(proto.metadata_props, proto.n_metadata_props))
    for attribute in messages(proto.attribute_proto, proto.n_attribute_proto) {
      let name = text(attribute.pointee.name)
      if let value = self.attribute(attribute.pointee, place.inside("attribute", name)) {
        function.attributes.append(NamedAttribute(name, value))
      }
    }
    for (index, node) in messages(proto.node, proto.n_node).enumerated() {
      let here = place.inside("node", at: index, text(node.pointee.name))
      function.nodes.append(self.node(node.pointee, here))
    }
    return function
  }
}
