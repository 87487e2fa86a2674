import WherryBytes

/// Bytes with repeated runs written as copies: the form of the graph section, whose names and records resemble
/// each other.
///
/// - Source: formats/Native/README.md, "Repetitions".
enum Repetitions {
  /// The shortest and the longest copy.
  static let shortest = 3
  static let longest = shortest + 255
  /// Eight copies of the longest kind take 17 bytes.
  static let mostExpansion = 128
  /// Earlier places with the same three bytes that are tried.
  private static let attempts = 64

  /// The copies are chosen greedily, so equal bytes give equal results.
  static func pack(_ bytes: [UInt8]) -> [UInt8] {
    var result = ByteWriter()
    result.natural(UInt64(bytes.count))
    var items: [[UInt8]] = []
    var flags: UInt8 = 0
    func flush() {
      guard !items.isEmpty else { return }
      result.integer(flags)
      for item in items { result.raw(item) }
      (items, flags) = ([], 0)
    }
    var search = Search(bytes)
    var at = 0
    while at < bytes.count {
      if let copy = search.best(at) {
        var item = ByteWriter()
        item.integer(UInt8(copy.length - shortest))
        item.natural(UInt64(copy.distance))
        flags |= 1 << UInt8(items.count)
        items.append(item.bytes)
        for place in at..<at + copy.length { search.add(place) }
        at += copy.length
      } else {
        items.append([bytes[at]])
        search.add(at)
        at += 1
      }
      if items.count == 8 { flush() }
    }
    flush()
    return result.bytes
  }

  /// - Throws: `DecodeError` when a copy reaches before the start, the size isn't what was stated, or it is more
  ///   than the limits or these bytes allow.
  static func unpack(_ packed: Bytes, origin: Int, limits: Limits) throws(DecodeError) -> Bytes {
    var reader = ByteReader(packed, origin: origin)
    let stated = Int(exactly: try reader.natural())
    guard let size = stated, size / mostExpansion <= packed.count, size <= limits.expandedBytes
    else { throw DecodeError(.limit("bytes of the graph", limits.expandedBytes), .byte(origin)) }
    var result: [UInt8] = []
    result.reserveCapacity(size)
    while result.count < size {
      var flags = try reader.integer(UInt8.self)
      for _ in 0..<8 where result.count < size {
        let place = reader.place
        if flags & 1 == 0 {
          result.append(try reader.integer(UInt8.self))
        } else {
          let length = Int(try reader.integer(UInt8.self)) + shortest
          guard let distance = Int(exactly: try reader.natural()), distance >= 1,
            distance <= result.count, length <= size - result.count
          else { throw DecodeError(.invalid("a repetition"), place) }
          for _ in 0..<length { result.append(result[result.count - distance]) }
        }
        flags >>= 1
      }
      guard flags == 0 else { throw DecodeError(.invalid("a repetition"), reader.place) }
    }
    guard reader.isAtEnd else {
      throw DecodeError(.invalid("bytes after the end of the graph"), reader.place)
    }
    return Bytes(result)
  }

  /// Chains of earlier places that begin with the same three bytes.
  private struct Search {
    let bytes: [UInt8]
    private var last = [Int](repeating: -1, count: 1 << 15)
    private var before: [Int]

    init(_ bytes: [UInt8]) {
      self.bytes = bytes
      before = [Int](repeating: -1, count: bytes.count)
    }

    private func slot(_ at: Int) -> Int? {
      guard at + shortest <= bytes.count else { return nil }
      let word = UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
      return Int((word &* 0x9E37_79B1) >> 17)
    }

    mutating func add(_ at: Int) {
      guard let slot = slot(at) else { return }
      (before[at], last[slot]) = (last[slot], at)
    }

    /// The copy that saves most bytes at a place.
    func best(_ at: Int) -> (length: Int, distance: Int)? {
      guard let slot = slot(at) else { return nil }
      var best: (length: Int, distance: Int)?
      var saved = 0
      var place = last[slot]
      for _ in 0..<attempts where place >= 0 {
        let limit = min(longest, bytes.count - at)
        var length = 0
        while length < limit, bytes[place + length] == bytes[at + length] { length += 1 }
        let gain = length - 1 - ByteWriter.naturalBytes(UInt64(at - place))
        if length >= shortest, gain > saved { (best, saved) = ((length, at - place), gain) }
        if length == limit { break }
        place = before[place]
      }
      return best
    }
  }
}

extension ByteWriter {
  /// A number in groups of seven bits, lowest first.
  mutating func natural(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      integer(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    integer(UInt8(truncatingIfNeeded: rest))
  }

  static func naturalBytes(_ value: UInt64) -> Int {
    max((64 - value.leadingZeroBitCount + 6) / 7, 1)
  }
}

extension ByteReader {
  /// A number in groups of seven bits, in no more bytes than needed.
  mutating func natural() throws(DecodeError) -> UInt64 {
    let start = place
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try integer(UInt8.self)
      let bits = UInt64(byte & 0x7F)
      guard shift < 63 || bits <= 1 else { break }
      result |= bits << shift
      if byte < 0x80 {
        // One way to write a number, so that equal models are equal bytes.
        guard byte != 0 || shift == 0 else { break }
        return result
      }
    }
    throw DecodeError(.invalid("a variable-length number"), start)
  }
}
