import CONNXSchema
import WherryBytes
import WherryGraph

extension ONNXWriter {
  func graph(_ graph: Graph, _ place: Place) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    for (index, node) in graph.nodes.enumerated() {
      pieces.append(field: 1, try self.node(node, place.inside("node", at: index, node.name)))
    }
    let arena = MessageArena()
    var head = Onnx__GraphProto()
    onnx__graph_proto__init(&head)
    head.name = arena.optional(graph.name.isEmpty && fillsNames ? "graph" : graph.name)
    head.doc_string = arena.optional(graph.docString)
    (head.n_input, head.input) = (graph.inputs.count, values(graph.inputs, arena))
    (head.n_output, head.output) = (graph.outputs.count, values(graph.outputs, arena))
    (head.n_value_info, head.value_info) = (graph.values.count, values(graph.values, arena))
    let annotations = graph.quantization.map { annotation in
      var proto = Onnx__TensorAnnotation()
      onnx__tensor_annotation__init(&proto)
      proto.tensor_name = arena.optional(annotation.value)
      (proto.n_quant_parameter_tensor_names, proto.quant_parameter_tensor_names) = (
        annotation.parameters.count, arena.properties(annotation.parameters)
      )
      return proto
    }
    (head.n_quantization_annotation, head.quantization_annotation) = (
      annotations.count, arena.messages(annotations)
    )
    (head.n_metadata_props, head.metadata_props) = (
      graph.properties.count, arena.properties(graph.properties)
    )
    pieces.append(try pack(head, arena, place))
    for (index, initializer) in graph.initializers.enumerated() {
      let here = place.inside("initializer", at: index, initializer.name)
      let about = TensorAbout(
        name: initializer.name, docString: initializer.docString, properties: initializer.properties
      )
      pieces.append(field: 5, try tensor(initializer.tensor, about, here))
    }
    for (index, initializer) in graph.sparseInitializers.enumerated() {
      let here = place.inside("sparse initializer", at: index, initializer.name)
      pieces.append(field: 15, try sparseTensor(initializer.tensor, initializer.name, here))
    }
    return pieces
  }

  func values(
    _ list: [ValueInfo], _ arena: MessageArena
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Onnx__ValueInfoProto>?>? {
    arena.messages(
      list.map { value in
        var proto = Onnx__ValueInfoProto()
        onnx__value_info_proto__init(&proto)
        proto.name = arena.optional(value.name)
        proto.doc_string = arena.optional(value.docString)
        if value.type != .unspecified { proto.type = arena.place(type(value.type, arena)) }
        (proto.n_metadata_props, proto.metadata_props) = (
          value.properties.count, arena.properties(value.properties)
        )
        return proto
      })
  }

  func function(_ function: Function, _ place: Place) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    let arena = MessageArena()
    var head = Onnx__FunctionProto()
    onnx__function_proto__init(&head)
    head.name = arena.text(function.name.name)
    head.domain = arena.text(function.name.domain)
    head.overload = arena.optional(function.overload)
    head.doc_string = arena.optional(function.docString)
    (head.n_input, head.input) = (function.inputs.count, arena.texts(function.inputs))
    (head.n_output, head.output) = (function.outputs.count, arena.texts(function.outputs))
    (head.n_attribute, head.attribute) = (
      function.requiredAttributes.count, arena.texts(function.requiredAttributes)
    )
    let sets = function.operatorSets.map { operatorSet($0, arena) }
    (head.n_opset_import, head.opset_import) = (sets.count, arena.messages(sets))
    (head.n_value_info, head.value_info) = (function.values.count, values(function.values, arena))
    (head.n_metadata_props, head.metadata_props) = (
      function.properties.count, arena.properties(function.properties)
    )
    pieces.append(try pack(head, arena, place))
    for attribute in function.attributes {
      let here = place.inside("attribute", attribute.name)
      pieces.append(field: 11, try self.attribute(attribute, doc: "", here))
    }
    for (index, node) in function.nodes.enumerated() {
      pieces.append(field: 7, try self.node(node, place.inside("node", at: index, node.name)))
    }
    return pieces
  }

  func type(_ type: ValueType, _ arena: MessageArena) -> Onnx__TypeProto {
    var proto = Onnx__TypeProto()
    onnx__type_proto__init(&proto)
    switch type {
    case .tensor(let element, let shape):
      var inner = Onnx__TypeProto__Tensor()
      onnx__type_proto__tensor__init(&inner)
      (inner.has_elem_type, inner.elem_type) = (1, element.rawValue)
      inner.shape = shape.map { arena.place(self.shape($0, arena)) }
      proto.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
      proto.tensor_type = arena.place(inner)
    case .sparseTensor(let element, let shape):
      var inner = Onnx__TypeProto__SparseTensor()
      onnx__type_proto__sparse_tensor__init(&inner)
      (inner.has_elem_type, inner.elem_type) = (1, element.rawValue)
      inner.shape = shape.map { arena.place(self.shape($0, arena)) }
      proto.value_case = ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE
      proto.sparse_tensor_type = arena.place(inner)
    case .sequence(let element):
      var inner = Onnx__TypeProto__Sequence()
      onnx__type_proto__sequence__init(&inner)
      inner.elem_type = optional(element, arena)
      proto.value_case = ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE
      proto.sequence_type = arena.place(inner)
    case .optional(let element):
      var inner = Onnx__TypeProto__Optional()
      onnx__type_proto__optional__init(&inner)
      inner.elem_type = optional(element, arena)
      proto.value_case = ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE
      proto.optional_type = arena.place(inner)
    case .map(let key, let value):
      var inner = Onnx__TypeProto__Map()
      onnx__type_proto__map__init(&inner)
      (inner.has_key_type, inner.key_type) = (1, key.rawValue)
      inner.value_type = optional(value, arena)
      proto.value_case = ONNX__TYPE_PROTO__VALUE_MAP_TYPE
      proto.map_type = arena.place(inner)
    case .opaque(let domain, let name):
      var inner = Onnx__TypeProto__Opaque()
      onnx__type_proto__opaque__init(&inner)
      (inner.domain, inner.name) = (arena.optional(domain), arena.optional(name))
      proto.value_case = ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE
      proto.opaque_type = arena.place(inner)
    case .denoted(let inner, let meaning):
      proto = self.type(inner, arena)
      proto.denotation = arena.optional(meaning)
    case .unspecified: break
    }
    return proto
  }

  private func optional(
    _ type: ValueType, _ arena: MessageArena
  ) -> UnsafeMutablePointer<Onnx__TypeProto>? {
    type == .unspecified ? nil : arena.place(self.type(type, arena))
  }

  private func shape(_ shape: Shape, _ arena: MessageArena) -> Onnx__TensorShapeProto {
    var proto = Onnx__TensorShapeProto()
    onnx__tensor_shape_proto__init(&proto)
    let axes = shape.dimensions.enumerated().map { index, dimension in
      var axis = Onnx__TensorShapeProto__Dimension()
      onnx__tensor_shape_proto__dimension__init(&axis)
      switch dimension {
      case .fixed(let extent):
        axis.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
        axis.dim_value = Int64(extent)
      case .symbolic(let name):
        axis.value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
        axis.dim_param = arena.text(name)
      case .unknown: break
      }
      if index < shape.denotations.count {
        axis.denotation = arena.optional(shape.denotations[index])
      }
      return axis
    }
    (proto.n_dim, proto.dim) = (axes.count, arena.messages(axes))
    return proto
  }
}
