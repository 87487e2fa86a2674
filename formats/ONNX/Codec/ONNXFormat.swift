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

  public static func recognizes(_ bytes: Bytes) -> Bool { WireRoad.looksLikeModel(bytes) }

  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    try ONNXReader(source).readModel()
  }

  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    try ONNXWriter(options).write(model, to: sink)
  }
}
