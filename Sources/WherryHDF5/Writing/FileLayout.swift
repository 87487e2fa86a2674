import WherryBytes

/// Gives everything of a file its place, children before the groups that name them.
struct FileLayout {
  /// Where a group's parts are.
  struct GroupPlace {
    let header: Int
    let tree: Int
    let heap: Int
  }

  private(set) var pieces: [FilePiece] = []
  /// Where the next piece goes.
  private(set) var end = HDF5Writer.superblockSize
  /// Bytes of packed chunks that may still be kept for writing.
  private var keepable: Int
  /// The collection of the heap that takes values, and the piece that it will be.
  private var heap: (heap: HeapWriting, piece: Int)?

  init(largest: Int) { keepable = largest }

  private mutating func append(_ bytes: [UInt8]) -> Int {
    let start = end
    pieces.append(.bytes(bytes))
    end += bytes.count
    return start
  }

  private mutating func align(_ alignment: Int) {
    let missing = (alignment - end % alignment) % alignment
    if missing > 0 { _ = append([UInt8](repeating: 0, count: missing)) }
  }

  /// - Parameter path: the group's own, "" for the root.
  mutating func add(
    _ group: HDF5Draft.Group, path: String, _ place: Place
  ) throws(EncodeError) -> GroupPlace {
    var entries: [GroupWriting.Entry] = []
    var names: Set<HDF5Name> = []
    for member in group.members.sorted(by: { HDF5Name($0.name) < HDF5Name($1.name) }) {
      guard !member.name.isEmpty, member.name != ".",
        !member.name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
      else { throw EncodeError(.inexpressible("link name \"\(member.name)\""), place) }
      guard names.insert(HDF5Name(member.name)).inserted else {
        throw EncodeError(.invalid("two links \"\(member.name)\""), place)
      }
      let inner = "\(path)/\(member.name)"
      let target: GroupWriting.Entry.Target
      switch member.object {
      case .group(let group):
        target = .header(try add(group, path: inner, Place().inside("group", inner)).header)
      case .dataset(let dataset):
        target = .header(try add(dataset, Place().inside("data set", inner)))
      case .softLink(let path):
        guard !path.isEmpty, !path.utf8.contains(0) else {
          throw EncodeError(.inexpressible("soft link to \"\(path)\""), place)
        }
        target = .path(path)
      }
      entries.append(GroupWriting.Entry(name: member.name, target: target))
    }
    align(8)
    let table = GroupWriting(entries, at: end)
    for block in table.blocks { _ = append(block) }
    var header = HeaderWriting(place)
    var message = ByteWriter()
    message.integer(table.treeAddress)
    message.integer(table.heapAddress)
    try header.add(HeaderMessage.Kind.symbolTable, message.bytes, "symbol table")
    try add(group.attributes, to: &header)
    return GroupPlace(
      header: append(try header.bytes()), tree: table.treeAddress, heap: table.heapAddress)
  }

  private mutating func add(
    _ attributes: [HDF5Draft.Attribute], to header: inout HeaderWriting
  ) throws(EncodeError) {
    var names: Set<HDF5Name> = []
    for attribute in attributes {
      let place = header.place.inside("attribute", attribute.name)
      guard names.insert(HDF5Name(attribute.name)).inserted else {
        throw EncodeError(.invalid("two attributes \"\(attribute.name)\""), header.place)
      }
      let value = attribute.value
      let content = try FilePiece.Elements(value, place)
      let data =
        switch value.content {
        case .runs(let runs): try addRuns(runs, value.type, place)
        default: try content.bytes().array
        }
      try header.addAttribute(attribute.name, value, data: data)
    }
  }

  /// Puts values of variable length into the heap.
  ///
  /// - Returns: the pointers to them.
  private mutating func addRuns(
    _ runs: [Bytes], _ type: HDF5Type, _ place: Place
  ) throws(EncodeError) -> [UInt8] {
    var elementSize = 1
    if case .sequence(let base, _) = type { elementSize = base.size }
    var left = runs.reduce(0) { $0 + ($1.isEmpty ? 0 : HeapWriting.objectSize($1)) }
    var pointers = ByteWriter()
    for run in runs {
      guard run.count % elementSize == 0, let count = UInt32(exactly: run.count / elementSize)
      else { throw EncodeError(.invalid("run of \(run.count) bytes"), place) }
      if count == 0 {
        pointers.raw(repeatElement(0, count: HeapWriting.pointerSize))
        continue
      }
      let (address, number) = addToHeap(run, left: left)
      pointers.integer(count)
      pointers.integer(address)
      pointers.integer(UInt32(number))
      left -= HeapWriting.objectSize(run)
    }
    return pointers.bytes
  }

  /// - Parameter left: bytes of all values that are to follow, this one among them.
  /// - Returns: the address of the value's collection and its number there.
  private mutating func addToHeap(_ value: Bytes, left: Int) -> (Int, Int) {
    let needed = HeapWriting.objectSize(value)
    if heap.map({ $0.heap.room >= needed }) != true {
      align(8)
      var fresh = HeapWriting(at: end, wanted: left, least: needed)
      let piece = pieces.count
      _ = append([UInt8](repeating: 0, count: fresh.size))
      // A value too large to share a collection has one of its own, beside the open one.
      if let open = heap, fresh.room - needed < open.heap.room {
        let number = fresh.add(value)
        pieces[piece] = .bytes(fresh.bytes)
        return (fresh.address, number)
      }
      closeHeap()
      heap = (fresh, piece)
    }
    guard let number = heap?.heap.add(value), let address = heap?.heap.address else {
      return (0, 0)
    }
    return (address, number)
  }

  /// Fills the place of the open collection.
  mutating func closeHeap() {
    if let (heap, piece) = heap { pieces[piece] = .bytes(heap.bytes) }
    heap = nil
  }

  /// - Returns: the address of the data set's header.
  private mutating func add(
    _ dataset: HDF5Draft.Dataset, _ place: Place
  ) throws(EncodeError) -> Int {
    var value = dataset.value
    var elements = try FilePiece.Elements(value, place)
    if case .runs(let runs) = value.content {
      value.content = .bytes(Bytes(try addRuns(runs, value.type, place)))
      elements = try FilePiece.Elements(value, place, hasPointers: true)
    }
    var header = HeaderWriting(place)
    let kind = HeaderMessage.Kind.self
    try header.add(kind.dataspace, try HeaderWriting.encoded(value.space, place), "dataspace")
    try header.add(kind.datatype, try value.type.encoded(place), "type")
    switch dataset.storage {
    case .contiguous:
      try header.add(kind.fillValue, [2, 2, 2, 1, 0, 0, 0, 0], "fill value")
      try header.add(kind.layout, addContiguous(elements), "data layout")
    case .chunked(let shape, let level, let shuffle):
      let chunks = try Self.chunks(value, shape, level, shuffle, place)
      try header.add(kind.fillValue, [2, 3, 2, 1, 0, 0, 0, 0], "fill value")
      if let filters = chunks.filters { try header.add(kind.filters, filters, "filters") }
      try header.add(kind.layout, try addChunked(elements, chunks), "data layout")
    }
    try add(dataset.attributes, to: &header)
    align(8)
    return append(try header.bytes())
  }

  private mutating func addContiguous(_ elements: FilePiece.Elements) -> [UInt8] {
    align(elements.size < 512 ? 8 : 64)
    var layout = ByteWriter()
    layout.raw([3, 1])
    layout.integer(elements.size > 0 ? UInt64(end) : .max)
    layout.integer(elements.size)
    if elements.size > 0 {
      pieces.append(.elements(elements))
      end += elements.size
    }
    return layout.bytes
  }

  private static func chunks(
    _ value: HDF5Draft.Value, _ shape: [Int], _ level: Int?, _ shuffle: Bool, _ place: Place
  ) throws(EncodeError) -> ChunkWriting {
    guard case .simple(let extents, _) = value.space, extents.count == shape.count,
      shape.allSatisfy({ $0 > 0 }), let size = Checked.product(shape + [value.type.size]),
      size <= 1 << 31
    else { throw EncodeError(.invalid("chunk shape \(shape)"), place) }
    guard level.map({ (0...9).contains($0) }) ?? true else {
      throw EncodeError(.invalid("deflate level \(level ?? 0)"), place)
    }
    return ChunkWriting(
      extents: extents, shape: shape, elementSize: value.type.size, level: level, shuffle: shuffle)
  }

  private mutating func addChunked(
    _ elements: FilePiece.Elements, _ chunks: ChunkWriting
  ) throws(EncodeError) -> [UInt8] {
    align(8)
    let start = end
    var sizes: [Int] = []
    var kept: [Bytes]? = []
    if elements.size == 0 {
      kept = nil
    } else if chunks.level == nil {
      sizes = chunks.offsets.map { _ in chunks.chunkSize }
      kept = nil
    } else {
      try chunks.forEachPacked(try elements.bytes()) { (packed) throws(EncodeError) in
        sizes.append(packed.count)
        guard kept != nil else { return }
        keepable -= packed.count
        if keepable >= 0 { kept?.append(Bytes(packed)) } else { kept = nil }
      }
    }
    end += sizes.reduce(0, +)
    if let kept {
      pieces += kept.map { .packed($0) }
    } else if !sizes.isEmpty {
      pieces.append(.chunks(elements, chunks))
    }
    align(8)
    var root: UInt64 = .max
    if !sizes.isEmpty {
      let tree = chunks.tree(sizes: sizes, data: start, at: end)
      for node in tree.nodes { _ = append(node) }
      root = UInt64(tree.rootAddress)
    }
    var layout = ByteWriter()
    layout.raw([3, 2, UInt8(chunks.shape.count + 1)])
    layout.integer(root)
    for extent in chunks.shape { layout.integer(UInt32(truncatingIfNeeded: extent)) }
    layout.integer(UInt32(truncatingIfNeeded: chunks.elementSize))
    return layout.bytes
  }
}
