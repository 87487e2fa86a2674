import WherryBytes

/// A data set: elements of one type in an array.
public struct HDF5Dataset: Sendable {
  /// The path it was reached by.
  public let path: String
  /// The type of an element as the file describes it.
  public let type: HDF5Type
  public let space: HDF5Space
  /// What was done to each chunk before it was stored, in that order.
  public let filters: [HDF5Filter]
  /// Extents of a chunk, slowest first; nil for a data set that is not chunked.
  public var chunkShape: [Int]? {
    if case .chunked(let chunks) = layout { return chunks.shape }
    return nil
  }

  /// How the elements lie in the file.
  public enum Storage: String, Sendable {
    case compact, contiguous, chunked, virtual
    case external = "external files"
  }
  public var storage: Storage {
    if header.first(HeaderMessage.Kind.externalFiles) != nil { return .external }
    return switch layout {
    case .compact: .compact
    case .contiguous: .contiguous
    case .chunked: .chunked
    case .virtual: .virtual
    }
  }

  let header: ObjectHeader
  let layout: StorageLayout
  let fill: Bytes?
  let image: FileImage
  private let place: Place

  /// Reads the messages of a data set, not its elements.
  init(_ header: ObjectHeader, path: String, _ reading: Reading) throws(DecodeError) {
    func fields(_ kind: Int, _ name: String) throws(DecodeError) -> FieldReader {
      guard let message = header.first(kind) else {
        throw DecodeError(.missing(name), reading.image.place(header.address))
      }
      return try reading.fields(of: message)
    }
    (self.header, self.path, image) = (header, path, reading.image)
    place = Place().inside("data set", path)
    var typeFields = try fields(HeaderMessage.Kind.datatype, "type")
    type = try HDF5Type.read(&typeFields, depth: reading.image.limits.depth)
    var spaceFields = try fields(HeaderMessage.Kind.dataspace, "dataspace")
    space = try HDF5Space.read(&spaceFields)
    layout = try StorageLayout.read(try fields(HeaderMessage.Kind.layout, "data layout"))
    filters =
      try header.first(HeaderMessage.Kind.filters).map {
        (message) throws(DecodeError) in
        try HDF5Filter.readAll(try reading.fields(of: message))
      } ?? []
    fill = try FillValue.read(header, elementSize: type.size, reading)
  }

  /// The header's address, by which references and hard links name the object.
  public var address: Int { header.address }

  public func attributes() throws(DecodeError) -> [HDF5Attribute] {
    try place.locating { () throws(DecodeError) in try header.attributes(Reading(image), place) }
  }

  /// Bytes that the elements take in the file's form; nil when that overflows.
  public var storedSize: Int? { space.count.flatMap { Checked.multiply($0, type.size) } }

  /// All elements.
  ///
  /// Contiguous and compact elements that are in this machine's form are shared with the file, not
  /// copied.
  ///
  /// - Throws: `.unsupported` for layouts, filters and types that are not read, each by name;
  ///   `.limit` for elements beyond `Limits.expandedBytes`; other reasons for a malformed file.
  public func read() throws(DecodeError) -> HDF5Array {
    try place.locating { () throws(DecodeError) in
      let at = image.place(header.address)
      let native = try type.readable(at)
      if case .chunked(let chunks) = layout, chunks.address != nil, native != type,
        NativeForm.convertsInPlace(type, native), let size = storedSize, size > 0,
        storage == .chunked
      {
        let elements = try ChunkedReading(self, chunks, Reading(image)).read(size: size, as: native)
        return try HDF5Array(
          stored: elements, type: native, space: space, image: image, place: at)
      }
      let stored = try stored(Reading(image), at)
      return try HDF5Array(stored: stored, type: type, space: space, image: image, place: at)
    }
  }

  private func stored(_ reading: Reading, _ at: Place) throws(DecodeError) -> Bytes {
    guard header.first(HeaderMessage.Kind.externalFiles) == nil else {
      throw DecodeError(.unsupported("elements in external files"), at)
    }
    if case .virtual = layout { throw DecodeError(.unsupported("virtual data set"), at) }
    guard let size = storedSize else {
      throw DecodeError(.limit("expanded bytes", image.limits.expandedBytes), at)
    }
    switch layout {
    case .compact(let bytes):
      guard let run = bytes.slice(0..<size) else {
        throw DecodeError(.truncated(needed: size, available: bytes.count), at)
      }
      return run
    case .contiguous(let address?, let stated) where size > 0:
      guard stated ?? size >= size else {
        throw DecodeError(.truncated(needed: size, available: stated ?? 0), at)
      }
      return try reading.data(at: address, count: size)
    case .chunked(let chunks) where chunks.address != nil && size > 0:
      return try ChunkedReading(self, chunks, reading).read(size: size, as: nil)
    default: return try filled(size, at)
    }
  }

  /// `size` bytes of nothing but the fill value.
  func filled(_ size: Int, _ at: Place) throws(DecodeError) -> Bytes {
    guard size <= image.limits.expandedBytes else {
      throw DecodeError(.limit("expanded bytes", image.limits.expandedBytes), at)
    }
    guard let fill else { return Bytes(count: size) { _ in } }
    return ResultBuffer.bytes(size) { target in Self.repeat(fill, over: target) }
  }

  static func `repeat`(_ element: Bytes, over target: UnsafeMutableRawBufferPointer) {
    guard !element.isEmpty else { return }
    element.withUnsafeBytes { raw in
      for start in stride(from: 0, through: target.count - raw.count, by: raw.count) {
        UnsafeMutableRawBufferPointer(rebasing: target[start..<start + raw.count])
          .copyMemory(from: raw)
      }
    }
  }
}
