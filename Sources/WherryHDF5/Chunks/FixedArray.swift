import WherryBytes

/// A chunk index whose number of entries never changes.
///
/// - Source: HDF5 File Format Specification 3.0, appendix C.3.
struct FixedArray {
  private let elementSize: Int
  private let count: Int
  private let pageBits: Int
  private let block: Int?
  private let reading: Reading

  init(at address: Int, _ reading: Reading) throws(DecodeError) {
    self.reading = reading
    let widths = reading.image.widths
    var fields = try reading.checkedFields(
      at: address, count: 8 + widths.length + widths.address + 4, "fixed array")
    try fields.signature("FAHD")
    _ = try fields.version(0...0, of: "fixed array")
    try fields.skip(1)
    elementSize = try fields.u8()
    pageBits = try fields.u8()
    count = try fields.length()
    block = try fields.address()
    guard elementSize >= widths.address, pageBits < 32 else {
      throw DecodeError(.invalid("element size of a fixed array"), reading.image.place(address))
    }
  }

  /// Gives `body` the number and the fields of every element that is stored.
  func forEachElement(
    _ body: (Int, inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    guard let block, count > 0 else { return }
    let perPage = 1 << pageBits
    let head = 6 + reading.image.widths.address
    guard count > perPage else {
      guard let size = Checked.multiply(count, elementSize) else {
        throw DecodeError(.invalid("size of a fixed array"), reading.image.place(block))
      }
      var fields = try checked(at: block, head + min(size, .max - head - 4) + 4)
      return try elements(&fields, 0, count, body)
    }
    let pages = (count - 1) / perPage + 1
    var fields = try checked(at: block, head + (pages + 7) / 8 + 4)
    let bitmap = try fields.take((pages + 7) / 8)
    let first = head + (pages + 7) / 8 + 4
    for page in 0..<pages {
      guard let bits = bitmap.byte(page / 8), bits & (0x80 >> UInt8(page % 8)) != 0 else {
        continue
      }
      let some = min(perPage, count - page * perPage)
      guard let offset = Checked.multiply(page, perPage * elementSize + 4),
        let at = Checked.add(block + first, offset)
      else { throw DecodeError(.invalid("address of a page"), reading.image.place(block)) }
      var fields = try reading.checkedFields(
        at: at, count: some * elementSize + 4, "fixed array page")
      try elements(&fields, page * perPage, some, body)
    }
  }

  private func checked(at address: Int, _ size: Int) throws(DecodeError) -> FieldReader {
    var fields = try reading.checkedFields(at: address, count: size, "fixed array block")
    try fields.signature("FADB")
    _ = try fields.version(0...0, of: "fixed array block")
    try fields.skip(1 + fields.widths.address)
    return fields
  }

  private func elements(
    _ fields: inout FieldReader, _ first: Int, _ count: Int,
    _ body: (Int, inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    for index in first..<first + count {
      var element = try fields.part(elementSize)
      try body(index, &element)
    }
  }
}
