import WherryBytes

/// Bytes that take the place of others in a file, or that follow its end.
public struct HDF5Edit: Hashable, Sendable {
  /// Distance from the start of the file.
  public var offset: Int
  public var bytes: Bytes

  init(_ offset: Int, _ bytes: Bytes) { (self.offset, self.bytes) = (offset, bytes) }
}

extension HDF5Dataset {
  /// What changes in the file when the data set holds other elements, and all else stays as it is.
  ///
  /// Elements that are packed in chunks may need more room than before; such chunks go behind the end
  /// of the file, and what leads to them is changed.
  ///
  /// - Parameters:
  ///   - elements: as many as there are, in memory's form (`HDF5Type.native`), row-major.
  ///   - end: where the file ends; moved by what goes behind it.
  /// - Throws: `.inconsistent` for elements of another size; `.unsupported` for types, layouts, filters
  ///   and chunk indexes that can't be changed in place, by name.
  public func edits(replacing elements: Bytes, end: inout Int) throws(DecodeError) -> [HDF5Edit] {
    let place = Place().inside("data set", path)
    guard let count = space.count, Checked.multiply(count, type.native.size) == elements.count
    else { throw DecodeError(.inconsistent("size of the elements"), place) }
    guard header.first(HeaderMessage.Kind.externalFiles) == nil else {
      throw DecodeError(.unsupported("replacing elements in external files"), place)
    }
    let stored = try stored(elements, place)
    guard !stored.isEmpty else { return [] }
    switch layout {
    case .compact(let old):
      let head = image.bytes.slice(header.address..<header.address + 4)?.array
      guard head != Array("OHDR".utf8), old.store === image.bytes.store, old.count >= stored.count
      else { throw DecodeError(.unsupported("replacing elements in a checked header"), place) }
      return [HDF5Edit(old.offset - image.storeOffset, stored)]
    case .contiguous(let address?, _):
      let run = try Reading(image).data(at: address, count: stored.count)
      return [HDF5Edit(run.offset - image.storeOffset, stored)]
    case .contiguous(nil, _):
      throw DecodeError(.unsupported("replacing elements that were never written"), place)
    case .virtual:
      throw DecodeError(.unsupported("replacing elements of a virtual data set"), place)
    case .chunked(let chunks):
      var patch = try ChunkPatch(self, chunks, stored, end: end, place)
      let edits = try patch.edits()
      end = patch.end
      return edits
    }
  }

  /// Elements in the file's form.
  private func stored(_ elements: Bytes, _ place: Place) throws(DecodeError) -> Bytes {
    let native = type.native
    guard !type.pointsElsewhere else {
      throw DecodeError(.unsupported("replacing values of variable length"), place)
    }
    if type == native { return elements }
    guard type.inLittleEndian == native else {
      throw DecodeError(.unsupported("replacing elements of type \(type)"), place)
    }
    return NativeForm.reversed(elements, size: native.size)
  }
}

extension FileImage {
  /// Distance of the whole file's first byte from the start of what owns it.
  fileprivate var storeOffset: Int { bytes.offset - base }
}

extension HDF5Type {
  /// A number with its bytes the other way round.
  fileprivate var inLittleEndian: HDF5Type? {
    switch self {
    case .integer(var bits, let isSigned) where bits.order == .big:
      bits.order = .little
      return .integer(bits, isSigned: isSigned)
    case .float(var bits, let layout) where bits.order == .big:
      bits.order = .little
      return .float(bits, layout)
    default: return nil
    }
  }
}

extension NativeForm {
  fileprivate static func reversed(_ elements: Bytes, size: Int) -> Bytes {
    elements.withUnsafeBytes { source in
      ResultBuffer.bytes(source.count) { target in
        for start in stride(from: 0, to: source.count - source.count % size, by: size) {
          for byte in 0..<size { target[start + byte] = source[start + size - 1 - byte] }
        }
      }
    }
  }
}

/// Replaces the chunks of a data set.
private struct ChunkPatch {
  private let dataset: HDF5Dataset
  private let layout: ChunkLayout
  private let elements: Bytes
  private let place: Place
  private let packing: ChunkWriting
  private var found: [HDF5Edit] = []
  private(set) var end: Int
  private let start: Int

  init(
    _ dataset: HDF5Dataset, _ layout: ChunkLayout, _ elements: Bytes, end: Int, _ place: Place
  ) throws(DecodeError) {
    (self.dataset, self.layout, self.elements, self.place) = (dataset, layout, elements, place)
    (self.end, start) = (end, end)
    var filters = dataset.filters[...]
    let shuffle = filters.first?.id == HDF5Filter.shuffle ? filters.popFirst() : nil
    let deflate = filters.first?.id == HDF5Filter.deflate ? filters.popFirst() : nil
    if let other = filters.first {
      throw DecodeError(.unsupported("replacing elements under \(other)"), place)
    }
    guard shuffle.map({ $0.parameters.first.map(Int.init) == layout.elementSize }) ?? true,
      !layout.leavesEdgesUnfiltered || dataset.filters.isEmpty
    else { throw DecodeError(.unsupported("replacing elements of chunks with odd filters"), place) }
    packing = ChunkWriting(
      extents: dataset.space.shape ?? [], shape: layout.shape, elementSize: layout.elementSize,
      level: deflate.map { min(9, Int($0.parameters.first ?? 6)) }, shuffle: shuffle != nil)
  }

  mutating func edits() throws(DecodeError) -> [HDF5Edit] {
    let reading = Reading(dataset.image)
    // Finding the chunks checks the layout too.
    _ = try ChunkedReading(dataset, layout, reading)
    guard case .simple(let extents, let maximum) = dataset.space else { return [] }
    let index = ChunkIndex(
      layout: layout, extents: extents, maximum: maximum, isFiltered: !dataset.filters.isEmpty,
      chunkSize: packing.chunkSize, reading: reading)
    let grid = ChunkGrid(extents, layout.shape, growing: nil)
    var chunks: [Int: StoredChunk] = [:]
    try index.forEach { (chunk) throws(DecodeError) in
      let isInside = chunk.position.indices.allSatisfy {
        Checked.multiply(chunk.position[$0], layout.shape[$0]) ?? .max < extents[$0]
      }
      if isInside { chunks[grid.index(of: chunk.position)] = chunk }
    }
    guard chunks.count == grid.count else {
      throw DecodeError(.unsupported("replacing chunks that were never written"), place)
    }
    var number = 0
    var packed: [Bytes] = []
    do throws(EncodeError) {
      try packing.forEachPacked(elements) { (raw) throws(EncodeError) in packed.append(Bytes(raw)) }
    } catch {
      throw DecodeError(.unsupported("\(error)"), place)
    }
    for bytes in packed {
      if let chunk = chunks[number] { try replace(chunk, with: bytes, reading) }
      number += 1
    }
    if end > start { try moveEnd() }
    return found
  }

  private mutating func replace(
    _ chunk: StoredChunk, with bytes: Bytes, _ reading: Reading
  ) throws(DecodeError) {
    let at =
      try reading.data(at: chunk.address, count: chunk.size).offset - dataset.image.storeOffset
    if bytes.count == chunk.size, chunk.mask == 0 {
      found.append(HDF5Edit(at, bytes))
      return
    }
    guard let entry = chunk.entry, let size = UInt32(exactly: bytes.count) else {
      throw DecodeError(.unsupported("replacing packed chunks under this chunk index"), place)
    }
    var head = ByteWriter()
    head.integer(size)
    head.integer(UInt32(0))
    found.append(HDF5Edit(entry, Bytes(head.bytes)))
    guard bytes.count > chunk.size else {
      found.append(HDF5Edit(at, bytes))
      return
    }
    var padding = ByteWriter()
    padding.raw(repeatElement(0, count: (8 - end % 8) % 8))
    padding.raw(bytes)
    let address = end + (8 - end % 8) % 8 - dataset.image.base
    found.append(HDF5Edit(end, Bytes(padding.bytes)))
    end += padding.count
    let keySize = 8 + 8 * (layout.shape.count + 1)
    found.append(HDF5Edit(entry + keySize, field(address)))
  }

  private func field(_ address: Int) -> Bytes {
    var writer = ByteWriter()
    writer.integer(address)
    return Bytes(writer.bytes.prefix(dataset.image.widths.address))
  }

  /// Has the superblock say where the file ends now.
  private mutating func moveEnd() throws(DecodeError) {
    let image = dataset.image
    let width = image.widths.address
    guard image.base == 0, let version = image.bytes.byte(8), width == 8 || end >> (8 * width) == 0
    else {
      throw DecodeError(.unsupported("packed chunks that need more room in this file"), place)
    }
    guard version > 1 else {
      found.append(HDF5Edit((version == 0 ? 24 : 28) + 2 * width, field(end)))
      return
    }
    guard var block = image.bytes.slice(0..<12 + 4 * width)?.array else { return }
    block.replaceSubrange(12 + 2 * width..<12 + 3 * width, with: field(end).array)
    var writer = ByteWriter()
    writer.raw(block)
    writer.integer(Lookup3.checksum(Bytes(block)))
    found.append(HDF5Edit(0, Bytes(writer.bytes)))
  }
}
