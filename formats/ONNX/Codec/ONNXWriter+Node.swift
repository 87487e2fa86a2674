import CONNXSchema
import CProtobufC
import WherryBytes
import WherryGraph

extension ONNXWriter {
  func node(_ node: Node, _ place: Place) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    let arena = MessageArena()
    var head = Onnx__NodeProto()
    onnx__node_proto__init(&head)
    (head.n_input, head.input) = (node.inputs.count, arena.texts(node.inputs.map { $0 ?? "" }))
    (head.n_output, head.output) = (node.outputs.count, arena.texts(node.outputs.map { $0 ?? "" }))
    head.name = arena.optional(node.name)
    head.op_type = arena.text(node.operation.name.name)
    head.domain = arena.optional(node.operation.name.domain)
    head.overload = arena.optional(node.overload)
    head.doc_string = arena.optional(node.docString)
    (head.n_metadata_props, head.metadata_props) = (
      node.properties.count, arena.properties(node.properties)
    )
    let devices = node.devices.map { device($0, arena) }
    (head.n_device_configurations, head.device_configurations) = (
      devices.count, arena.messages(devices)
    )
    pieces.append(try pack(head, arena, place))
    let docs = Dictionary(
      node.attributeDocs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    var written: Set<String> = []
    for attribute in node.operation.attributes {
      let here = place.inside("attribute", attribute.name)
      written.insert(attribute.name)
      pieces.append(
        field: 5, try self.attribute(attribute, doc: docs[attribute.name] ?? "", here))
    }
    for reference in node.references {
      written.insert(reference.name)
      pieces.append(
        field: 5,
        try self.reference(
          reference, doc: docs[reference.name] ?? "", place.inside("attribute", reference.name)))
    }
    for name in docs.keys.sorted() where !written.contains(name) {
      let here = place.inside("attribute", name)
      losses.append(Loss(.information, "doc string of an attribute that is not written", here))
    }
    return pieces
  }

  private func reference(
    _ reference: AttributeReference, doc: String, _ place: Place
  ) throws(EncodeError) -> [UInt8] {
    let arena = MessageArena()
    var proto = Onnx__AttributeProto()
    onnx__attribute_proto__init(&proto)
    proto.name = arena.text(reference.name)
    proto.doc_string = arena.optional(doc)
    proto.ref_attr_name = arena.text(reference.source)
    (proto.has_type, proto.type) = (1, code(reference.kind))
    return try pack(proto, arena, place)
  }

  private func code(_ kind: AttributeKind) -> Onnx__AttributeProto__AttributeType {
    Onnx__AttributeProto__AttributeType(rawValue: UInt32(kind.rawValue))
  }

  func attribute(
    _ attribute: NamedAttribute, doc: String, _ place: Place
  ) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    let arena = MessageArena()
    var head = Onnx__AttributeProto()
    onnx__attribute_proto__init(&head)
    head.name = arena.text(attribute.name)
    head.doc_string = arena.optional(doc)
    (head.has_type, head.type) = (1, code(attribute.value.kind))
    switch attribute.value {
    case .float(let value): (head.has_f, head.f) = (1, value)
    case .int(let value): (head.has_i, head.i) = (1, value)
    case .string(let value): (head.has_s, head.s) = (1, arena.data(value))
    case .floats(let values): (head.n_floats, head.floats) = (values.count, arena.list(values))
    case .ints(let values): (head.n_ints, head.ints) = (values.count, arena.list(values))
    case .strings(let values):
      (head.n_strings, head.strings) = (values.count, arena.list(values.map { arena.data($0) }))
    case .type(let value): head.tp = arena.place(type(value, arena))
    case .types(let values):
      (head.n_type_protos, head.type_protos) = (
        values.count, arena.messages(values.map { type($0, arena) })
      )
    case .tensor, .graph, .sparseTensor, .tensors, .graphs, .sparseTensors: break
    }
    pieces.append(try pack(head, arena, place))
    switch attribute.value {
    case .tensor(let value): pieces.append(field: 5, try tensor(value, TensorAbout(), place))
    case .graph(let value): pieces.append(field: 6, try graph(value, place))
    case .sparseTensor(let value): pieces.append(field: 22, try sparseTensor(value, "", place))
    case .tensors(let values):
      for (index, value) in values.enumerated() {
        let here = place.inside("tensor", at: index, nil)
        pieces.append(field: 10, try tensor(value, TensorAbout(), here))
      }
    case .graphs(let values):
      for (index, value) in values.enumerated() {
        pieces.append(field: 11, try graph(value, place.inside("graph", at: index, nil)))
      }
    case .sparseTensors(let values):
      for (index, value) in values.enumerated() {
        let here = place.inside("tensor", at: index, nil)
        pieces.append(field: 23, try sparseTensor(value, "", here))
      }
    default: break
    }
    return pieces
  }

  private func device(
    _ device: NodeDevice, _ arena: MessageArena
  ) -> Onnx__NodeDeviceConfigurationProto {
    var proto = Onnx__NodeDeviceConfigurationProto()
    onnx__node_device_configuration_proto__init(&proto)
    proto.configuration_id = arena.optional(device.configuration)
    if let stage = device.pipelineStage {
      (proto.has_pipeline_stage, proto.pipeline_stage) = (1, stage)
    }
    let shardings = device.shardings.map { sharding($0, arena) }
    (proto.n_sharding_spec, proto.sharding_spec) = (shardings.count, arena.messages(shardings))
    return proto
  }

  private func sharding(_ sharding: Sharding, _ arena: MessageArena) -> Onnx__ShardingSpecProto {
    var proto = Onnx__ShardingSpecProto()
    onnx__sharding_spec_proto__init(&proto)
    proto.tensor_name = arena.optional(sharding.tensor)
    (proto.n_device, proto.device) = (sharding.devices.count, arena.list(sharding.devices))
    let groups = sharding.groups.map { group in
      var entry = Onnx__IntIntListEntryProto()
      onnx__int_int_list_entry_proto__init(&entry)
      (entry.has_key, entry.key) = (1, group.key)
      (entry.n_value, entry.value) = (group.devices.count, arena.list(group.devices))
      return entry
    }
    (proto.n_index_to_device_group_map, proto.index_to_device_group_map) = (
      groups.count, arena.messages(groups)
    )
    let axes = sharding.axes.map { axis in
      var entry = Onnx__ShardedDimProto()
      onnx__sharded_dim_proto__init(&entry)
      (entry.has_axis, entry.axis) = (1, axis.axis)
      let parts = axis.parts.map { part($0, arena) }
      (entry.n_simple_sharding, entry.simple_sharding) = (parts.count, arena.messages(parts))
      return entry
    }
    (proto.n_sharded_dim, proto.sharded_dim) = (axes.count, arena.messages(axes))
    return proto
  }

  private func part(_ part: Sharding.Part, _ arena: MessageArena) -> Onnx__SimpleShardedDimProto {
    var proto = Onnx__SimpleShardedDimProto()
    onnx__simple_sharded_dim_proto__init(&proto)
    (proto.has_num_shards, proto.num_shards) = (1, part.count)
    switch part.extent {
    case .fixed(let extent):
      proto.dim_case = ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_VALUE
      proto.dim_value = Int64(extent)
    case .symbolic(let name):
      proto.dim_case = ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_PARAM
      proto.dim_param = arena.text(name)
    case .unknown: break
    }
    return proto
  }
}
