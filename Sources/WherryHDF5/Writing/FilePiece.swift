import WherryBytes

/// A run of bytes that has its place in the file and waits to be written.
enum FilePiece {
  case bytes([UInt8])
  case packed(Bytes)
  case elements(Elements)
  /// Chunks that are packed while they are written.
  case chunks(Elements, ChunkWriting)

  /// Elements whose number is known, whether or not they are made yet.
  struct Elements {
    let size: Int
    private let content: HDF5Draft.Content
    private let place: Place

    /// - Parameter hasPointers: whether values of variable length already are pointers into the heap.
    /// - Throws: `.invalid` when content, type and shape contradict each other.
    init(
      _ value: HDF5Draft.Value, _ place: Place, hasPointers: Bool = false
    ) throws(EncodeError) {
      (content, self.place) = (value.content, place)
      guard let count = value.space.count, let size = Checked.multiply(count, value.type.size)
      else { throw EncodeError(.inexpressible("so many elements"), place) }
      self.size = size
      if value.type.pointsElsewhere, !hasPointers, size > 0 {
        guard case .runs = value.content else {
          throw EncodeError(.invalid("bytes of a type of variable length"), place)
        }
      }
      switch value.content {
      case .bytes(let bytes):
        guard bytes.count == size else {
          throw EncodeError(.invalid("\(bytes.count) bytes instead of \(size)"), place)
        }
      case .deferred: break
      case .runs(let runs):
        guard runs.count == count else {
          throw EncodeError(.invalid("\(runs.count) runs for \(count) elements"), place)
        }
        switch value.type {
        case .variableString, .sequence: break
        default: throw EncodeError(.invalid("runs of a type of fixed length"), place)
        }
      }
    }

    /// The elements.
    ///
    /// - Throws: `.invalid` when deferred content has another size than announced.
    func bytes() throws(EncodeError) -> Bytes {
      switch content {
      case .bytes(let bytes): return bytes
      case .deferred(let make):
        let bytes = try make()
        guard bytes.count == size else {
          throw EncodeError(.invalid("\(bytes.count) bytes instead of \(size)"), place)
        }
        return bytes
      case .runs: throw EncodeError(.invalid("runs without a heap"), place)
      }
    }
  }

  func write(to sink: some ByteSink) throws(EncodeError) {
    func append(_ raw: UnsafeRawBufferPointer) throws(EncodeError) {
      do throws(FileError) {
        try sink.append(raw)
      } catch {
        throw EncodeError(.file(error))
      }
    }
    switch self {
    case .bytes(let bytes):
      try bytes.span.withUnsafeBytes { (raw) throws(EncodeError) in try append(raw) }
    case .packed(let bytes):
      try bytes.withUnsafeBytes { (raw) throws(EncodeError) in try append(raw) }
    case .elements(let elements):
      try elements.bytes().withUnsafeBytes { (raw) throws(EncodeError) in try append(raw) }
    case .chunks(let elements, let chunks):
      try chunks.forEachPacked(try elements.bytes()) { (raw) throws(EncodeError) in
        try append(raw)
      }
    }
  }
}
