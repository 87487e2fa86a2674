import WherryBytes

extension Reading {
  /// The fields of a message, wherever they are kept: in the header, in a committed type's header or
  /// in the file's heap of shared messages.
  ///
  /// - Source: HDF5 File Format Specification 3.0, sections III.I and IV.A.2 ("Shared Message").
  func fields(of message: HeaderMessage) throws(DecodeError) -> FieldReader {
    let fields = FieldReader(message.body, origin: message.origin, widths: image.widths)
    return message.isShared ? try resolve(fields, kind: message.kind) : fields
  }

  /// Follows a pointer to a shared message of a kind.
  func resolve(_ pointer: FieldReader, kind: Int) throws(DecodeError) -> FieldReader {
    var fields = pointer
    let version = try fields.version(1...3, of: "shared message")
    let location = try fields.u8()
    if version == 1 { try fields.skip(6 + fields.widths.length) }
    if version == 3, location == 1 {
      return try sharedMessage(try fields.take(8), kind: kind, fields.place)
    }
    let address = try fields.requiredAddress("shared message")
    let header = try ObjectHeader.read(at: address, self)
    guard let found = header.first(kind), !found.isShared else {
      throw DecodeError(.missing("shared message \(kind)"), image.place(address))
    }
    return FieldReader(found.body, origin: found.origin, widths: image.widths)
  }

  /// A message in the heap that the file's table of shared messages names for its kind.
  func sharedMessage(
    _ id: Bytes, kind: Int, _ place: Place
  ) throws(DecodeError) -> FieldReader {
    let heap = try sharedHeap(kind) { () throws(DecodeError) in try findSharedHeap(kind, place) }
    return try heap.object(id, place, self)
  }

  private func findSharedHeap(_ kind: Int, _ place: Place) throws(DecodeError) -> FractalHeap {
    guard let start = image.extensionAddress,
      let message = try ObjectHeader.read(at: start, self).first(HeaderMessage.Kind.sharedTable)
    else { throw DecodeError(.missing("table of shared messages"), place) }
    var pointer = FieldReader(message.body, origin: message.origin, widths: image.widths)
    _ = try pointer.version(0...0, of: "shared message table")
    let address = try pointer.requiredAddress("shared message table")
    let count = try pointer.u8()
    let row = 14 + 2 * image.widths.address
    var table = try checkedFields(at: address, count: 4 + count * row + 4, "shared message table")
    try table.signature("SMTB")
    for _ in 0..<count {
      try table.skip(2)
      let kinds = try table.u16()
      try table.skip(10 + table.widths.address)
      let heap = try table.address()
      if let heap, kinds & (1 << kind) != 0 {
        return try FractalHeap(at: heap, self)
      }
    }
    throw DecodeError(.missing("heap of shared messages \(kind)"), place)
  }
}
