import CONNXSchema
import WherryBytes
import WherryGraph

extension ONNXReader {
  func type(_ proto: Onnx__TypeProto, _ place: Place) -> ValueType {
    let plain = plainType(proto, place)
    let meaning = text(proto.denotation)
    return meaning.isEmpty ? plain : .denoted(plain, meaning)
  }

  private func plainType(_ proto: Onnx__TypeProto, _ place: Place) -> ValueType {
    switch proto.value_case {
    case ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
      guard let tensor = proto.tensor_type?.pointee else { return .unspecified }
      guard let element = element(tensor.elem_type, place) else { return .unspecified }
      return .tensor(element, shape(tensor.shape, place))
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
      guard let tensor = proto.sparse_tensor_type?.pointee else { return .unspecified }
      guard let element = element(tensor.elem_type, place) else { return .unspecified }
      return .sparseTensor(element, shape(tensor.shape, place))
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
      return .sequence(inner(proto.sequence_type?.pointee.elem_type, place))
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
      return .optional(inner(proto.optional_type?.pointee.elem_type, place))
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
      guard let map = proto.map_type?.pointee else { return .unspecified }
      guard let key = element(map.key_type, place) else { return .unspecified }
      return .map(key: key, value: inner(map.value_type, place))
    case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
      let opaque = proto.opaque_type?.pointee
      return .opaque(domain: text(opaque?.domain), name: text(opaque?.name))
    default:
      return .unspecified
    }
  }

  private func inner(_ proto: UnsafeMutablePointer<Onnx__TypeProto>?, _ place: Place) -> ValueType {
    proto.map { type($0.pointee, place) } ?? .unspecified
  }

  /// An element type; nil for the code that says none, and after reporting an unknown one.
  private func element(_ code: Int32, _ place: Place) -> ElementType? {
    if code == 0 {
      lose(.information, "shape of a value of undefined element type", place)
      return nil
    }
    guard let element = ElementType(rawValue: code) else {
      report(.unsupported("element type \(code)"), place)
      return nil
    }
    return element
  }

  private func shape(
    _ proto: UnsafeMutablePointer<Onnx__TensorShapeProto>?, _ place: Place
  ) -> Shape? {
    guard let proto else { return nil }
    let axes = messages(proto.pointee.dim, proto.pointee.n_dim)
    var shape = Shape([])
    for axis in axes {
      switch axis.pointee.value_case {
      case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
        if axis.pointee.dim_value >= 0 {
          shape.dimensions.append(.fixed(Int(axis.pointee.dim_value)))
        } else {
          lose(.information, "extent \(axis.pointee.dim_value), read as unknown", place)
          shape.dimensions.append(.unknown)
        }
      case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
        let name = text(axis.pointee.dim_param)
        shape.dimensions.append(name.isEmpty ? .unknown : .symbolic(name))
      default:
        shape.dimensions.append(.unknown)
      }
    }
    let denotations = axes.map { text($0.pointee.denotation) }
    if denotations.contains(where: { !$0.isEmpty }) { shape.denotations = denotations }
    return shape
  }
}
