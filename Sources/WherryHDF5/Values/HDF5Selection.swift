import WherryBytes

/// Which elements of a data set a region reference points at.
///
/// - Source: HDF5 File Format Specification 3.0, section III.E and appendix D ("Dataspace Encoding").
public enum HDF5Selection: Hashable, Sendable {
  case nothing
  case everything
  /// Single elements by their coordinates.
  case points([[Int]])
  /// Blocks, each from its first to its last element.
  case blocks([Block])
  /// Blocks in a regular pattern, one entry a dimension.
  case pattern([Stride])

  public struct Block: Hashable, Sendable {
    public var first: [Int]
    public var last: [Int]

    public init(first: [Int], last: [Int]) {
      (self.first, self.last) = (first, last)
    }
  }

  /// `count` blocks of `block` elements, `stride` apart.
  public struct Stride: Hashable, Sendable {
    public var start, stride, count, block: Int
  }

  static func read(_ fields: inout FieldReader) throws(DecodeError) -> HDF5Selection {
    let place = fields.place
    let kind = try fields.u32()
    let version = try fields.u32()
    switch (kind, version) {
    case (0, 1): return .nothing
    case (3, 1): return .everything
    case (1, 1), (2, 1):
      try fields.skip(8)
      let rank = try rank(&fields)
      return kind == 1
        ? .points(try points(&fields, rank, width: 4))
        : .blocks(try blocks(&fields, rank, width: 4))
    case (1, 2):
      let width = try fields.u8()
      return .points(try points(&fields, try rank(&fields), width: width))
    case (2, 2):
      try fields.skip(1 + 4)
      return .pattern(try pattern(&fields, try rank(&fields), width: 8))
    case (2, 3):
      let flags = try fields.u8()
      let width = try fields.u8()
      let rank = try rank(&fields)
      return flags & 1 != 0
        ? .pattern(try pattern(&fields, rank, width: width))
        : .blocks(try blocks(&fields, rank, width: width))
    default: throw DecodeError(.unsupported("selection \(kind) version \(version)"), place)
    }
  }

  private static func rank(_ fields: inout FieldReader) throws(DecodeError) -> Int {
    let place = fields.place
    let rank = try fields.u32()
    guard (1...32).contains(rank) else { throw DecodeError(.invalid("rank \(rank)"), place) }
    return rank
  }

  private static func coordinates(
    _ fields: inout FieldReader, _ rank: Int, width: Int
  ) throws(DecodeError) -> [Int] {
    var point: [Int] = []
    for _ in 0..<rank { point.append(try fields.count(width: width)) }
    return point
  }

  private static func points(
    _ fields: inout FieldReader, _ rank: Int, width: Int
  ) throws(DecodeError) -> [[Int]] {
    var points: [[Int]] = []
    for _ in 0..<(try count(&fields, rank * width, width: width)) {
      points.append(try coordinates(&fields, rank, width: width))
    }
    return points
  }

  private static func blocks(
    _ fields: inout FieldReader, _ rank: Int, width: Int
  ) throws(DecodeError) -> [Block] {
    var blocks: [Block] = []
    for _ in 0..<(try count(&fields, 2 * rank * width, width: width)) {
      let first = try coordinates(&fields, rank, width: width)
      blocks.append(Block(first: first, last: try coordinates(&fields, rank, width: width)))
    }
    return blocks
  }

  /// A number of items of `size` bytes that the remaining bytes can hold.
  private static func count(
    _ fields: inout FieldReader, _ size: Int, width: Int
  ) throws(DecodeError) -> Int {
    let place = fields.place
    let count = try fields.count(width: width)
    guard let bytes = Checked.multiply(count, size), bytes <= fields.remaining else {
      throw DecodeError(.truncated(needed: count, available: fields.remaining), place)
    }
    return count
  }

  private static func pattern(
    _ fields: inout FieldReader, _ rank: Int, width: Int
  ) throws(DecodeError) -> [Stride] {
    var strides: [Stride] = []
    for _ in 0..<rank {
      strides.append(
        Stride(
          start: try fields.count(width: width), stride: try fields.count(width: width),
          count: try fields.count(width: width), block: try fields.count(width: width)))
    }
    return strides
  }
}
