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
    let found = try reader.unpack(
      root: WireSchema.tensor, { onnx__tensor_proto__unpack(nil, $0, $1) },
      { onnx__tensor_proto__free_unpacked($0, nil) },
      { (text($0.name), reader.tensor($0, Place())) })
    guard let tensor = found.1 else {
      reader.locate(from: WireSchema.tensor)
      throw ReadFailure(reader.problems)
    }
    return (found.0, tensor)
  }

  /// Reads one `SparseTensorProto`.
  ///
  /// - Throws: `ReadFailure` when the bytes are no sparse tensor or need a second file.
  public static func readSparse(
    _ bytes: Bytes, limits: Limits = .standard
  ) throws(ReadFailure) -> SparseTensor {
    let reader = ONNXReader(ModelSource(bytes, limits: limits, operators: OperatorTable([])))
    let found = try reader.unpack(
      root: WireSchema.sparseTensor, { onnx__sparse_tensor_proto__unpack(nil, $0, $1) },
      { onnx__sparse_tensor_proto__free_unpacked($0, nil) },
      { reader.sparseTensor($0, Place()) })
    guard let tensor = found else {
      reader.locate(from: WireSchema.sparseTensor)
      throw ReadFailure(reader.problems)
    }
    return tensor
  }
}
