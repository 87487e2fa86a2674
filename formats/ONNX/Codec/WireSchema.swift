import CONNXSchema
import CProtobufC

/// The messages of ONNX and their fields, as tables made from the generated descriptors.
struct WireSchema: Sendable {
  /// How a field stands in the bytes.
  enum Kind: Sendable {
    case varint, fixed32, fixed64, text, bytes, message
  }

  struct Field: Sendable {
    let number: Int
    let name: String
    let kind: Kind
    let isRepeated: Bool
    /// One of several fields of which a message has at most one.
    let isChoice: Bool
    /// Index of the field's message.
    var message = 0
  }

  struct Message: Sendable {
    let name: String
    /// Bytes of the unpacked structure.
    let size: Int
    /// By number; numbers are small in ONNX.
    var fields: [Field?]

    func field(_ number: Int) -> Field? {
      number < fields.count ? fields[number] : nil
    }

    /// The field that names such a message in places.
    var nameField: Field? { fields.lazy.compactMap { $0 }.first { $0.name == "name" } }
  }

  private(set) var messages: [Message] = []

  static let shared = WireSchema()
  static let model = 0
  static let tensor = shared.index(of: "TensorProto")
  static let sparseTensor = shared.index(of: "SparseTensorProto")
  static let node = shared.index(of: "NodeProto")

  func index(of name: String) -> Int { messages.firstIndex { $0.name == name } ?? 0 }

  private init() {
    var pending = [onnx__model_proto__descriptor]
    var known: [String: Int] = ["onnx.ModelProto": 0]
    var done = 0
    while done < pending.count {
      let descriptor = pending[done]
      done += 1
      var message = Message(
        name: String(cString: descriptor.short_name), size: descriptor.sizeof_message, fields: [])
      for field in UnsafeBufferPointer(start: descriptor.fields, count: Int(descriptor.n_fields)) {
        var made = Field(
          number: Int(field.id), name: String(cString: field.name), kind: Self.kind(field.type),
          isRepeated: field.label == PROTOBUF_C_LABEL_REPEATED, isChoice: field.flags & 4 != 0)
        if made.kind == .message, let inner = field.descriptor {
          let target = inner.load(as: ProtobufCMessageDescriptor.self)
          let name = String(cString: target.name)
          made.message = known[name] ?? pending.count
          if known.updateValue(made.message, forKey: name) == nil { pending.append(target) }
        }
        while message.fields.count <= made.number { message.fields.append(nil) }
        message.fields[made.number] = made
      }
      messages.append(message)
    }
  }

  private static func kind(_ type: ProtobufCType) -> Kind {
    switch type {
    case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32: .fixed32
    case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64: .fixed64
    case PROTOBUF_C_TYPE_STRING: .text
    case PROTOBUF_C_TYPE_BYTES: .bytes
    case PROTOBUF_C_TYPE_MESSAGE: .message
    default: .varint
    }
  }
}
