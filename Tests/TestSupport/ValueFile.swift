import WherryBytes
import WherryGraph
import WherryONNX

/// Why a value file could not be read.
public struct ValueFileError: Error, CustomStringConvertible {
  public let description: String
}

/// Inputs and outputs of ONNX's test data: a `TensorProto`, `SequenceProto`, `OptionalProto`,
/// `MapProto` or `SparseTensorProto`, told apart by the type that the graph declares.
///
/// - Source: `onnx-data.proto` for field numbers.
public enum ValueFile {
  public static func read(_ bytes: Bytes, as type: ValueType) throws -> Value {
    switch type.plain {
    case .sequence(let inner): try sequence(bytes, inner)
    case .optional(let inner): try optional(bytes, inner)
    case .map(_, let inner): try map(bytes, inner, type.plain)
    case .sparseTensor: .sparse(try ONNXTensorFile.readSparse(bytes))
    default: .tensor(try ONNXTensorFile.read(bytes).tensor)
    }
  }

  /// `elem_type` 2; values in the field of their kind: tensors 3, sparse 4, sequences 5, maps 6,
  /// optionals 7.
  private static func sequence(_ bytes: Bytes, _ inner: ValueType) throws -> Value {
    var values: [Value] = []
    for field in try WireField.all(in: bytes) where (3...7).contains(field.number) {
      values.append(try read(field.bytes, as: inner))
    }
    return .sequence(values, inner)
  }

  private static func optional(_ bytes: Bytes, _ inner: ValueType) throws -> Value {
    for field in try WireField.all(in: bytes) where (3...7).contains(field.number) {
      return .optional(try read(field.bytes, as: inner), inner)
    }
    return .optional(nil, inner)
  }

  /// Integer keys 3, string keys 4, values as a sequence 5.
  private static func map(_ bytes: Bytes, _ inner: ValueType, _ type: ValueType) throws -> Value {
    var keys: [Tensor] = []
    var values: [Value] = []
    for field in try WireField.all(in: bytes) {
      switch field.number {
      case 3:
        for key in field.bytes.isEmpty ? [field.varint] : try WireField.varints(field.bytes) {
          keys += [Tensor(.int64, [], integers: [Int64(bitPattern: key)])].compactMap { $0 }
        }
      case 4: keys += [Tensor([], strings: [field.bytes])].compactMap { $0 }
      case 5:
        if case .sequence(let list, _) = try sequence(field.bytes, inner) { values = list }
      default: break
      }
    }
    guard keys.count == values.count else { throw ValueFileError(description: "map keys") }
    return .map(Dictionary(zip(keys, values), uniquingKeysWith: { a, _ in a }), type)
  }
}

/// One field of a protobuf message.
public struct WireField {
  public let number: Int
  /// The number of a varint field.
  public var varint: UInt64 = 0
  /// The content of a length-delimited field.
  public var bytes = Bytes()

  /// The fields of a message, in order.
  public static func all(in message: Bytes) throws -> [WireField] {
    var reader = ByteReader(message)
    var fields: [WireField] = []
    while !reader.isAtEnd {
      let tag = try varint(&reader)
      var field = WireField(number: Int(tag >> 3))
      switch tag & 7 {
      case 0: field.varint = try varint(&reader)
      case 1: try reader.skip(8)
      case 2: field.bytes = try reader.take(Int(clamping: try varint(&reader)))
      case 5: try reader.skip(4)
      default: throw ValueFileError(description: "wire type \(tag & 7)")
      }
      fields.append(field)
    }
    return fields
  }

  public static func varints(_ bytes: Bytes) throws -> [UInt64] {
    var reader = ByteReader(bytes)
    var values: [UInt64] = []
    while !reader.isAtEnd { values.append(try varint(&reader)) }
    return values
  }

  private static func varint(_ reader: inout ByteReader) throws -> UInt64 {
    var value: UInt64 = 0
    for position in 0..<10 {
      let byte = try reader.integer(UInt8.self)
      value |= UInt64(byte & 0x7f) << UInt64(7 * position)
      if byte < 0x80 { return value }
    }
    throw ValueFileError(description: "varint")
  }
}
