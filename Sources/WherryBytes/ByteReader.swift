/// A bounded cursor over untrusted little-endian bytes: every read is checked and names its offset.
public struct ByteReader: Sendable {
  public let bytes: Bytes
  /// Distance of the next byte from the start of `bytes`.
  public private(set) var offset = 0
  /// What `bytes` is part of; offsets in errors count from `origin`.
  public let origin: Int

  public init(_ bytes: Bytes, origin: Int = 0) {
    (self.bytes, self.origin) = (bytes, origin)
  }

  public var remaining: Int { bytes.count - offset }
  public var isAtEnd: Bool { remaining == 0 }
  public var place: Place { .byte(origin + offset) }

  /// The next `count` bytes, shared, not copied.
  public mutating func take(_ count: Int) throws(DecodeError) -> Bytes {
    guard count >= 0,
      let slice = bytes.slice(offset..<max(offset, Checked.add(offset, count) ?? .max)),
      count <= remaining
    else { throw DecodeError(.truncated(needed: count, available: remaining), place) }
    offset += count
    return slice
  }

  /// The next fixed-width integer or bit pattern, little-endian.
  public mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
    _ type: T.Type = T.self
  ) throws(DecodeError) -> T {
    let slice = try take(MemoryLayout<T>.size)
    return slice.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(as: T.self)) }
  }

  /// A count that the remaining bytes can justify: at least `elementSize` bytes each.
  public mutating func count(elementSize: Int) throws(DecodeError) -> Int {
    let start = place
    let value = Int(try integer(UInt32.self))
    guard let bytes = Checked.multiply(value, elementSize), bytes <= remaining else {
      throw DecodeError(.truncated(needed: value, available: remaining), start)
    }
    return value
  }

  public mutating func skip(_ count: Int) throws(DecodeError) { _ = try take(count) }

  public mutating func seek(_ target: Int) throws(DecodeError) {
    guard target >= 0, target <= bytes.count else {
      throw DecodeError(.truncated(needed: target, available: bytes.count), place)
    }
    offset = target
  }
}
