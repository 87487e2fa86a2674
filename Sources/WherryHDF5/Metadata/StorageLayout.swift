import WherryBytes

/// Where the elements of a data set are.
enum StorageLayout: Sendable {
  /// In the header itself.
  case compact(Bytes)
  /// In one run, with its size where the file states it; no address means that nothing is stored yet.
  case contiguous(Int?, size: Int?)
  case chunked(ChunkLayout)
  /// Put together from other data sets.
  case virtual

  /// - Source: HDF5 File Format Specification 3.0, section IV.A.2.i.
  static func read(_ message: FieldReader) throws(DecodeError) -> StorageLayout {
    var fields = message
    let place = fields.place
    let version = try fields.version(1...5, of: "data layout")
    if version < 3 { return try old(&fields, place) }
    switch try fields.u8() {
    case 0: return .compact(try fields.take(try fields.u16()))
    case 1:
      let address = try fields.address()
      return .contiguous(address, size: try fields.length())
    case 2:
      return .chunked(
        version == 3 ? try ChunkLayout(version3: &fields) : try ChunkLayout(version4: &fields))
    case 3: return .virtual
    case let kind: throw DecodeError(.invalid("data layout \(kind)"), place)
    }
  }

  private static func old(
    _ fields: inout FieldReader, _ place: Place
  ) throws(DecodeError) -> StorageLayout {
    let rank = try fields.u8()
    let kind = try fields.u8()
    try fields.skip(5)
    guard rank <= 33, kind <= 2 else { throw DecodeError(.invalid("data layout \(kind)"), place) }
    let address = kind == 0 ? nil : try fields.address()
    var extents: [Int] = []
    for _ in 0..<rank { extents.append(try fields.u32()) }
    switch kind {
    case 0: return .compact(try fields.take(try fields.u32()))
    case 1: return .contiguous(address, size: nil)
    default:
      return .chunked(try ChunkLayout(extents, index: .versionOneTree, address: address, place))
    }
  }
}

/// How a data set is cut into chunks, and what finds them.
struct ChunkLayout: Sendable {
  enum Index: Sendable {
    case versionOneTree
    /// One chunk; its size and the filters it skips where it is filtered.
    case single(size: Int?, mask: UInt32)
    /// All chunks one after the other.
    case implicit
    case fixedArray
    case extensibleArray
    case versionTwoTree
  }

  /// Extents of a chunk, slowest first, without the element size.
  let shape: [Int]
  let elementSize: Int
  let index: Index
  /// Where the index starts; nil when no chunk is stored yet.
  let address: Int?
  /// Whether chunks that reach beyond the data set's edge skip all filters.
  var leavesEdgesUnfiltered = false

  init(_ extents: [Int], index: Index, address: Int?, _ place: Place) throws(DecodeError) {
    guard extents.count >= 2, extents.count <= 33, extents.allSatisfy({ $0 > 0 }),
      let elementSize = extents.last, Checked.product(extents) != nil
    else { throw DecodeError(.invalid("extents of a chunk"), place) }
    shape = Array(extents.dropLast())
    (self.elementSize, self.index, self.address) = (elementSize, index, address)
  }

  init(version3 fields: inout FieldReader) throws(DecodeError) {
    let place = fields.place
    let rank = try fields.u8()
    let address = try fields.address()
    var extents: [Int] = []
    for _ in 0..<min(rank, 34) { extents.append(try fields.u32()) }
    try self.init(extents, index: .versionOneTree, address: address, place)
  }

  /// Version 5 differs from 4 in the width of chunk sizes, which the indexes state themselves.
  init(version4 fields: inout FieldReader) throws(DecodeError) {
    let place = fields.place
    let flags = try fields.u8()
    let rank = try fields.u8()
    let width = try fields.u8()
    var extents: [Int] = []
    for _ in 0..<min(rank, 34) { extents.append(try fields.count(width: width)) }
    let index: Index
    switch try fields.u8() {
    case 1:
      let isFiltered = flags & 2 != 0
      index = .single(
        size: isFiltered ? try fields.length() : nil, mask: isFiltered ? try fields.raw32() : 0)
    case 2: index = .implicit
    case 3:
      try fields.skip(1)
      index = .fixedArray
    case 4:
      try fields.skip(5)
      index = .extensibleArray
    case 5:
      try fields.skip(6)
      index = .versionTwoTree
    case let kind: throw DecodeError(.unsupported("chunk index \(kind)"), place)
    }
    try self.init(extents, index: index, address: try fields.address(), place)
    leavesEdgesUnfiltered = flags & 1 != 0
  }
}
