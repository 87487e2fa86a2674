import WherryBytes
import WherryGraph

/// Translates between byte offsets of a message and the road through the model; only walked for
/// the sake of a message to the user.
struct WireRoad {
  private let source: UnsafeRawBufferPointer
  private let schema = WireSchema.shared
  /// The message that the source is.
  private let root: Int

  init(_ source: UnsafeRawBufferPointer, root: Int = WireSchema.model) {
    (self.source, self.root) = (source, root)
  }

  /// Whether the first fields are those of a model: known ones, and among them one that no other
  /// kind of file is likely to begin with.
  static func looksLikeModel(_ bytes: Bytes) -> Bool {
    bytes.withUnsafeBytes { raw in
      let model = WireSchema.shared.messages[WireSchema.model]
      var cursor = WireCursor(raw, 0..<raw.count)
      var isModel = false
      for _ in 0..<16 where !cursor.isAtEnd {
        let start = cursor.offset
        guard let tag = try? cursor.varint(longest: 5), let known = model.field(Int(tag >> 3)),
          tag & 7 == (known.kind == .varint ? 0 : 2)
        else { return false }
        cursor.offset = start
        // A field that the file cuts off still counts.
        guard let field = try? cursor.next() else { return isModel }
        if known.name == "ir_version", field.varint < 1 || field.varint > 1 << 10 { return false }
        isModel = isModel || ["ir_version", "graph", "opset_import"].contains(known.name)
      }
      return isModel
    }
  }

  /// The step from a message to the field that begins at `offset`; nil for a field that adds nothing
  /// to the road.
  func step(to offset: Int, in message: Int, from start: Int) -> Place.Step? {
    var cursor = WireCursor(source, start..<source.count)
    var counts: [Int: Int] = [:]
    while cursor.offset <= offset, let field = try? cursor.next() {
      if field.start == offset {
        guard let known = schema.messages[message].field(field.number) else { return nil }
        return step(known, counts[field.number] ?? 0, name(of: field, known))
      }
      counts[field.number, default: 0] += 1
    }
    // The field's own length may be broken; its number is still readable.
    cursor = WireCursor(source, offset..<source.count)
    guard let tag = try? cursor.varint(longest: 5),
      let known = schema.messages[message].field(Int(tag >> 3))
    else { return nil }
    return step(known, counts[known.number] ?? 0, nil)
  }

  private func step(_ field: WireSchema.Field, _ index: Int, _ name: String?) -> Place.Step? {
    switch field.name {
    case "t", "g", "sparse_tensor", "tp", "type": nil
    case "attribute", "attribute_proto": .named("attribute", name)
    case _ where field.isRepeated: .indexed(Self.part(field), index, name)
    default: .named(Self.part(field), nil)
    }
  }

  /// What places call a field.
  static func part(_ field: WireSchema.Field) -> String {
    switch field.name {
    case "value_info": "value"
    case "sparse_initializer": "sparse initializer"
    case "functions": "function"
    case "training_info": "training"
    case "tensors", "sparse_tensors": "tensor"
    case "graphs": "graph"
    case "type_protos": "type"
    default: field.name
    }
  }

  /// The name that a message gives itself.
  private func name(of field: WireCursor.Field, _ known: WireSchema.Field) -> String? {
    guard known.kind == .message else { return nil }
    let message = schema.messages[known.message]
    if message.name == "SparseTensorProto" {
      guard let values = first(1, in: field.content) else { return nil }
      return text(WireSchema.tensor, values)
    }
    return text(known.message, field.content)
  }

  private func text(_ message: Int, _ range: Range<Int>) -> String? {
    guard let nameField = schema.messages[message].nameField,
      let found = first(nameField.number, in: range)
    else { return nil }
    return String(decoding: UnsafeRawBufferPointer(rebasing: source[found]), as: UTF8.self)
  }

  private func first(_ number: Int, in range: Range<Int>) -> Range<Int>? {
    var cursor = WireCursor(source, range)
    while !cursor.isAtEnd, let field = try? cursor.next() {
      if field.number == number, field.wireType == 2 { return field.content }
    }
    return nil
  }

  /// The offset of the field that a road from the model leads to, or of the last step that can be
  /// found.
  func offset(of road: [Place.Step]) -> Int? {
    var message = root
    var range = 0..<source.count
    var best: Int?
    for step in road {
      guard let (field, known) = find(step, in: message, range) else { break }
      best = field.start
      guard known.kind == .message else { break }
      (message, range) = (known.message, field.content)
      // Attributes hold their value one message further inside.
      while schema.messages[message].name == "AttributeProto", let (inner, value) = value(in: range)
      {
        (message, range) = (value.message, inner.content)
      }
    }
    return best
  }

  private func value(in range: Range<Int>) -> (WireCursor.Field, WireSchema.Field)? {
    let attribute = schema.messages[schema.index(of: "AttributeProto")]
    var cursor = WireCursor(source, range)
    while !cursor.isAtEnd, let field = try? cursor.next() {
      if let known = attribute.field(field.number), known.kind == .message, !known.isRepeated {
        return (field, known)
      }
    }
    return nil
  }

  private func find(
    _ step: Place.Step, in message: Int, _ range: Range<Int>
  ) -> (WireCursor.Field, WireSchema.Field)? {
    let fields = schema.messages[message].fields
    var cursor = WireCursor(source, range)
    var counts: [Int: Int] = [:]
    while !cursor.isAtEnd, let field = try? cursor.next() {
      guard field.number < fields.count, let known = fields[field.number] else { continue }
      let index = counts[field.number] ?? 0
      counts[field.number] = index + 1
      switch step {
      case .indexed(let part, let wanted, _):
        if Self.part(known) == part, index == wanted { return (field, known) }
      case .named(let part, let wanted):
        let isPart =
          Self.part(known) == part || (part == "attribute" && known.name == "attribute_proto")
        if isPart, wanted == nil || name(of: field, known) == wanted { return (field, known) }
      }
    }
    return nil
  }
}
