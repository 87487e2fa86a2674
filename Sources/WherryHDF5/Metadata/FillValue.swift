import WherryBytes

/// What elements hold that were never written.
enum FillValue {
  /// One element as the file would hold it; nil stands for zeros.
  ///
  /// - Source: HDF5 File Format Specification 3.0, sections IV.A.2.e and IV.A.2.f.
  static func read(
    _ header: ObjectHeader, elementSize: Int, _ reading: Reading
  ) throws(DecodeError) -> Bytes? {
    var value: Bytes?
    if let message = header.first(HeaderMessage.Kind.fillValue) {
      value = try new(try reading.fields(of: message))
    } else if let message = header.first(HeaderMessage.Kind.oldFillValue) {
      var fields = try reading.fields(of: message)
      value = try fields.take(try fields.u32())
    }
    guard let value, !value.isEmpty else { return nil }
    guard value.count == elementSize else {
      throw DecodeError(
        .inconsistent("size of the fill value"), reading.image.place(header.address))
    }
    return value.withUnsafeBytes { $0.allSatisfy { $0 == 0 } } ? nil : value
  }

  private static func new(_ message: FieldReader) throws(DecodeError) -> Bytes? {
    var fields = message
    let version = try fields.version(1...3, of: "fill value")
    if version == 3 {
      let flags = try fields.u8()
      guard flags & 0x20 != 0 else { return nil }
    } else {
      try fields.skip(2)
      let isDefined = try fields.u8() != 0
      guard version == 1 || isDefined else { return nil }
      guard fields.remaining >= 4 else { return nil }
    }
    let size = try fields.raw32()
    return size == .max ? nil : try fields.take(Int(size))
  }
}
