import CONNXSchema
import WherryBytes
import WherryGraph

/// Single tensors as ONNX stores them in files of their own, such as `input_0.pb`.
public enum ONNXTensorFile {
  /// Reads one `TensorProto`.
  ///
  /// - Throws: `ReadFailure` when the bytes are no tensor or need a second file.
  public static func read(
    _ bytes: Bytes, limits: Limits = .standard
  ) throws(ReadFailure) -> (name: String, tensor: Tensor) {
    let reader = ONNXReader(ModelSource(bytes, limits: limits, operators: OperatorTable([])))
    let found = reader.unpack(
      bytes, { onnx__tensor_proto__unpack(nil, $0, $1) },
      { onnx__tensor_proto__free_unpacked($0, nil) },
      { (text($0.name), reader.tensor($0, Place().inside("tensor"))) })
    guard let found else { throw ReadFailure(DecodeError(.invalid("protobuf message"))) }
    guard let tensor = found.1 else { throw ReadFailure(reader.problems) }
    return (found.0, tensor)
  }

  /// Reads one `SparseTensorProto`.
  ///
  /// - Throws: `ReadFailure` when the bytes are no sparse tensor or need a second file.
  public static func readSparse(
    _ bytes: Bytes, limits: Limits = .standard
  ) throws(ReadFailure) -> SparseTensor {
    let reader = ONNXReader(ModelSource(bytes, limits: limits, operators: OperatorTable([])))
    let found = reader.unpack(
      bytes, { onnx__sparse_tensor_proto__unpack(nil, $0, $1) },
      { onnx__sparse_tensor_proto__free_unpacked($0, nil) },
      { reader.sparseTensor($0, Place().inside("tensor")) })
    guard let found else { throw ReadFailure(DecodeError(.invalid("protobuf message"))) }
    guard let tensor = found else { throw ReadFailure(reader.problems) }
    return tensor
  }
}
