import WherryBytes
import WherryGraph

/// Measures a message before libprotobuf-c, which recurses and copies, gets to see it.
///
/// One iterative pass checks nesting, lengths, wire types and text, and builds a *skeleton*: the same
/// message with the contents of tensors replaced by where they lie in the source. A replaced content
/// is a field of a number that ONNX doesn't use; genuine fields of unknown numbers are left out of
/// the skeleton and reported, so that the two can't be confused.
struct WireScan {
  /// Stands for `TensorProto.raw_data`: offset and length, 8 bytes each.
  static let rawDataNumber = 10_000
  /// Stands for numbers in a typed field of a tensor: offset and length of the tensor's message.
  static let typedDataNumber = 10_001
  /// Typed fields of at least this many bytes stay in the source.
  static let keptBytes = 256

  private(set) var skeleton: [UInt8] = []
  private(set) var problems: [DecodeError] = []
  private(set) var losses: [Loss] = []

  private let source: UnsafeRawBufferPointer
  private let limits: Limits
  private let schema = WireSchema.shared
  private var frames: [Frame] = []
  private var expanded = 0

  /// One message that is being walked.
  private struct Frame {
    let message: Int
    var cursor: WireCursor
    /// Where the message's field begins in the enclosing message.
    let start: Int
    /// Where its length stands in the skeleton.
    let lengthSlot: Int?
    /// Numbers of the single fields met, and bit 0 for a member of a choice.
    var seen: UInt64 = 0
    var count = 0
    var hasTypedData = false
  }

  /// Scans a whole message of the schema's index `root`.
  static func scan(_ bytes: Bytes, root: Int, limits: Limits) -> WireScan {
    bytes.withUnsafeBytes { raw in
      var scan = WireScan(raw, limits)
      scan.run(root)
      return scan
    }
  }

  private init(_ source: UnsafeRawBufferPointer, _ limits: Limits) {
    (self.source, self.limits) = (source, limits)
  }

  private mutating func run(_ root: Int) {
    push(
      Frame(message: root, cursor: WireCursor(source, 0..<source.count), start: 0, lengthSlot: nil))
    do throws(WireCursor.Problem) {
      while let top = frames.indices.last {
        guard !frames[top].cursor.isAtEnd else {
          if let slot = frames[top].lengthSlot { patchLength(at: slot) }
          frames.removeLast()
          continue
        }
        try visit(try frames[top].cursor.next())
      }
    } catch {
      report(error)
    }
  }

  private mutating func push(_ frame: Frame) {
    frames.append(frame)
    expanded += schema.messages[frame.message].size
  }

  private mutating func visit(_ field: WireCursor.Field) throws(WireCursor.Problem) {
    let top = frames.count - 1
    let message = schema.messages[frames[top].message]
    frames[top].count += 1
    guard frames[top].count <= limits.elements else {
      stop(.limit("elements", limits.elements), at: field)
      return
    }
    guard expanded <= limits.expandedBytes else {
      stop(.limit("bytes of unpacked messages", limits.expandedBytes), at: field)
      return
    }
    guard let known = message.field(field.number) else {
      if losses.count < limits.problems {
        losses.append(
          Loss(.information, "field \(field.number) of \(message.name)", place(of: field, nil)))
      }
      return
    }
    guard fits(field.wireType, known) else {
      add(.invalid("wire type \(field.wireType) of \(known.name)"), field, known)
      return
    }
    if !known.isRepeated, known.kind == .message || known.isChoice {
      let bit: UInt64 = 1 << (known.isChoice ? 0 : UInt64(known.number))
      if frames[top].seen & bit != 0 { add(.duplicate(known.name), field, known) }
      frames[top].seen |= bit
    }
    switch known.kind {
    case .message:
      guard frames.count < limits.depth else {
        stop(.limit("nested messages", limits.depth), at: field)
        return
      }
      appendTag(field.number, 2)
      let slot = skeleton.count
      skeleton += [0x80, 0x80, 0x80, 0x80, 0]
      push(
        Frame(
          message: known.message, cursor: WireCursor(source, field.content), start: field.start,
          lengthSlot: slot))
    case .text:
      check(field, known)
      copy(field)
    case .bytes:
      if frames[top].message == WireSchema.tensor, known.name == "raw_data" {
        appendMarker(Self.rawDataNumber, field.content)
      } else {
        copy(field)
      }
    default:
      try visitNumbers(field, known)
    }
  }

  private mutating func visitNumbers(
    _ field: WireCursor.Field, _ known: WireSchema.Field
  ) throws(WireCursor.Problem) {
    let top = frames.count - 1
    guard field.wireType == 2 else {
      copy(field)
      return
    }
    let width = known.kind == .fixed32 ? 4 : known.kind == .fixed64 ? 8 : 1
    guard field.content.count % width == 0 else {
      add(.invalid("\(field.content.count) bytes of \(known.name)"), field, known)
      return
    }
    if field.content.count >= Self.keptBytes, frames[top].message == WireSchema.tensor,
      known.name.hasSuffix("_data")
    {
      if !frames[top].hasTypedData {
        let range = contentStart(frames[top])..<frames[top].cursor.end
        appendMarker(Self.typedDataNumber, range)
      }
      frames[top].hasTypedData = true
      return
    }
    if known.kind == .varint {
      var numbers = WireCursor(source, field.content)
      while !numbers.isAtEnd { _ = try numbers.varint() }
    }
    copy(field)
  }

  /// Where the content of a frame's message begins.
  private func contentStart(_ frame: Frame) -> Int {
    guard frame.lengthSlot != nil else { return 0 }
    var cursor = WireCursor(source, frame.start..<frame.cursor.end)
    return (try? cursor.next())?.content.lowerBound ?? frame.start
  }

  private func fits(_ wireType: UInt8, _ field: WireSchema.Field) -> Bool {
    switch field.kind {
    case .varint: wireType == 0 || (wireType == 2 && field.isRepeated)
    case .fixed32: wireType == 5 || (wireType == 2 && field.isRepeated)
    case .fixed64: wireType == 1 || (wireType == 2 && field.isRepeated)
    case .text, .bytes, .message: wireType == 2
    }
  }

  /// Text is UTF-8 without zero bytes, which C strings can't hold.
  private mutating func check(_ field: WireCursor.Field, _ known: WireSchema.Field) {
    let bytes = UnsafeRawBufferPointer(rebasing: source[field.content])
    if bytes.contains(0) {
      add(.unsupported("zero byte in text"), field, known)
    } else if bytes.contains(where: { $0 >= 0x80 }), String(validating: bytes, as: UTF8.self) == nil
    {
      add(.notUTF8, field, known)
    }
  }

  // MARK: Problems

  private mutating func add(
    _ reason: DecodeError.Reason, _ field: WireCursor.Field, _ known: WireSchema.Field
  ) {
    guard problems.count < limits.problems else { return }
    problems.append(DecodeError(reason, place(of: field, known)))
  }

  private mutating func stop(_ reason: DecodeError.Reason, at field: WireCursor.Field) {
    problems.append(DecodeError(reason, place(of: field, nil)))
    frames = []
  }

  private mutating func report(_ problem: WireCursor.Problem) {
    var error = problem.error
    error.place.road = road
    problems.append(error)
    frames = []
  }

  private func place(of field: WireCursor.Field, _ known: WireSchema.Field?) -> Place {
    var steps = road
    if let known, known.kind != .message { steps.append(.named(known.name, nil)) }
    return Place(.byte(field.start), road: steps)
  }

  /// The road to the message that is being walked.
  private var road: [Place.Step] {
    var road: [Place.Step] = []
    for (outer, inner) in zip(frames, frames.dropFirst()) {
      let step = WireRoad(source).step(
        to: inner.start, in: outer.message, from: contentStart(outer))
      if let step { road.append(step) }
    }
    return road
  }

  // MARK: Skeleton

  private mutating func copy(_ field: WireCursor.Field) {
    if field.wireType == 2 {
      appendTag(field.number, 2)
      appendVarint(UInt64(field.content.count))
    } else {
      appendTag(field.number, field.wireType)
    }
    skeleton.append(contentsOf: UnsafeRawBufferPointer(rebasing: source[field.content]))
  }

  private mutating func appendMarker(_ number: Int, _ range: Range<Int>) {
    appendTag(number, 2)
    appendVarint(16)
    for value in [UInt64(range.lowerBound), UInt64(range.count)] {
      withUnsafeBytes(of: value.littleEndian) { skeleton.append(contentsOf: $0) }
    }
  }

  private mutating func appendTag(_ number: Int, _ wireType: UInt8) {
    appendVarint(UInt64(number) << 3 | UInt64(wireType))
  }

  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      skeleton.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    skeleton.append(UInt8(rest))
  }

  /// Fills in a message's length, always in five bytes.
  private mutating func patchLength(at slot: Int) {
    var length = UInt64(skeleton.count - slot - 5)
    if length >= 1 << 31 {
      problems.append(DecodeError(.limit("bytes of one message", 1 << 31), Place(road: road)))
      return
    }
    for position in 0..<5 {
      skeleton[slot + position] = UInt8(length & 0x7f) | (position < 4 ? 0x80 : 0)
      length >>= 7
    }
  }
}
