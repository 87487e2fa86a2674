import CONNXSchema
import CProtobufC
import WherryBytes
import WherryGraph

/// Memory for the structures of one message on its way through libprotobuf-c; freed with the arena.
final class MessageArena {
  private var blocks: [UnsafeMutableRawPointer] = []
  /// Whether a text held a zero byte, which C strings can't.
  private(set) var hasZeroByte = false

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// A copy of a structure at an address of its own.
  func place<T>(_ value: T) -> UnsafeMutablePointer<T> {
    let pointer = UnsafeMutablePointer<T>.allocate(capacity: 1)
    pointer.initialize(to: value)
    blocks.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  /// A copy of a list; nil when it is empty.
  func list<T>(_ values: [T]) -> UnsafeMutablePointer<T>? {
    guard !values.isEmpty else { return nil }
    let pointer = UnsafeMutablePointer<T>.allocate(capacity: values.count)
    pointer.initialize(from: values, count: values.count)
    blocks.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  /// A list of pointers to copies of structures.
  func messages<T>(
    _ values: [T]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<T>?>? {
    list(values.map { Optional(place($0)) })
  }

  /// Text that is always written.
  func text(_ string: String) -> UnsafeMutablePointer<CChar>? {
    if string.utf8.contains(0) { hasZeroByte = true }
    return list(string.utf8CString.map { $0 })
  }

  /// Text that is left out when empty.
  func optional(_ string: String) -> UnsafeMutablePointer<CChar>? {
    string.isEmpty ? nil : text(string)
  }

  func texts(_ strings: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    list(strings.map { text($0) })
  }

  func data(_ bytes: Bytes) -> ProtobufCBinaryData {
    ProtobufCBinaryData(len: bytes.count, data: list(bytes.array))
  }

  func properties(
    _ list: [Property]
  ) -> UnsafeMutablePointer<UnsafeMutablePointer<Onnx__StringStringEntryProto>?>? {
    messages(
      list.map { property in
        var entry = Onnx__StringStringEntryProto()
        onnx__string_string_entry_proto__init(&entry)
        entry.key = text(property.key)
        entry.value = text(property.value)
        return entry
      })
  }

  /// The bytes of a message whose structure begins with `ProtobufCMessage`.
  func pack<T>(_ message: T) -> [UInt8] {
    withUnsafePointer(to: message) { pointer in
      pointer.withMemoryRebound(to: ProtobufCMessage.self, capacity: 1) { base in
        let size = protobuf_c_message_get_packed_size(base)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
          count = buffer.baseAddress.map { protobuf_c_message_pack(base, $0) } ?? 0
        }
      }
    }
  }
}
