import WherryBytes

/// The bytes of one HDF5 file from its superblock on; every address in the file counts from there.
struct FileImage: Sendable {
  /// From the superblock to the end of the file.
  let bytes: Bytes
  /// Distance of the superblock from the start of the whole file: the size of the user block.
  let base: Int
  /// Bytes of an address and of a length in this file: 2, 4 or 8.
  var widths = FieldWidths(address: 8, length: 8)
  /// The header of the root group.
  var rootAddress = 0
  /// The header with settings of the whole file, such as the table of shared messages.
  var extensionAddress: Int?
  /// Metadata that is not at its own place.
  var cache: CacheImage?
  /// Off only in tests, where damaged blocks must get past their checksums.
  var verifiesChecksums = true
  let limits: Limits

  func place(_ address: Int) -> Place { .byte(Checked.add(base, address) ?? .max) }
}

/// How many bytes the addresses and lengths of a file take.
struct FieldWidths: Hashable, Sendable {
  var address: Int
  var length: Int
}

/// One call's way into a file: what it reads is bounded, and what it may spend on metadata too.
///
/// A hostile file can make one block serve as thousands of headers, each costing time. So every
/// metadata byte that a call touches is counted, however often, against a budget that grows with
/// the file.
struct Reading {
  let image: FileImage
  private let budget: Budget

  private final class Budget {
    var metadataBytes: Int
    /// The heaps of shared messages that this call has used, by the kind of message.
    var sharedHeaps: [Int: FractalHeap] = [:]
    init(_ bytes: Int) { metadataBytes = bytes }
  }

  init(_ image: FileImage) {
    self.image = image
    let grown = Checked.multiply(image.bytes.count, 32).flatMap { Checked.add($0, 32 << 20) }
    budget = Budget(grown ?? .max)
  }

  /// The heap of shared messages of a kind, found once in a call.
  func sharedHeap(
    _ kind: Int, _ find: () throws(DecodeError) -> FractalHeap
  ) throws(DecodeError) -> FractalHeap {
    if let known = budget.sharedHeaps[kind] { return known }
    let heap = try find()
    budget.sharedHeaps[kind] = heap
    return heap
  }

  /// Counts `count` bytes of metadata.
  func spend(_ count: Int, at place: Place) throws(DecodeError) {
    guard count <= budget.metadataBytes else {
      throw DecodeError(.limit("metadata bytes in one call", budget.metadataBytes), place)
    }
    budget.metadataBytes -= count
  }

  /// `count` bytes of metadata at an address.
  func fields(at address: Int, count: Int) throws(DecodeError) -> FieldReader {
    let place = image.place(address)
    let bytes = try data(at: address, count: count)
    try spend(count, at: place)
    return FieldReader(bytes, origin: image.base + address, widths: image.widths)
  }

  /// `count` bytes of raw data at an address; shared, not copied.
  func data(at address: Int, count: Int) throws(DecodeError) -> Bytes {
    guard address >= 0, count >= 0, let end = Checked.add(address, count),
      let bytes = image.cache?.bytes(at: address, count: count)
        ?? image.bytes.slice(address..<end)
    else {
      let left = max(0, image.bytes.count - max(0, address))
      throw DecodeError(.truncated(needed: count, available: left), image.place(address))
    }
    return bytes
  }

  /// A checksummed block whose last four bytes are the checksum of the rest.
  ///
  /// - Throws: `.inconsistent` when the sum is wrong.
  func checkedFields(at address: Int, count: Int, _ what: String) throws(DecodeError)
    -> FieldReader
  {
    var fields = try fields(at: address, count: count)
    guard count >= 4 else { throw DecodeError(.invalid("\(what) size"), image.place(address)) }
    let body = try fields.take(count - 4)
    let sum = try fields.raw32()
    guard !image.verifiesChecksums || Lookup3.checksum(body) == sum else {
      throw DecodeError(.inconsistent("checksum of \(what)"), image.place(address))
    }
    return FieldReader(body, origin: image.base + address, widths: image.widths)
  }
}
