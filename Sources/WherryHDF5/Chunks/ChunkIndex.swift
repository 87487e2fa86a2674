import WherryBytes

/// One chunk that is stored.
struct StoredChunk {
  /// Position in the grid of chunks, slowest first.
  var position: [Int]
  var address: Int
  /// Bytes in the file.
  var size: Int
  /// Filters that were skipped, one bit each.
  var mask: UInt32
  /// Where its entry in a version 1 B-tree starts, from the start of the file: size, filters left out,
  /// coordinates, address.
  var entry: Int?
}

/// Finds the stored chunks of a data set.
struct ChunkIndex {
  let layout: ChunkLayout
  let extents: [Int]
  let maximum: [Int?]
  let isFiltered: Bool
  /// Bytes of a chunk before filters.
  let chunkSize: Int
  let reading: Reading

  /// Gives `body` every stored chunk; those that reach beyond the data set's present extents too.
  func forEach(_ body: (StoredChunk) throws(DecodeError) -> Void) throws(DecodeError) {
    guard let address = layout.address else { return }
    switch layout.index {
    case .versionOneTree: try versionOne(address, body)
    case .versionTwoTree: try versionTwo(address, body)
    case .single(let size, let mask):
      try body(
        StoredChunk(
          position: extents.map { _ in 0 }, address: address, size: size ?? chunkSize, mask: mask))
    case .implicit: try implicit(address, body)
    case .fixedArray:
      let grid = ChunkGrid(maximum, layout.shape, growing: nil)
      try FixedArray(at: address, reading).forEachElement { (index, fields) throws(DecodeError) in
        try element(index, &fields, grid, body)
      }
    case .extensibleArray:
      guard let growing = maximum.firstIndex(of: nil) else {
        throw DecodeError(
          .inconsistent("extensible array of fixed extents"), reading.image.place(address))
      }
      let grid = ChunkGrid(maximum, layout.shape, growing: growing)
      try ExtensibleArray(at: address, reading).forEachElement {
        (index, fields) throws(DecodeError) in
        try element(index, &fields, grid, body)
      }
    }
  }

  /// An element of an array of chunks: an address, for filtered chunks with size and mask.
  private func element(
    _ index: Int, _ fields: inout FieldReader, _ grid: ChunkGrid,
    _ body: (StoredChunk) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    guard let address = try fields.address() else { return }
    var chunk = StoredChunk(
      position: grid.position(of: index), address: address, size: chunkSize, mask: 0)
    if isFiltered {
      chunk.size = try fields.count(width: fields.remaining - 4)
      chunk.mask = try fields.raw32()
    }
    try body(chunk)
  }

  private func versionOne(
    _ address: Int, _ body: (StoredChunk) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let tree = VersionOneTree(kind: 1, keySize: 8 + 8 * (extents.count + 1), reading)
    try tree.forEachLeaf(of: address) { (key, address) throws(DecodeError) in
      let entry = key.bytes.origin + key.offset
      var chunk = StoredChunk(
        position: [], address: address, size: try key.u32(), mask: try key.raw32(), entry: entry)
      for extent in layout.shape {
        let place = key.place
        let offset = try key.count(width: 8)
        guard offset % extent == 0 else {
          throw DecodeError(.invalid("offset of a chunk"), place)
        }
        chunk.position.append(offset / extent)
      }
      try body(chunk)
    }
  }

  private func versionTwo(
    _ address: Int, _ body: (StoredChunk) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let tree = try VersionTwoTree(at: address, reading)
    guard tree.kind == (isFiltered ? 11 : 10) else {
      throw DecodeError(.invalid("kind of a chunk B-tree"), reading.image.place(address))
    }
    try tree.forEachRecord { (record) throws(DecodeError) in
      let at = try record.requiredAddress("chunk")
      var chunk = StoredChunk(position: [], address: at, size: chunkSize, mask: 0)
      if isFiltered {
        chunk.size = try record.count(width: record.remaining - 4 - 8 * extents.count)
        chunk.mask = try record.raw32()
      }
      for _ in extents { chunk.position.append(try record.count(width: 8)) }
      try body(chunk)
    }
  }

  private func implicit(
    _ address: Int, _ body: (StoredChunk) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    let grid = ChunkGrid(maximum, layout.shape, growing: nil)
    let present = ChunkGrid(extents, layout.shape, growing: nil)
    for index in 0..<present.count {
      let position = present.position(of: index)
      guard let offset = Checked.multiply(grid.index(of: position), chunkSize),
        let at = Checked.add(address, offset)
      else { throw DecodeError(.invalid("address of a chunk"), reading.image.place(address)) }
      try body(StoredChunk(position: position, address: at, size: chunkSize, mask: 0))
    }
  }
}

/// Numbers the chunks of a data set, row-major.
struct ChunkGrid {
  /// Chunks along each dimension, in the order in which they are numbered.
  private let counts: [Int]
  /// The dimension of each entry of `counts`.
  private let dimensions: [Int]

  /// - Parameter growing: the dimension without a maximum, which is numbered slowest.
  init(_ extents: [Int?], _ shape: [Int], growing: Int?) {
    let rest = extents.indices.filter { $0 != growing }
    dimensions = (growing.map { [$0] } ?? []) + rest
    counts = dimensions.map { dimension in
      let extent = extents[dimension] ?? .max
      let chunk = shape[dimension]
      return extent / chunk + (extent % chunk > 0 ? 1 : 0)
    }
  }

  /// Number of chunks; `Int.max` when it overflows.
  var count: Int { Checked.product(counts) ?? .max }

  func position(of index: Int) -> [Int] {
    var position = [Int](repeating: 0, count: counts.count)
    var rest = index
    for entry in counts.indices.reversed() {
      guard entry > 0, counts[entry] > 0 else {
        position[dimensions[entry]] = rest
        continue
      }
      position[dimensions[entry]] = rest % counts[entry]
      rest /= counts[entry]
    }
    return position
  }

  /// The number of a chunk; `Int.max` when it overflows.
  func index(of position: [Int]) -> Int {
    var index = 0
    for entry in counts.indices {
      guard let scaled = Checked.multiply(index, counts[entry]),
        let next = Checked.add(scaled, position[dimensions[entry]])
      else { return .max }
      index = next
    }
    return index
  }
}
