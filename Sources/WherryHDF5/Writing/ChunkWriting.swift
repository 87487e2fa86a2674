import WherryBytes

/// Cuts the elements of a data set into chunks and packs each.
struct ChunkWriting {
  let extents: [Int]
  let shape: [Int]
  let elementSize: Int
  let level: Int?
  let shuffle: Bool

  /// Bytes of a chunk before it is packed.
  var chunkSize: Int { shape.reduce(elementSize, *) }
  private var grid: ChunkGrid { ChunkGrid(extents, shape, growing: nil) }

  /// The first element of each chunk, in order.
  var offsets: [[Int]] {
    let grid = grid
    return (0..<grid.count).map { number in
      zip(grid.position(of: number), shape).map { $0 * $1 }
    }
  }

  /// Gives `body` each packed chunk, in order.
  ///
  /// - Parameter elements: all of them, row-major.
  func forEachPacked(
    _ elements: Bytes, _ body: (UnsafeRawBufferPointer) throws(EncodeError) -> Void
  ) throws(EncodeError) {
    let (cut, shuffled, packed) = (ScratchBuffer(), ScratchBuffer(), ScratchBuffer())
    let deflater = level.map { Deflater(level: $0) }
    for offset in offsets {
      let chunk = cut.bytes(chunkSize)
      elements.withUnsafeBytes { gather($0, offset, into: chunk) }
      var data = UnsafeRawBufferPointer(chunk)
      if shuffle {
        let target = shuffled.bytes(chunkSize)
        Shuffle.apply(data, target, size: elementSize)
        data = UnsafeRawBufferPointer(target)
      }
      if let deflater {
        let target = packed.bytes(Deflater.bound(chunkSize))
        guard let count = deflater.deflate(data, into: target) else {
          throw EncodeError(.invalid("deflate level \(level ?? 0)"))
        }
        data = UnsafeRawBufferPointer(rebasing: target[..<count])
      }
      try body(data)
    }
  }

  /// Copies one chunk's elements; those beyond the extents are zero.
  private func gather(
    _ elements: UnsafeRawBufferPointer, _ offset: [Int], into chunk: UnsafeMutableRawBufferPointer
  ) {
    let counts = shape.indices.map { min(shape[$0], extents[$0] - offset[$0]) }
    if counts != shape { chunk.initializeMemory(as: UInt8.self, repeating: 0) }
    let last = shape.count - 1
    let length = counts[last] * elementSize
    var inside = [Int](repeating: 0, count: shape.count)
    while true {
      var (from, to) = (0, 0)
      for dimension in shape.indices {
        from = from * extents[dimension] + offset[dimension] + inside[dimension]
        to = to * shape[dimension] + inside[dimension]
      }
      let (source, target) = (from * elementSize, to * elementSize)
      UnsafeMutableRawBufferPointer(rebasing: chunk[target..<target + length])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: elements[source..<source + length]))
      var dimension = last - 1
      while dimension >= 0 {
        inside[dimension] += 1
        if inside[dimension] < counts[dimension] { break }
        inside[dimension] = 0
        dimension -= 1
      }
      if dimension < 0 { return }
    }
  }

  /// The B-tree of the chunks.
  ///
  /// - Parameters:
  ///   - sizes: bytes of each packed chunk, in order.
  ///   - data: where the first one is; the others follow it without a gap.
  ///   - address: where the tree will be.
  func tree(sizes: [Int], data: Int, at address: Int) -> TreeWriting {
    let offsets = offsets
    var children: [TreeWriting.Child] = []
    var chunk = data
    for (index, offset) in offsets.enumerated() {
      let isLast = index + 1 == offsets.count
      let right =
        isLast
        ? key(zip(offset, shape).map { $0 + $1 }, size: 0)
        : key(offsets[index + 1], size: sizes[index + 1])
      children.append(.init(address: chunk, left: key(offset, size: sizes[index]), right: right))
      chunk += sizes[index]
    }
    return TreeWriting(
      kind: 1, capacity: 64, keySize: 8 + 8 * (shape.count + 1), children: children, at: address)
  }

  private func key(_ offset: [Int], size: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(UInt32(truncatingIfNeeded: size))
    writer.integer(UInt32(0))
    for coordinate in offset { writer.integer(coordinate) }
    writer.integer(UInt64(0))
    return writer.bytes
  }

  /// The filter pipeline message; nil without filters.
  var filters: [UInt8]? {
    var filters: [(id: Int, name: String, parameter: Int)] = []
    if shuffle { filters.append((HDF5Filter.shuffle, "shuffle", elementSize)) }
    if let level { filters.append((HDF5Filter.deflate, "deflate", level)) }
    guard !filters.isEmpty else { return nil }
    var writer = ByteWriter()
    writer.raw([1, UInt8(filters.count), 0, 0, 0, 0, 0, 0])
    for filter in filters {
      writer.integer(UInt16(filter.id))
      writer.integer(UInt16(8))
      // Optional: a writer may leave it out for a chunk.
      writer.integer(UInt16(1))
      writer.integer(UInt16(1))
      writer.raw(filter.name.utf8)
      writer.integer(UInt8(0))
      writer.integer(UInt32(truncatingIfNeeded: filter.parameter))
      writer.integer(UInt32(0))
    }
    return writer.bytes
  }
}
