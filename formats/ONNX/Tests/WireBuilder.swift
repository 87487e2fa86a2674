import WherryBytes
import WherryGraph
import WherryOperators

@testable import WherryONNX

/// Protobuf messages by hand, for files that no writer makes.
struct WireBuilder {
  private(set) var bytes: [UInt8] = []

  func number(_ field: Int, _ value: Int64) -> WireBuilder {
    appending(Self.varint(UInt64(field) << 3) + Self.varint(UInt64(bitPattern: value)))
  }

  func bytes(_ field: Int, _ content: [UInt8]) -> WireBuilder {
    appending(
      Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(content.count)) + content)
  }

  func text(_ field: Int, _ content: String) -> WireBuilder { bytes(field, Array(content.utf8)) }

  func message(_ field: Int, _ content: WireBuilder) -> WireBuilder { bytes(field, content.bytes) }

  func appending(_ more: [UInt8]) -> WireBuilder {
    var result = self
    result.bytes += more
    return result
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  /// A model of IR version 8 and operator set 17 around a graph.
  static func model(_ graph: WireBuilder, operatorSet: Int64 = 17) -> [UInt8] {
    WireBuilder().number(1, 8).message(8, WireBuilder().number(2, operatorSet)).message(7, graph)
      .bytes
  }

  static func node(_ operation: String, _ inputs: [String], _ outputs: [String]) -> WireBuilder {
    var node = WireBuilder()
    for name in inputs { node = node.text(1, name) }
    for name in outputs { node = node.text(2, name) }
    return node.text(4, operation).text(3, "n" + (outputs.first ?? ""))
  }

  /// A float32 value of shape [2].
  static func value(_ name: String) -> WireBuilder {
    let shape = WireBuilder().message(1, WireBuilder().number(1, 2))
    let type = WireBuilder().message(1, WireBuilder().number(1, 1).message(2, shape))
    return WireBuilder().text(1, name).message(2, type)
  }

  static func tensor(_ name: String, _ shape: [Int64], _ raw: [UInt8]) -> WireBuilder {
    var tensor = WireBuilder()
    for extent in shape { tensor = tensor.number(1, extent) }
    return tensor.number(2, 1).text(8, name).bytes(9, raw)
  }

  /// `y = x + w`.
  static var sum: WireBuilder {
    WireBuilder().message(1, node("Add", ["x", "w"], ["y"])).text(2, "sum")
      .message(5, tensor("w", [2], [0, 0, 128, 63, 0, 0, 0, 64])).message(11, value("x"))
      .message(12, value("y"))
  }
}

/// The errors of a reading; none when it succeeds.
func errors(
  _ bytes: [UInt8], path: String? = nil, limits: Limits = .standard
) -> [DecodeError] {
  do {
    _ = try ONNXFormat.read(
      ModelSource(Bytes(bytes), path: path, limits: limits, operators: OperatorSet.all))
    return []
  } catch {
    return error.errors
  }
}

/// Reads a model that must be sound.
func read(_ bytes: [UInt8], path: String? = nil) throws -> Reading {
  try ONNXFormat.read(ModelSource(Bytes(bytes), path: path, operators: OperatorSet.all))
}

func written(_ model: Model, _ options: WriteOptions = WriteOptions()) throws -> [UInt8] {
  let sink = MemorySink()
  _ = try ONNXFormat.write(model, to: sink, options: options)
  return sink.bytes
}
