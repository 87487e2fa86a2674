import WherryBytes
import WherryGraph

/// ONNX: models of IR version 1 to 14 with operator sets up to the newest one known.
///
/// - Source: ONNX IR specification; `onnx.proto` for the wire form.
public enum ONNXFormat: ModelFormat {
  public static let name = "onnx"
  public static let extensions = ["onnx"]
  public static let summary = "ONNX models, IR version 1 to 14"

  /// Newest IR version that is read and written.
  public static let newestIRVersion: Int64 = 14

  public static func recognizes(_ bytes: Bytes) -> Bool {
    // ModelProto is usually written in field order, so that it begins with `ir_version`.
    guard let tag = bytes.byte(0), let version = bytes.byte(1) else { return false }
    return tag == 0x08 && version >= 1 && version < 0x40
  }

  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    try ONNXReader(source).readModel()
  }

  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    throw EncodeError(.inexpressible("ONNX"))
  }
}
