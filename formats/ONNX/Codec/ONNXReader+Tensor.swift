import CONNXSchema
import CProtobufC
import WherryBytes
import WherryGraph

extension ONNXReader {
  /// The contents of a `TensorProto`; nil after reporting why there are none.
  func tensor(_ proto: Onnx__TensorProto, _ place: Place) -> Tensor? {
    guard let element = ElementType(rawValue: proto.data_type) else {
      report(.unsupported("element type \(proto.data_type)"), place)
      return nil
    }
    guard proto.segment == nil else {
      report(.unsupported("tensor in segments"), place)
      return nil
    }
    let shape = scalars(proto.dims, proto.n_dims).map { Int($0) }
    guard let count = Checked.product(shape),
      element == .string || element.byteCount(of: count) != nil
    else {
      report(.invalid("shape \(shape)"), place)
      return nil
    }
    if proto.has_data_location != 0, proto.data_location.rawValue == 1 {
      report(.unsupported("external data"), place)
      return nil
    }
    let made: Tensor? =
      if element == .string {
        Tensor(shape, strings: scalars(proto.string_data, proto.n_string_data).map { bytes($0) })
      } else if proto.has_raw_data != 0 {
        Tensor(element, shape, bytes: bytes(proto.raw_data))
      } else {
        Tensor(element, shape, bytes: typedData(proto, element, place))
      }
    if made == nil { report(.inconsistent("shape \(shape) of \(element) and its data"), place) }
    return made
  }

  func sparseTensor(_ proto: Onnx__SparseTensorProto, _ place: Place) -> SparseTensor? {
    guard let values = proto.values, let indices = proto.indices else {
      report(.missing("values and indices of a sparse tensor"), place)
      return nil
    }
    guard let values = tensor(values.pointee, place.inside("values")),
      let indices = tensor(indices.pointee, place.inside("indices"))
    else { return nil }
    let shape = scalars(proto.dims, proto.n_dims).map { Int($0) }
    return SparseTensor(shape: shape, values: values, indices: indices)
  }

  /// The contents of the field that ONNX assigns to an element type, in packed form.
  private func typedData(
    _ proto: Onnx__TensorProto, _ element: ElementType, _ place: Place
  ) -> Bytes {
    switch element {
    case .float32, .complex64:
      return Bytes(UnsafeRawBufferPointer(scalars(proto.float_data, proto.n_float_data)))
    case .float64, .complex128:
      return Bytes(UnsafeRawBufferPointer(scalars(proto.double_data, proto.n_double_data)))
    case .int64:
      return Bytes(UnsafeRawBufferPointer(scalars(proto.int64_data, proto.n_int64_data)))
    case .uint64:
      return Bytes(UnsafeRawBufferPointer(scalars(proto.uint64_data, proto.n_uint64_data)))
    case .uint32:
      return narrow(scalars(proto.uint64_data, proto.n_uint64_data), UInt32.self, place)
    case .int32:
      return Bytes(UnsafeRawBufferPointer(scalars(proto.int32_data, proto.n_int32_data)))
    default:
      let words = scalars(proto.int32_data, proto.n_int32_data)
      return element.bitWidth == 16
        ? narrow(words, UInt16.self, place) : narrow(words, UInt8.self, place)
    }
  }

  /// The low bits of each number, which must fit as a signed or unsigned one.
  private func narrow<S: FixedWidthInteger, T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeBufferPointer<S>, _ type: T.Type, _ place: Place
  ) -> Bytes {
    let lowest = -(Int64(1) << Int64(T.bitWidth - 1))
    if let wrong = source.first(where: { T(exactly: $0) == nil && !($0 < 0 && $0 >= lowest) }) {
      report(.invalid("\(wrong) as an element of \(T.bitWidth) bits"), place)
    }
    let size = MemoryLayout<T>.size
    return Bytes(count: source.count * size) { target in
      for (index, number) in source.enumerated() {
        target.storeBytes(
          of: T(truncatingIfNeeded: number), toByteOffset: index * size, as: T.self)
      }
    }
  }
}
