import WherryBytes

/// A collection of the global heap that is being filled with values of variable length.
///
/// Small values of many attributes share one; libhdf5 refuses collections of less than 4096 bytes, so
/// one for each attribute would be many times what is in it.
struct HeapWriting {
  /// Bytes of a pointer: a count, the address of a collection, a number within it.
  static let pointerSize = 16
  private static let headSize = 16
  private static let leastSize = 4096
  /// A collection this full takes no more values.
  private static let fullSize = 1 << 16

  let address: Int
  /// Bytes of the whole collection.
  let size: Int
  private var objects = ByteWriter()
  private var number = 0

  /// A collection with room for `wanted` bytes of objects, as far as one is not too full with them, and
  /// for `least` bytes at all events.
  init(at address: Int, wanted: Int, least: Int) {
    self.address = address
    size = max(Self.leastSize, Self.headSize + max(min(wanted, Self.fullSize), least))
  }

  /// Bytes that a value takes in a collection.
  static func objectSize(_ value: Bytes) -> Int { headSize + (value.count + 7) / 8 * 8 }

  /// Bytes that are still free.
  var room: Int { number < 0xFFFF ? size - Self.headSize - objects.count : 0 }

  /// Adds a value, for which there must be room.
  ///
  /// - Returns: its number.
  mutating func add(_ value: Bytes) -> Int {
    number += 1
    objects.integer(UInt16(number))
    objects.integer(UInt16(1))
    objects.integer(UInt32(0))
    objects.integer(value.count)
    objects.raw(value)
    objects.pad(to: 8)
    return number
  }

  /// The whole collection.
  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.raw("GCOL".utf8)
    writer.integer(UInt32(1))
    writer.integer(size)
    writer.raw(objects.bytes)
    let free = size - writer.count
    if free >= Self.headSize {
      writer.integer(UInt64(0))
      writer.integer(free)
    }
    writer.raw(repeatElement(0, count: size - writer.count))
    return writer.bytes
  }
}
