import WherryBytes

/// Packs values of variable length into collections of the global heap.
struct HeapWriting {
  /// Bytes of a pointer: a count, the address of a collection, a number within it.
  static let pointerSize = 16
  private static let headSize = 16
  private static let leastSize = 4096
  /// A collection this full takes no more values.
  private static let fullSize = 1 << 16

  /// The collections, to be written one after the other at the address given.
  private(set) var collections: [[UInt8]] = []
  private(set) var pointers = ByteWriter()

  /// - Parameters:
  ///   - address: where the first collection will be.
  ///   - elementSize: bytes of an element of a run; the pointers count elements.
  init(_ runs: [Bytes], elementSize: Int, at address: Int, _ place: Place) throws(EncodeError) {
    var address = address
    var open = ByteWriter()
    var number = 0
    func close(_ open: ByteWriter) -> [UInt8] {
      let used = Self.headSize + open.count
      let size = max(Self.leastSize, used)
      var writer = ByteWriter()
      writer.raw("GCOL".utf8)
      writer.integer(UInt32(1))
      writer.integer(size)
      writer.raw(open.bytes)
      if size - used >= Self.headSize {
        writer.integer(UInt64(0))
        writer.integer(size - used)
      }
      writer.raw(repeatElement(0, count: size - writer.count))
      return writer.bytes
    }
    for run in runs {
      guard run.count % elementSize == 0, let count = UInt32(exactly: run.count / elementSize)
      else { throw EncodeError(.invalid("run of \(run.count) bytes"), place) }
      if count == 0 {
        pointers.raw(repeatElement(0, count: Self.pointerSize))
        continue
      }
      if number > 0, open.count + run.count > Self.fullSize || number == 0xFFFF {
        let bytes = close(open)
        collections.append(bytes)
        address += bytes.count
        (open, number) = (ByteWriter(), 0)
      }
      number += 1
      open.integer(UInt16(number))
      open.integer(UInt16(1))
      open.integer(UInt32(0))
      open.integer(run.count)
      open.raw(run)
      open.pad(to: 8)
      pointers.integer(count)
      pointers.integer(address)
      pointers.integer(UInt32(number))
    }
    if number > 0 { collections.append(close(open)) }
  }
}
