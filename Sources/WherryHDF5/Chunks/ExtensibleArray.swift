import WherryBytes

/// A chunk index that grows along one dimension: blocks of elements that double in size.
///
/// - Source: HDF5 File Format Specification 3.0, appendix C.4.
struct ExtensibleArray {
  private let elementSize: Int
  private let indexElements: Int
  private let leastBlockElements: Int
  private let leastPointers: Int
  private let pageElements: Int
  private let offsetWidth: Int
  private let count: Int
  private let indexBlock: Int?
  private let superBlocks: [SuperBlock]
  private let reading: Reading

  /// How a run of data blocks of equal size is found.
  private struct SuperBlock {
    let blocks: Int
    let elementsPerBlock: Int
    let firstElement: Int
  }

  init(at address: Int, _ reading: Reading) throws(DecodeError) {
    self.reading = reading
    let widths = reading.image.widths
    var fields = try reading.checkedFields(
      at: address, count: 12 + 6 * widths.length + widths.address + 4, "extensible array")
    try fields.signature("EAHD")
    _ = try fields.version(0...0, of: "extensible array")
    try fields.skip(1)
    elementSize = try fields.u8()
    let bits = try fields.u8()
    indexElements = try fields.u8()
    leastBlockElements = try fields.u8()
    leastPointers = try fields.u8()
    let pageBits = try fields.u8()
    try fields.skip(4 * widths.length)
    count = try fields.length()
    try fields.skip(widths.length)
    indexBlock = try fields.address()
    guard elementSize >= widths.address, bits <= 60, pageBits <= 32,
      leastBlockElements.nonzeroBitCount == 1, leastPointers.nonzeroBitCount == 1,
      leastPointers >= 2, 1 << bits >= leastBlockElements
    else {
      throw DecodeError(.invalid("shape of an extensible array"), reading.image.place(address))
    }
    pageElements = 1 << pageBits
    offsetWidth = (bits + 7) / 8
    var runs: [SuperBlock] = []
    var first = 0
    for number in 0...(bits - leastBlockElements.trailingZeroBitCount) {
      let run = SuperBlock(
        blocks: 1 << (number / 2), elementsPerBlock: leastBlockElements << ((number + 1) / 2),
        firstElement: first)
      runs.append(run)
      // The sum stays below 2^61.
      first += run.blocks * run.elementsPerBlock
    }
    superBlocks = runs
  }

  /// Gives `body` the number and the fields of every element that is stored.
  func forEachElement(
    _ body: (Int, inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    guard let indexBlock else { return }
    let o = reading.image.widths.address
    let direct = 2 * leastPointers.trailingZeroBitCount
    let directBlocks = 2 * (leastPointers - 1)
    let indirect = max(0, superBlocks.count - direct)
    let size = 6 + o + indexElements * elementSize + (directBlocks + indirect) * o + 4
    var fields = try checked("EAIB", at: indexBlock, size)
    try elements(&fields, 0, indexElements, body)
    for (number, run) in superBlocks.enumerated() {
      if number < direct {
        for block in 0..<run.blocks {
          guard let address = try fields.address() else { continue }
          try dataBlock(address, run, block, pages: nil, body)
        }
      } else if let address = try fields.address() {
        try superBlock(address, run, body)
      }
    }
  }

  private func checked(
    _ signature: String, at address: Int, _ size: Int
  ) throws(DecodeError) -> FieldReader {
    var fields = try reading.checkedFields(at: address, count: size, "extensible array block")
    try fields.signature(signature)
    _ = try fields.version(0...0, of: "extensible array block")
    try fields.skip(1 + fields.widths.address)
    return fields
  }

  private func superBlock(
    _ address: Int, _ run: SuperBlock,
    _ body: (Int, inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let o = reading.image.widths.address
    let pages = pages(of: run)
    let bitmapSize = (pages + 7) / 8
    guard let entries = Checked.multiply(run.blocks, bitmapSize + o),
      entries <= reading.image.bytes.count
    else { throw DecodeError(.invalid("size of a block"), reading.image.place(address)) }
    var fields = try checked("EASB", at: address, 6 + o + offsetWidth + entries + 4)
    try fields.skip(offsetWidth)
    let bitmap = try fields.take(run.blocks * bitmapSize)
    for block in 0..<run.blocks {
      guard let address = try fields.address() else { continue }
      try dataBlock(address, run, block, pages: pages > 0 ? bitmap : nil, body)
    }
  }

  /// Pages of a data block; 0 when it is small enough to have none.
  private func pages(of run: SuperBlock) -> Int {
    run.elementsPerBlock > pageElements ? run.elementsPerBlock / pageElements : 0
  }

  private func dataBlock(
    _ address: Int, _ run: SuperBlock, _ block: Int, pages bitmap: Bytes?,
    _ body: (Int, inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let place = reading.image.place(address)
    let head = 6 + reading.image.widths.address + offsetWidth
    let first = indexElements + run.firstElement + block * run.elementsPerBlock
    guard let bitmap else {
      guard let size = Checked.multiply(run.elementsPerBlock, elementSize),
        size <= reading.image.bytes.count
      else { throw DecodeError(.invalid("size of a block"), place) }
      var fields = try checked("EADB", at: address, head + size + 4)
      try fields.skip(offsetWidth)
      return try elements(&fields, first, run.elementsPerBlock, body)
    }
    _ = try checked("EADB", at: address, head + 4)
    let pageSize = pageElements * elementSize + 4
    let pages = pages(of: run)
    for page in 0..<pages {
      // The bits of one block follow those of the one before without a gap.
      let bit = block * pages + page
      guard let bits = bitmap.byte(bit / 8), bits & (0x80 >> UInt8(bit % 8)) != 0 else {
        continue
      }
      guard let offset = Checked.multiply(page, pageSize),
        let at = Checked.add(address + head + 4, offset)
      else { throw DecodeError(.invalid("address of a page"), place) }
      var fields = try reading.checkedFields(at: at, count: pageSize, "extensible array page")
      try elements(&fields, first + page * pageElements, pageElements, body)
    }
  }

  private func elements(
    _ fields: inout FieldReader, _ first: Int, _ count: Int,
    _ body: (Int, inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    for index in first..<first + count {
      var element = try fields.part(elementSize)
      if index < self.count { try body(index, &element) }
    }
  }
}
