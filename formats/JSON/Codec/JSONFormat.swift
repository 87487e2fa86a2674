import WherryBytes
import WherryGraph

/// Models as JSON text that people can read, compare and edit; nothing is lost.
///
/// - Source: `formats/JSON/README.md` and `formats/JSON/model.schema.json`.
public enum JSONFormat: ModelFormat {
  public static let name = "json"
  public static let extensions = ["json"]
  public static let summary = "JSON text with a published schema; lossless"

  /// The value of `format` in every document.
  static let marker = "wherry-json"
  /// The value of `version` in documents of this writer.
  static let version = 1
  /// How many bytes are looked at to recognize a document.
  private static let recognizedBytes = 1024

  public static func recognizes(_ bytes: Bytes) -> Bool {
    bytes.withUnsafeBytes { raw in
      let start = raw.prefix(recognizedBytes).drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
      guard start.first == UInt8(ascii: "{") else { return false }
      return start.hasRun(Array("\"format\"".utf8)) && start.hasRun(Array("\"\(marker)\"".utf8))
    }
  }

  /// Reads a model.
  ///
  /// - Throws: `ReadFailure` with every problem found, each with its line and column: text that is not
  ///   JSON or ends early, keys that are unknown or stand twice, values of the wrong kind or range,
  ///   attributes that don't fit their operator, names that refer to nothing.
  public static func read(_ source: ModelSource) throws(ReadFailure) -> Reading {
    guard source.bytes.count <= source.limits.fileBytes else {
      throw ReadFailure(DecodeError(.limit("bytes", source.limits.fileBytes), .line(1, column: 1)))
    }
    return try source.bytes.withUnsafeBytes { (raw) throws(ReadFailure) in
      Reading(try JSONReader.document(source, raw))
    }
  }

  /// Writes a model, small tensors as decimals and others as base64.
  ///
  /// - Returns: nothing is ever lost.
  /// - Throws: `EncodeError.invalid` for a negative extent and for an attribute that stands twice in a
  ///   node; `.file` when the sink fails.
  public static func write(
    _ model: Model, to sink: any ByteSink, options: WriteOptions
  ) throws(EncodeError) -> [Loss] {
    var output = JSONOutput(sink, options)
    output.expect(model)
    output.model(model)
    try output.finish()
    return []
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate func hasRun(_ run: [UInt8]) -> Bool {
    indices.contains { self[$0...].starts(with: run) }
  }
}
