import WherryBytes

/// Puts the chunks of a data set together.
struct ChunkedReading {
  private let dataset: HDF5Dataset
  private let layout: ChunkLayout
  private let reading: Reading
  private let extents: [Int]
  private let maximum: [Int?]
  /// Bytes of a chunk before filters.
  private let chunkSize: Int

  init(_ dataset: HDF5Dataset, _ layout: ChunkLayout, _ reading: Reading) throws(DecodeError) {
    (self.dataset, self.layout, self.reading) = (dataset, layout, reading)
    let place = reading.image.place(dataset.address)
    guard case .simple(let extents, let maximum) = dataset.space,
      extents.count == layout.shape.count
    else { throw DecodeError(.inconsistent("rank of a chunk"), place) }
    (self.extents, self.maximum) = (extents, maximum)
    guard layout.elementSize == dataset.type.size else {
      throw DecodeError(.inconsistent("element size of a chunk"), place)
    }
    chunkSize = Checked.product(layout.shape + [layout.elementSize]) ?? .max
    guard chunkSize <= reading.image.limits.expandedBytes else {
      throw DecodeError(.limit("expanded bytes", reading.image.limits.expandedBytes), place)
    }
  }

  /// All elements, `size` bytes; what no chunk holds is the fill value.
  ///
  /// Besides the result, at most a few chunks are in memory. No more than `Limits.expandedBytes` are
  /// decompressed in all, and no chunk twice.
  ///
  /// - Parameter native: the form that the elements take in place; their own form otherwise.
  func read(size: Int, as native: HDF5Type?) throws(DecodeError) -> Bytes {
    let index = ChunkIndex(
      layout: layout, extents: extents, maximum: maximum, isFiltered: !dataset.filters.isEmpty,
      chunkSize: chunkSize, reading: reading)
    let place = reading.image.place(dataset.address)
    guard size <= reading.image.limits.expandedBytes else {
      throw DecodeError(.limit("expanded bytes", reading.image.limits.expandedBytes), place)
    }
    return try ResultBuffer.bytes(size) { (target) throws(DecodeError) in
      var assembly = ChunkAssembly(dataset, layout, extents, chunkSize, target)
      try index.forEach { (chunk) throws(DecodeError) in try assembly.add(chunk, reading) }
      assembly.finish(with: dataset.fill)
      if let native { NativeForm.convert(target, dataset.type, native) }
    }
  }
}

/// The result of reading a chunked data set, as it grows.
private struct ChunkAssembly {
  private let layout: ChunkLayout
  private let extents: [Int]
  private let chunkSize: Int
  private let target: UnsafeMutableRawBufferPointer
  private let decoder: ChunkDecoder
  private let grid: ChunkGrid
  private var seen: Set<Int> = []
  private var left: Int
  /// Dimensions before the first that chunks do not cut; those behind it lie in one run.
  private let cutRank: Int
  private let limit: Int
  private var trail: ReadTrail

  init(
    _ dataset: HDF5Dataset, _ layout: ChunkLayout, _ extents: [Int], _ chunkSize: Int,
    _ target: UnsafeMutableRawBufferPointer
  ) {
    (self.layout, self.extents, self.chunkSize, self.target) = (layout, extents, chunkSize, target)
    decoder = ChunkDecoder(dataset.filters, chunkSize: chunkSize)
    grid = ChunkGrid(extents, layout.shape, growing: nil)
    limit = dataset.image.limits.expandedBytes
    left = limit
    trail = ReadTrail(dataset.image.bytes)
    var rank = extents.count
    while rank > 1, layout.shape[rank - 1] == extents[rank - 1] { rank -= 1 }
    cutRank = rank
  }

  mutating func add(_ chunk: StoredChunk, _ reading: Reading) throws(DecodeError) {
    var offsets: [Int] = []
    var isClipped = false
    for (dimension, position) in chunk.position.enumerated() {
      guard let offset = Checked.multiply(position, layout.shape[dimension]),
        offset < extents[dimension]
      else { return }
      offsets.append(offset)
      if extents[dimension] - offset < layout.shape[dimension] { isClipped = true }
    }
    let number = grid.index(of: chunk.position)
    let place = reading.image.place(chunk.address).inside("chunk", at: number)
    guard seen.insert(number).inserted else {
      throw DecodeError(.duplicate("chunk"), place)
    }
    try Place(road: place.road).locating { () throws(DecodeError) in
      let stored = try reading.data(at: chunk.address, count: chunk.size)
      defer { trail.add(chunk.address..<chunk.address + chunk.size) }
      var mask = chunk.mask
      if isClipped, layout.leavesEdgesUnfiltered { mask = .max }
      let job = ChunkDecoder.Job(
        stored: stored, mask: mask, place: reading.image.place(chunk.address))
      if decoder.leavesAlone(job) {
        guard stored.count == chunkSize else {
          throw DecodeError(.inconsistent("size of a chunk"), job.place)
        }
        return stored.withUnsafeBytes { scatter($0, offsets) }
      }
      guard chunkSize <= left else { throw DecodeError(.limit("expanded bytes", limit), job.place) }
      left -= chunkSize
      if !isClipped, let run = run(at: offsets) {
        try decoder.decode(job, into: run)
      } else {
        scatter(UnsafeRawBufferPointer(try decoder.decode(job)), offsets)
      }
    }
  }

  /// Writes the fill value where no chunk was.
  mutating func finish(with fill: Bytes?) {
    trail.end()
    guard seen.count < grid.count else { return }
    guard !seen.isEmpty else { return Self.repeat(fill, over: target) }
    let scratch = ScratchBuffer()
    defer { withExtendedLifetime(scratch) {} }
    let empty = scratch.bytes(chunkSize)
    Self.repeat(fill, over: empty)
    for number in 0..<grid.count where !seen.contains(number) {
      let offsets = zip(grid.position(of: number), layout.shape).map { $0 * $1 }
      scatter(UnsafeRawBufferPointer(empty), offsets)
    }
  }

  private static func `repeat`(_ fill: Bytes?, over target: UnsafeMutableRawBufferPointer) {
    if let fill {
      HDF5Dataset.repeat(fill, over: target)
    } else {
      target.initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  /// Where a whole chunk goes that lies in one run; nil when it does not.
  private func run(at offsets: [Int]) -> UnsafeMutableRawBufferPointer? {
    for dimension in 0..<max(0, cutRank - 1) where layout.shape[dimension] != 1 { return nil }
    let start = offset(of: offsets)
    guard start >= 0, start + chunkSize <= target.count else { return nil }
    return UnsafeMutableRawBufferPointer(rebasing: target[start..<start + chunkSize])
  }

  /// Distance of an element from the start of the result in bytes.
  private func offset(of coordinates: [Int]) -> Int {
    var offset = 0
    for (extent, coordinate) in zip(extents, coordinates) { offset = offset * extent + coordinate }
    return offset * layout.elementSize
  }

  /// Copies the part of a chunk that lies within the data set, run by run.
  private func scatter(_ chunk: UnsafeRawBufferPointer, _ offsets: [Int]) {
    let last = cutRank - 1
    let tail = layout.shape[cutRank...].reduce(layout.elementSize, *)
    let counts = (0..<cutRank).map { min(layout.shape[$0], extents[$0] - offsets[$0]) }
    let length = counts[last] * tail
    var inside = [Int](repeating: 0, count: cutRank)
    while true {
      var (from, to) = (0, 0)
      for dimension in 0..<cutRank {
        from = from * layout.shape[dimension] + inside[dimension]
        to = to * extents[dimension] + offsets[dimension] + inside[dimension]
      }
      let source = UnsafeRawBufferPointer(rebasing: chunk[from * tail..<from * tail + length])
      UnsafeMutableRawBufferPointer(rebasing: target[to * tail..<to * tail + length])
        .copyMemory(from: source)
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
}
