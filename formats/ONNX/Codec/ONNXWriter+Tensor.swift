import CONNXSchema
import WherryBytes
import WherryGraph

/// What stands beside a tensor's contents.
struct TensorAbout {
  var name = ""
  var docString = ""
  var properties: [Property] = []
}

extension ONNXWriter {
  func tensor(
    _ tensor: Tensor, _ about: TensorAbout, _ place: Place
  ) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    let arena = MessageArena()
    var head = Onnx__TensorProto()
    onnx__tensor_proto__init(&head)
    let shape = tensor.shape.map { Int64($0) }
    (head.n_dims, head.dims) = (shape.count, arena.list(shape))
    (head.has_data_type, head.data_type) = (1, tensor.element.rawValue)
    head.name = arena.optional(about.name)
    head.doc_string = arena.optional(about.docString)
    (head.n_metadata_props, head.metadata_props) = (
      about.properties.count, arena.properties(about.properties)
    )
    if tensor.element == .string {
      let strings = tensor.strings.map { arena.data($0) }
      (head.n_string_data, head.string_data) = (strings.count, arena.list(strings))
    }
    if let external, tensor.bytes.count >= threshold {
      let location: [Property]
      do throws(FileError) {
        location = try external.append(tensor.bytes)
      } catch {
        throw EncodeError(.file(error), place)
      }
      (head.n_external_data, head.external_data) = (location.count, arena.properties(location))
      (head.has_data_location, head.data_location) = (
        1, ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
      )
      pieces.append(try pack(head, arena, place))
    } else {
      pieces.append(try pack(head, arena, place))
      if !tensor.bytes.isEmpty { pieces.append(field: 9, tensor.bytes) }
    }
    return pieces
  }

  func sparseTensor(
    _ tensor: SparseTensor, _ name: String, _ place: Place
  ) throws(EncodeError) -> MessagePieces {
    var pieces = MessagePieces()
    let about = TensorAbout(name: name)
    pieces.append(field: 1, try self.tensor(tensor.values, about, place.inside("values")))
    pieces.append(field: 2, try self.tensor(tensor.indices, TensorAbout(), place.inside("indices")))
    let arena = MessageArena()
    var head = Onnx__SparseTensorProto()
    onnx__sparse_tensor_proto__init(&head)
    let shape = tensor.shape.map { Int64($0) }
    (head.n_dims, head.dims) = (shape.count, arena.list(shape))
    pieces.append(try pack(head, arena, place))
    return pieces
  }
}
