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
    let before = problems.count
    let made: Tensor? =
      if element == .string {
        Tensor(shape, strings: scalars(proto.string_data, proto.n_string_data).map { bytes($0) })
      } else if proto.has_data_location != 0, proto.data_location.rawValue == 1 {
        externalTensor(proto, element, shape, place)
      } else if let raw = marked(WireScan.rawDataNumber, proto) {
        Tensor(element, shape, bytes: raw)
      } else {
        Tensor(element, shape, bytes: typedData(proto, element, place))
      }
    if made == nil, problems.count == before {
      report(.inconsistent("shape \(shape) of \(element) and its data"), place)
    }
    return made
  }

  private func externalTensor(
    _ proto: Onnx__TensorProto, _ element: ElementType, _ shape: [Int], _ place: Place
  ) -> Tensor? {
    guard let count = Checked.product(shape), let size = element.byteCount(of: count) else {
      return nil
    }
    do throws(ExternalDataProblem) {
      let bytes = try external.read(
        properties(proto.external_data, proto.n_external_data), size: size)
      return Tensor(element, shape, bytes: bytes)
    } catch {
      report(error.reason, place)
      return nil
    }
  }

  /// The tensor of an attribute, which keeps no name of its own.
  func plainTensor(_ proto: Onnx__TensorProto, _ place: Place) -> Tensor? {
    if !text(proto.name).isEmpty || !text(proto.doc_string).isEmpty || proto.n_metadata_props > 0 {
      unnamed = ((unnamed?.count ?? 0) + 1, unnamed?.first ?? place)
    }
    return tensor(proto, place)
  }

  /// The part of the source that a marker in the skeleton stands for.
  private func marked(_ number: Int, _ proto: Onnx__TensorProto) -> Bytes? {
    let fields = scalars(proto.base.unknown_fields, Int(proto.base.n_unknown_fields))
    guard let field = fields.last(where: { $0.tag == UInt32(number) }), let data = field.data
    else { return nil }
    // libprotobuf-c keeps the length prefix of one byte.
    let raw = UnsafeRawBufferPointer(start: data, count: field.len)
    guard raw.count == 17 else { return nil }
    let offset = Int(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 1, as: UInt64.self)))
    let count = Int(UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 9, as: UInt64.self)))
    return source.bytes.slice(offset..<offset + count)
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
    let message = marked(WireScan.typedDataNumber, proto)
    switch element {
    case .float32, .complex64:
      return message.map { fixed(4, $0) }
        ?? Bytes(UnsafeRawBufferPointer(scalars(proto.float_data, proto.n_float_data)))
    case .float64, .complex128:
      return message.map { fixed(10, $0) }
        ?? Bytes(UnsafeRawBufferPointer(scalars(proto.double_data, proto.n_double_data)))
    case .int64:
      let numbers = message.map { varints(7, $0, place).map { Int64(bitPattern: $0) } }
      return narrow(
        numbers ?? Array(scalars(proto.int64_data, proto.n_int64_data)), Int64.self, place)
    case .uint64:
      return narrow(unsigned(proto, message, place), UInt64.self, place)
    case .uint32:
      return narrow(unsigned(proto, message, place), UInt32.self, place)
    default:
      let numbers = message.map { varints(5, $0, place).map { Int32(truncatingIfNeeded: $0) } }
      let words = numbers ?? Array(scalars(proto.int32_data, proto.n_int32_data))
      switch element.bitWidth {
      case 32: return narrow(words, Int32.self, place)
      case 16: return narrow(words, UInt16.self, place)
      default: return narrow(words, UInt8.self, place)
      }
    }
  }

  private func unsigned(
    _ proto: Onnx__TensorProto, _ message: Bytes?, _ place: Place
  ) -> [UInt64] {
    message.map { varints(11, $0, place) } ?? Array(scalars(proto.uint64_data, proto.n_uint64_data))
  }

  /// The content of a field of fixed-width numbers; shared with the source where it is in one piece.
  private func fixed(_ number: Int, _ message: Bytes) -> Bytes {
    var pieces: [Bytes] = []
    message.withUnsafeBytes { raw in
      var cursor = WireCursor(raw, 0..<raw.count)
      while !cursor.isAtEnd, let field = try? cursor.next() {
        guard field.number == number, let piece = message.slice(field.content) else { continue }
        pieces.append(piece)
      }
    }
    return pieces.count == 1 ? pieces[0] : Bytes(pieces.flatMap(\.array))
  }

  /// The numbers of a varint field, packed or not.
  private func varints(_ number: Int, _ message: Bytes, _ place: Place) -> [UInt64] {
    var numbers: [UInt64] = []
    message.withUnsafeBytes { raw in
      do throws(WireCursor.Problem) {
        var cursor = WireCursor(raw, 0..<raw.count)
        while !cursor.isAtEnd {
          let field = try cursor.next()
          guard field.number == number else { continue }
          guard field.wireType == 2 else {
            numbers.append(field.varint)
            continue
          }
          var inner = WireCursor(raw, field.content)
          while !inner.isAtEnd { numbers.append(try inner.varint()) }
        }
      } catch {
        report(error.error.reason, place)
      }
    }
    return numbers
  }

  /// The low bits of each number, which must fit as a signed or unsigned one.
  private func narrow<S: FixedWidthInteger, T: FixedWidthInteger & BitwiseCopyable>(
    _ source: [S], _ type: T.Type, _ place: Place
  ) -> Bytes {
    if S.self == T.self { return source.withUnsafeBytes { Bytes($0) } }
    let lowest = -(Int64(1) << Int64(min(T.bitWidth, 63) - 1))
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
