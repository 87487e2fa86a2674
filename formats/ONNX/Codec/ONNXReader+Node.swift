import CONNXSchema
import CProtobufC
import WherryBytes
import WherryGraph

extension ONNXReader {
  /// A node as the file has it: every operator is still unknown, its attributes those of its version.
  func node(_ proto: Onnx__NodeProto, _ place: Place) -> Node {
    let name = OperatorName(text(proto.op_type), domain: canonicalDomain(text(proto.domain)))
    var attributes: [NamedAttribute] = []
    var references: [AttributeReference] = []
    var docs: [Property] = []
    for attribute in messages(proto.attribute, proto.n_attribute) {
      let attributeName = text(attribute.pointee.name)
      let here = place.inside("attribute", attributeName)
      if attribute.pointee.doc_string != nil {
        let doc = text(attribute.pointee.doc_string)
        if !doc.isEmpty { docs.append(Property(attributeName, doc)) }
      }
      if let source = attribute.pointee.ref_attr_name, !text(source).isEmpty {
        guard let kind = kind(of: attribute.pointee) else {
          report(.missing("type of a referenced attribute"), here)
          continue
        }
        references.append(AttributeReference(attributeName, source: text(source), kind: kind))
      } else if let value = self.attribute(attribute.pointee, here) {
        attributes.append(NamedAttribute(attributeName, value))
      }
    }
    let optional = { (name: String) -> String? in name.isEmpty ? nil : name }
    return Node(
      UnknownOperator(name, attributes: attributes), name: text(proto.name),
      inputs: texts(proto.input, proto.n_input).map(optional),
      outputs: texts(proto.output, proto.n_output).map(optional),
      docString: text(proto.doc_string), overload: text(proto.overload),
      properties: properties(proto.metadata_props, proto.n_metadata_props),
      references: references, attributeDocs: docs,
      devices: messages(proto.device_configurations, proto.n_device_configurations).map {
        device($0.pointee)
      })
  }

  /// The kind an attribute states, or for files that state none, that of the field that is filled.
  func kind(of proto: Onnx__AttributeProto) -> AttributeKind? {
    if proto.has_type != 0,
      let kind = AttributeKind(rawValue: Int32(truncatingIfNeeded: proto.type.rawValue))
    {
      return kind
    }
    if proto.has_type != 0, proto.type.rawValue != 0 { return nil }
    if proto.has_f != 0 { return .float }
    if proto.has_i != 0 { return .int }
    if proto.has_s != 0 { return .string }
    if proto.t != nil { return .tensor }
    if proto.g != nil { return .graph }
    if proto.sparse_tensor != nil { return .sparseTensor }
    if proto.tp != nil { return .type }
    if proto.n_floats > 0 { return .floats }
    if proto.n_ints > 0 { return .ints }
    if proto.n_strings > 0 { return .strings }
    if proto.n_tensors > 0 { return .tensors }
    if proto.n_graphs > 0 { return .graphs }
    if proto.n_sparse_tensors > 0 { return .sparseTensors }
    return proto.n_type_protos > 0 ? .types : nil
  }

  /// How many of the fields for values are filled.
  private func filledFields(of proto: Onnx__AttributeProto) -> Int {
    let filled = [
      proto.has_f != 0, proto.has_i != 0, proto.has_s != 0, proto.t != nil, proto.g != nil,
      proto.sparse_tensor != nil, proto.tp != nil, proto.n_floats > 0, proto.n_ints > 0,
      proto.n_strings > 0, proto.n_tensors > 0, proto.n_graphs > 0, proto.n_sparse_tensors > 0,
      proto.n_type_protos > 0,
    ]
    return filled.count { $0 }
  }

  /// The value of an attribute; nil after reporting why there is none.
  func attribute(_ proto: Onnx__AttributeProto, _ place: Place) -> AttributeValue? {
    guard let kind = kind(of: proto) else {
      report(.unsupported("attribute type \(proto.type.rawValue)"), place)
      return nil
    }
    if filledFields(of: proto) > 1 { report(.inconsistent("several values"), place) }
    switch kind {
    case .float: return .float(proto.f)
    case .int: return .int(proto.i)
    case .string: return .string(bytes(proto.s))
    case .floats: return .floats(Array(scalars(proto.floats, proto.n_floats)))
    case .ints: return .ints(Array(scalars(proto.ints, proto.n_ints)))
    case .strings: return .strings(scalars(proto.strings, proto.n_strings).map { bytes($0) })
    case .tensor:
      return one(proto.t, place) { plainTensor($0, place) }.map { .tensor($0) }
    case .graph:
      return one(proto.g, place) { graph($0, place) }.map { .graph($0) }
    case .sparseTensor:
      return one(proto.sparse_tensor, place) { sparseTensor($0, place) }.map { .sparseTensor($0) }
    case .type:
      return one(proto.tp, place) { type($0, place) }.map { .type($0) }
    case .tensors:
      return .tensors(
        each(proto.tensors, proto.n_tensors, "tensor", place) { plainTensor($0, $1) })
    case .graphs:
      return .graphs(each(proto.graphs, proto.n_graphs, "graph", place) { graph($0, $1) })
    case .sparseTensors:
      return .sparseTensors(
        each(proto.sparse_tensors, proto.n_sparse_tensors, "tensor", place) { sparseTensor($0, $1) }
      )
    case .types:
      return .types(each(proto.type_protos, proto.n_type_protos, "type", place) { type($0, $1) })
    }
  }

  private func one<T, R>(
    _ message: UnsafeMutablePointer<T>?, _ place: Place, _ convert: (T) -> R?
  ) -> R? {
    guard let message else {
      report(.missing("value"), place)
      return nil
    }
    return convert(message.pointee)
  }

  private func each<T, R>(
    _ base: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?, _ count: Int, _ part: String,
    _ place: Place, _ convert: (T, Place) -> R?
  ) -> [R] {
    messages(base, count).enumerated().compactMap { index, message in
      convert(message.pointee, place.inside(part, at: index, nil))
    }
  }

  private func device(_ proto: Onnx__NodeDeviceConfigurationProto) -> NodeDevice {
    NodeDevice(
      configuration: text(proto.configuration_id),
      shardings: messages(proto.sharding_spec, proto.n_sharding_spec).map { sharding($0.pointee) },
      pipelineStage: proto.has_pipeline_stage != 0 ? proto.pipeline_stage : nil)
  }

  private func sharding(_ proto: Onnx__ShardingSpecProto) -> Sharding {
    let groups = messages(proto.index_to_device_group_map, proto.n_index_to_device_group_map)
    return Sharding(
      tensor: text(proto.tensor_name), devices: Array(scalars(proto.device, proto.n_device)),
      groups: groups.map { group in
        Sharding.Group(
          key: group.pointee.key,
          devices: Array(scalars(group.pointee.value, group.pointee.n_value)))
      },
      axes: messages(proto.sharded_dim, proto.n_sharded_dim).map { axis in
        let parts = messages(axis.pointee.simple_sharding, axis.pointee.n_simple_sharding)
        return Sharding.Axis(axis: axis.pointee.axis, parts: parts.map { part($0.pointee) })
      })
  }

  private func part(_ proto: Onnx__SimpleShardedDimProto) -> Sharding.Part {
    let extent: Dimension =
      switch proto.dim_case {
      case ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_VALUE: .fixed(Int(proto.dim_value))
      case ONNX__SIMPLE_SHARDED_DIM_PROTO__DIM_DIM_PARAM: .symbolic(text(proto.dim_param))
      default: .unknown
      }
    return Sharding.Part(extent: extent, count: proto.num_shards)
  }
}
