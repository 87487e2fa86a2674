import WherryBytes

/// A heap of objects of any size in blocks that double in size.
///
/// - Source: HDF5 File Format Specification 3.0, section III.G.
final class FractalHeap {
  private let image: FileImage
  private let address: Int
  private let idLength: Int
  private let flags: Int
  private let hugeTree: Int?
  private let width: Int
  private let startSize: Int
  private let maxDirectSize: Int
  private let offsetWidth: Int
  private let lengthWidth: Int
  private let rootAddress: Int?
  private let rootRows: Int
  private var indirectBlocks: [Int: FieldReader] = [:]
  private var checkedBlocks: Set<Int> = []
  private var hugeObjects: [UInt64: Bytes]?

  init(at address: Int, _ reading: Reading) throws(DecodeError) {
    (image, self.address) = (reading.image, address)
    let (o, l) = (image.widths.address, image.widths.length)
    let place = image.place(address)
    var start = try reading.fields(at: address, count: 9)
    try start.skip(7)
    let filterSize = try start.u16()
    guard filterSize == 0 else { throw DecodeError(.unsupported("filtered fractal heap"), place) }
    let size = 22 + 12 * l + 3 * o + 4
    var fields = try reading.checkedFields(at: address, count: size, "fractal heap header")
    try fields.signature("FRHP")
    _ = try fields.version(0...0, of: "fractal heap")
    idLength = try fields.u16()
    try fields.skip(2)
    flags = try fields.u8()
    let maxManaged = try fields.u32()
    try fields.skip(l)
    hugeTree = try fields.address()
    try fields.skip(l + o + 8 * l)
    width = try fields.u16()
    startSize = try fields.length()
    maxDirectSize = try fields.length()
    let bits = try fields.u16()
    try fields.skip(2)
    rootAddress = try fields.address()
    rootRows = try fields.u16()
    offsetWidth = (bits + 7) / 8
    guard width > 0, width.nonzeroBitCount == 1, startSize.nonzeroBitCount == 1,
      maxDirectSize.nonzeroBitCount == 1, startSize <= maxDirectSize, maxDirectSize <= 1 << 32,
      (1...64).contains(bits), startSize > 5 + o + offsetWidth + 4
    else { throw DecodeError(.invalid("shape of a fractal heap"), place) }
    lengthWidth = min(
      max(1, (maxDirectSize.trailingZeroBitCount + 7) / 8), Self.topBit(maxManaged) / 8 + 1)
  }

  private static func topBit(_ value: Int) -> Int {
    max(0, Int.bitWidth - 1 - value.leadingZeroBitCount)
  }

  /// The object of an identifier, shared with the file.
  ///
  /// The heap keeps blocks that it has checked, but no way of its own into the file: calls that share a
  /// heap each pay for what they read.
  ///
  /// - Throws: `DecodeError` for an identifier of no object, or blocks that are malformed.
  func object(
    _ id: Bytes, _ place: Place, _ reading: Reading
  ) throws(DecodeError) -> FieldReader {
    var fields = FieldReader(id, origin: 0, widths: image.widths)
    let first = try fields.u8()
    guard first >> 6 == 0 else {
      throw DecodeError(.unsupportedVersion("heap identifier \(first >> 6)"), place)
    }
    switch first >> 4 & 3 {
    case 0: return try managed(&fields, place, reading)
    case 1: return try huge(&fields, place, reading)
    case 2: return try tiny(first, &fields, place)
    default: throw DecodeError(.invalid("kind of a heap identifier"), place)
    }
  }

  private func tiny(
    _ first: Int, _ fields: inout FieldReader, _ place: Place
  ) throws(DecodeError) -> FieldReader {
    var count = first & 15
    if idLength > 18 { count = count << 8 | (try fields.u8()) }
    return FieldReader(
      try fields.take(count + 1), origin: image.base + address,
      widths: image.widths)
  }

  private func huge(
    _ fields: inout FieldReader, _ place: Place, _ reading: Reading
  ) throws(DecodeError) -> FieldReader {
    let (o, l) = (image.widths.address, image.widths.length)
    if o + l <= idLength - 1 {
      let at = try fields.requiredAddress("huge object")
      return try reading.fields(at: at, count: try fields.length())
    }
    let key = try fields.unsigned(width: min(l, 8, idLength - 1))
    if hugeObjects == nil { hugeObjects = try readHugeObjects(place, reading) }
    guard let found = hugeObjects?[key] else {
      throw DecodeError(.missing("huge object \(key)"), place)
    }
    return FieldReader(found, origin: image.base + found.offset, widths: fields.widths)
  }

  private func readHugeObjects(
    _ place: Place, _ reading: Reading
  ) throws(DecodeError) -> [UInt64: Bytes] {
    guard let hugeTree else { throw DecodeError(.missing("tree of huge objects"), place) }
    let tree = try VersionTwoTree(at: hugeTree, reading)
    guard tree.kind == 1 else {
      throw DecodeError(.invalid("kind of the tree of huge objects"), place)
    }
    var found: [UInt64: Bytes] = [:]
    try tree.forEachRecord { (record) throws(DecodeError) in
      let at = try record.requiredAddress("huge object")
      let bytes = try reading.data(at: at, count: try record.length())
      found[try record.unsigned(width: record.widths.length)] = bytes
    }
    return found
  }

  private func managed(
    _ fields: inout FieldReader, _ place: Place, _ reading: Reading
  ) throws(DecodeError) -> FieldReader {
    var offset = try fields.count(width: offsetWidth)
    let count = try fields.count(width: lengthWidth)
    guard var block = rootAddress else { throw DecodeError(.missing("fractal heap block"), place) }
    var size = startSize
    var rows = rootRows
    while rows > 0 {
      let (row, column, rest) = position(offset)
      guard row < rows, row < 64 else {
        throw DecodeError(.invalid("offset of a heap identifier"), place)
      }
      let child = try child(of: block, rows: rows, row, column, place, reading)
      size = startSize << max(0, row - 1)
      rows = row < directRows ? 0 : Self.topBit(size) - Self.topBit(startSize * width) + 1
      (block, offset) = (child, rest)
    }
    guard let end = Checked.add(offset, count), end <= size,
      offset >= 5 + fields.widths.address + offsetWidth
    else { throw DecodeError(.invalid("heap identifier outside its block"), place) }
    try check(block, size, reading)
    return try reading.fields(at: try at(block, offset), count: count)
  }

  private func at(_ block: Int, _ offset: Int) throws(DecodeError) -> Int {
    guard let sum = Checked.add(block, offset) else {
      throw DecodeError(.invalid("address of a heap block"), image.place(block))
    }
    return sum
  }

  /// Rows of an indirect block whose children are direct blocks.
  private var directRows: Int { Self.topBit(maxDirectSize) - Self.topBit(startSize) + 2 }

  /// Row and column of the child that holds an offset, and the offset within the child.
  private func position(_ offset: Int) -> (row: Int, column: Int, rest: Int) {
    let rowSize = startSize * width
    if offset < rowSize { return (0, offset / startSize, offset % startSize) }
    let row = Self.topBit(offset / rowSize) + 1
    let inside = offset - rowSize << (row - 1)
    let block = startSize << (row - 1)
    return (row, inside / block, inside % block)
  }

  private func child(
    of block: Int, rows: Int, _ row: Int, _ column: Int, _ place: Place,
    _ reading: Reading
  ) throws(DecodeError) -> Int {
    let o = image.widths.address
    if indirectBlocks[block] == nil {
      let size = 5 + o + offsetWidth + rows * width * o + 4
      var fields = try reading.checkedFields(at: block, count: size, "heap block")
      try fields.signature("FHIB")
      _ = try fields.version(0...0, of: "heap block")
      try fields.skip(o + offsetWidth)
      indirectBlocks[block] = fields
    }
    guard var fields = indirectBlocks[block] else {
      throw DecodeError(.missing("heap block"), place)
    }
    try fields.skip((row * width + column) * o)
    return try fields.requiredAddress("heap block")
  }

  /// Once for each block: its signature and, where the heap keeps one, its checksum.
  private func check(_ block: Int, _ size: Int, _ reading: Reading) throws(DecodeError) {
    guard checkedBlocks.insert(block).inserted else { return }
    let hasChecksum = flags & 2 != 0
    var fields = try reading.fields(at: block, count: hasChecksum ? size : 5)
    let whole = fields
    try fields.signature("FHDB")
    _ = try fields.version(0...0, of: "heap block")
    guard hasChecksum, image.verifiesChecksums else { return }
    try fields.skip(fields.widths.address + offsetWidth)
    let at = fields.offset
    let stored = try fields.raw32()
    var bytes = whole.bytes.bytes.array
    for index in at..<at + 4 { bytes[index] = 0 }
    guard Lookup3.checksum(Bytes(bytes)) == stored else {
      throw DecodeError(.inconsistent("checksum of heap block"), image.place(block))
    }
  }
}
