import WherryBytes

/// The head of an HDF5 file: where everything else starts.
///
/// - Source: HDF5 File Format Specification 3.0, sections II.A to II.C.
enum Superblock {
  static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Where the signature stands: at 0 or, behind a user block, at 512, 1024, 2048 and so on.
  static func find(in bytes: Bytes) -> Int? {
    var offset = 0
    while let start = bytes.slice(offset..<(Checked.add(offset, 8) ?? offset)) {
      if start.array == signature { return offset }
      offset = offset == 0 ? 512 : offset * 2
    }
    return nil
  }

  /// Finds and reads the superblock.
  static func read(
    _ bytes: Bytes, limits: Limits, verifiesChecksums: Bool
  ) throws(DecodeError) -> FileImage {
    guard bytes.count <= limits.fileBytes else {
      throw DecodeError(.limit("file bytes", limits.fileBytes))
    }
    guard let base = find(in: bytes), let inside = bytes.slice(base..<bytes.count) else {
      throw DecodeError(.notThisFormat("an HDF5 file"), .byte(0))
    }
    var image = FileImage(bytes: inside, base: base, limits: limits)
    image.verifiesChecksums = verifiesChecksums
    var fields = FieldReader(inside, origin: base, widths: image.widths)
    try fields.skip(signature.count)
    let version = try fields.version(0...3, of: "superblock")
    if version < 2 { try fields.skip(4) }
    image.widths = FieldWidths(address: try width(&fields), length: try width(&fields))
    try fields.skip(version < 2 ? 1 + 2 + 2 + 4 : 1)
    if version == 1 { try fields.skip(4) }
    let start = fields.offset
    guard let rest = inside.slice(start..<inside.count) else {
      throw DecodeError(.truncated(needed: start, available: inside.count), .byte(base))
    }
    fields = FieldReader(rest, origin: base + start, widths: image.widths)
    if version < 2 { try readOld(&fields, &image) } else { try readNew(&fields, &image) }
    return image
  }

  private static func width(_ fields: inout FieldReader) throws(DecodeError) -> Int {
    let place = fields.place
    let width = try fields.u8()
    guard [2, 4, 8].contains(width) else {
      throw [16, 32].contains(width)
        ? DecodeError(.unsupported("addresses or lengths of \(width) bytes"), place)
        : DecodeError(.invalid("width of addresses or lengths: \(width)"), place)
    }
    return width
  }

  /// Versions 0 and 1: the addresses, then the root group's symbol table entry.
  private static func readOld(
    _ fields: inout FieldReader, _ image: inout FileImage
  ) throws(DecodeError) {
    let stated = try fields.address()
    _ = try fields.address()
    var end = fields
    try fields.skip(image.widths.address)
    // Files in several parts say so here, and state an end that this part alone does not reach.
    if let driver = try fields.address() { try refuseDriver(at: driver, image) }
    try checkEnd(try end.address(), stated, fields.place, image)
    _ = try fields.length()
    image.rootAddress = try fields.requiredAddress("root group")
  }

  /// Versions 2 and 3: the addresses and a checksum.
  private static func readNew(
    _ fields: inout FieldReader, _ image: inout FileImage
  ) throws(DecodeError) {
    let size = 12 + 4 * image.widths.address
    guard let body = image.bytes.slice(0..<size),
      var sum = image.bytes.slice(size..<size + 4).map({ ByteReader($0, origin: image.base + size) }
      )
    else {
      throw DecodeError(.truncated(needed: size + 4, available: image.bytes.count), image.place(0))
    }
    let stored = try sum.integer(UInt32.self)
    guard !image.verifiesChecksums || Lookup3.checksum(body) == stored else {
      throw DecodeError(.inconsistent("checksum of superblock"), image.place(0))
    }
    let stated = try fields.address()
    image.extensionAddress = try fields.address()
    let end = try fields.address()
    let place = fields.place
    image.rootAddress = try fields.requiredAddress("root group")
    try checkEnd(end, stated, place, image)
  }

  /// The file must not be shorter than the superblock says.
  ///
  /// The stored end counts from the start of the whole file; where a user block was added or removed
  /// since, base address and end move together.
  private static func checkEnd(
    _ end: Int?, _ statedBase: Int?, _ place: Place, _ image: FileImage
  ) throws(DecodeError) {
    guard let end, let needed = Checked.add(end, image.base - (statedBase ?? 0)) else {
      throw DecodeError(.invalid("end of file address"), place)
    }
    let available = image.base + image.bytes.count
    guard needed <= available else {
      throw DecodeError(.truncated(needed: needed, available: available), place)
    }
  }

  /// Files that are spread over several are not put together again.
  private static func refuseDriver(at address: Int, _ image: FileImage) throws(DecodeError) {
    var fields = try Reading(image).fields(at: address, count: 16)
    try fields.skip(8)
    let name = try fields.take(8)
    for driver in ["NCSAfami", "NCSAmult"] where name.array == Array(driver.utf8) {
      throw DecodeError(.unsupported("file driver \(driver)"), image.place(address))
    }
  }
}
