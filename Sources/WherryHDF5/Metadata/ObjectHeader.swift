import WherryBytes

/// One message of an object header, still encoded.
struct HeaderMessage: Sendable {
  let kind: Int
  let isShared: Bool
  let body: Bytes
  /// Where `body` starts in the whole file.
  let origin: Int
  /// Position in order of creation, where the header keeps it.
  let creationOrder: Int?

  enum Kind {
    static let dataspace = 0x01
    static let linkInfo = 0x02
    static let datatype = 0x03
    static let oldFillValue = 0x04
    static let fillValue = 0x05
    static let link = 0x06
    static let externalFiles = 0x07
    static let layout = 0x08
    static let groupInfo = 0x0A
    static let filters = 0x0B
    static let attribute = 0x0C
    static let sharedTable = 0x0F
    static let continuation = 0x10
    static let symbolTable = 0x11
    static let driverInfo = 0x14
    static let attributeInfo = 0x15
    static let cacheImage = 0x18
    static let newest = 0x18
  }
}

/// The messages that describe one object: group, data set or committed type.
///
/// - Source: HDF5 File Format Specification 3.0, section IV.A.
struct ObjectHeader: Sendable {
  let address: Int
  let messages: [HeaderMessage]

  func first(_ kind: Int) -> HeaderMessage? { messages.first { $0.kind == kind } }
  func all(_ kind: Int) -> [HeaderMessage] { messages.filter { $0.kind == kind } }

  /// - Throws: `DecodeError` for a malformed header, a wrong checksum or a chain of continuations
  ///   that comes back to itself.
  static func read(at address: Int, _ reading: Reading) throws(DecodeError) -> ObjectHeader {
    var parser = try Parser(address: address, reading: reading)
    while let block = parser.pending.popLast() { try parser.parse(block) }
    return ObjectHeader(address: address, messages: parser.messages)
  }

  private struct Block {
    let address: Int
    let size: Int
  }

  private struct Parser {
    let reading: Reading
    /// Version 2 has signatures and checksums and may keep orders of creation.
    let isNew: Bool
    var hasCreationOrder = false
    var messages: [HeaderMessage] = []
    var pending: [Block] = []
    var seen: Set<Int> = []

    init(address: Int, reading: Reading) throws(DecodeError) {
      self.reading = reading
      var fields = try reading.fields(at: address, count: 4)
      isNew = try fields.take(4).array == Array("OHDR".utf8)
      seen.insert(address)
      if isNew { try readNewPrefix(address) } else { try readOldPrefix(address) }
    }

    private mutating func readOldPrefix(_ address: Int) throws(DecodeError) {
      var fields = try reading.fields(at: address, count: 16)
      _ = try fields.version(1...1, of: "object header")
      try fields.skip(7)
      let size = try fields.u32()
      try parseMessages(try reading.fields(at: address + 16, count: size))
    }

    private mutating func readNewPrefix(_ address: Int) throws(DecodeError) {
      var fields = try reading.fields(at: address, count: 6)
      try fields.skip(4)
      _ = try fields.version(2...2, of: "object header")
      let flags = try fields.u8()
      hasCreationOrder = flags & 4 != 0
      let before = 6 + (flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0)
      let width = 1 << (flags & 3)
      var sizeField = try reading.fields(at: address + before, count: width)
      let size = try sizeField.count(width: width)
      guard let total = Checked.add(size, before + width + 4) else {
        throw DecodeError(.invalid("object header size"), reading.image.place(address))
      }
      var block = try reading.checkedFields(at: address, count: total, "object header")
      try block.skip(before + width)
      try parseMessages(block)
    }

    mutating func parse(_ block: Block) throws(DecodeError) {
      guard seen.insert(block.address).inserted else {
        throw DecodeError(
          .invalid("object header continuation that comes back"), reading.image.place(block.address)
        )
      }
      guard isNew else {
        return try parseMessages(try reading.fields(at: block.address, count: block.size))
      }
      var fields = try reading.checkedFields(
        at: block.address, count: block.size, "object header continuation")
      try fields.signature("OCHK")
      try parseMessages(fields)
    }

    private mutating func parseMessages(_ block: FieldReader) throws(DecodeError) {
      var fields = block
      let least = isNew ? 4 + (hasCreationOrder ? 2 : 0) : 8
      while fields.remaining >= least {
        let place = fields.place
        let kind = try isNew ? fields.u8() : fields.u16()
        let size = try fields.u16()
        let flags = try fields.u8()
        var order: Int?
        if isNew {
          if hasCreationOrder { order = try fields.u16() }
        } else {
          try fields.skip(3)
        }
        let body = try fields.part(size)
        if kind == 0 { continue }
        if kind > HeaderMessage.Kind.newest, flags & 0x80 != 0 {
          throw DecodeError(.unsupported("object header message \(kind)"), place)
        }
        if kind == HeaderMessage.Kind.continuation {
          try follow(body)
          continue
        }
        guard messages.count < reading.image.limits.elements else {
          throw DecodeError(.limit("header messages", reading.image.limits.elements), place)
        }
        messages.append(
          HeaderMessage(
            kind: kind, isShared: flags & 2 != 0, body: body.bytes.bytes,
            origin: body.bytes.origin, creationOrder: order))
      }
    }

    private mutating func follow(_ body: FieldReader) throws(DecodeError) {
      var fields = body
      let address = try fields.requiredAddress("object header continuation")
      pending.append(Block(address: address, size: try fields.length()))
    }
  }
}
