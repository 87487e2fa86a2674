import CONNXSchema
import CProtobufC
import WherryBytes
import WherryGraph

/// The elements of a repeated message field.
func messages<T>(
  _ base: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?, _ count: Int
) -> [UnsafeMutablePointer<T>] {
  guard let base else { return [] }
  return UnsafeBufferPointer(start: base, count: count).compactMap { $0 }
}

/// The elements of a repeated scalar field.
func scalars<T>(_ base: UnsafeMutablePointer<T>?, _ count: Int) -> UnsafeBufferPointer<T> {
  base.map { UnsafeBufferPointer(start: $0, count: count) }
    ?? UnsafeBufferPointer(start: nil, count: 0)
}

/// A text field; empty when absent.
func text(_ field: UnsafeMutablePointer<CChar>?) -> String {
  field.map { String(cString: $0) } ?? ""
}

/// The elements of a repeated text field.
func texts(_ base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int) -> [String] {
  scalars(base, count).map { text($0) }
}

/// A copy of a bytes field.
func bytes(_ field: ProtobufCBinaryData) -> Bytes {
  Bytes(UnsafeRawBufferPointer(start: field.data, count: field.len))
}

/// Key and value pairs, in order.
func properties(
  _ base: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__StringStringEntryProto>?>?, _ count: Int
) -> [Property] {
  messages(base, count).map { Property(text($0.pointee.key), text($0.pointee.value)) }
}
