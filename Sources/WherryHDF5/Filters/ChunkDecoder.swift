import WherryBytes

/// Undoes what filters did to chunks of one size, with buffers that serve every chunk.
final class ChunkDecoder {
  /// One chunk as it is stored.
  struct Job {
    let stored: Bytes
    /// Filters that were skipped, one bit each.
    let mask: UInt32
    let place: Place
  }

  private let filters: [HDF5Filter]
  private let chunkSize: Int
  /// A chunk that goes to its places piece by piece.
  private let whole = ScratchBuffer()
  /// What lies between one filter and the next.
  private let between = [ScratchBuffer(), ScratchBuffer()]
  private let inflater = Inflater()

  init(_ filters: [HDF5Filter], chunkSize: Int) {
    (self.filters, self.chunkSize) = (filters, chunkSize)
  }

  /// Whether a chunk is stored as it is.
  func leavesAlone(_ job: Job) -> Bool { active(job).isEmpty }

  /// Decodes a chunk into a buffer that the next call overwrites.
  func decode(_ job: Job) throws(DecodeError) -> UnsafeMutableRawBufferPointer {
    let target = whole.bytes(chunkSize)
    try decode(job, into: target)
    return target
  }

  private func active(_ job: Job) -> [HDF5Filter] {
    filters.enumerated().filter { job.mask >> UInt32($0.offset) & 1 == 0 }.map(\.element)
  }

  /// Decodes a chunk into `target`, which takes exactly a chunk.
  ///
  /// - Throws: `.unsupported` for a filter that is not undone, by name and number; `.invalid` or
  ///   `.inconsistent` for data that the filter can't have made.
  func decode(_ job: Job, into target: UnsafeMutableRawBufferPointer) throws(DecodeError) {
    let active = active(job)
    for filter in active where !Self.known.contains(filter.id) {
      throw DecodeError(.unsupported(Self.name(filter)), job.place)
    }
    let sizes = Self.sizes(active, chunkSize)
    do throws(FilterFailure) {
      try job.stored.withUnsafeBytes { (stored) throws(FilterFailure) in
        var data = stored
        var used = 0
        for (index, filter) in active.enumerated().reversed() {
          let isLast = index == 0
          if filter.id == HDF5Filter.fletcher32 {
            data = try Fletcher32.checked(data)
            if isLast { try Self.copy(data, to: target) }
            continue
          }
          // A filter whose result another packed further has no size of its own.
          let exact = sizes[index]
          used += 1
          let output =
            isLast ? target : between[used % 2].bytes(exact ?? 2 * chunkSize + 1 << 16)
          let count = try undo(filter, data, output)
          guard exact == nil || count == output.count else { throw .size(count) }
          data = UnsafeRawBufferPointer(rebasing: output.prefix(count))
        }
        if active.isEmpty { try Self.copy(data, to: target) }
      }
    } catch {
      throw error.decodeError(job.place)
    }
  }

  private static func copy(
    _ data: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) {
    guard data.count == target.count else { throw .size(data.count) }
    target.copyMemory(from: data)
  }

  private static let known: Set = [
    HDF5Filter.deflate, HDF5Filter.shuffle, HDF5Filter.fletcher32, HDF5Filter.nbit,
    HDF5Filter.scaleOffset, HDF5Filter.lzf,
  ]

  private static func name(_ filter: HDF5Filter) -> String {
    if filter.id == HDF5Filter.szip { return "filter 4 (szip)" }
    let name = filter.name.flatMap { $0.isEmpty ? nil : " (\($0))" } ?? ""
    return "filter \(filter.id)\(name)"
  }

  /// Bytes before each filter was applied; nil where that depends on the data.
  private static func sizes(_ filters: [HDF5Filter], _ chunkSize: Int) -> [Int?] {
    var size: Int? = chunkSize
    return filters.map { filter in
      defer {
        switch filter.id {
        case HDF5Filter.shuffle: break
        case HDF5Filter.fletcher32: size = size.flatMap { Checked.add($0, 4) }
        default: size = nil
        }
      }
      return size
    }
  }

  private func undo(
    _ filter: HDF5Filter, _ data: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
  ) throws(FilterFailure) -> Int {
    switch filter.id {
    case HDF5Filter.deflate: return try inflater.inflate(data, into: output)
    case HDF5Filter.shuffle: return try Shuffle.undo(data, output, filter.parameters)
    case HDF5Filter.lzf: return try LZF.decompress(data, into: output)
    case HDF5Filter.nbit: return try NBit(filter.parameters).undo(data, into: output)
    case HDF5Filter.scaleOffset:
      return try ScaleOffset(filter.parameters).undo(data, into: output)
    default: throw .unsupported(Self.name(filter))
    }
  }
}

/// Why a filter can't be undone.
enum FilterFailure: Error {
  case unsupported(String)
  case invalid(String)
  /// The data came out with another size than the chunk has.
  case size(Int)
  case checksum

  func decodeError(_ place: Place) -> DecodeError {
    switch self {
    case .unsupported(let what): DecodeError(.unsupported(what), place)
    case .invalid(let what): DecodeError(.invalid(what), place)
    case .size(let count): DecodeError(.inconsistent("chunk of \(count) bytes"), place)
    case .checksum: DecodeError(.inconsistent("checksum of a chunk"), place)
    }
  }
}

/// Memory that grows when needed and is not cleared.
final class ScratchBuffer {
  private var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
    if memory.count < count {
      memory.deallocate()
      memory = .allocate(byteCount: count, alignment: 64)
    }
    return UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
  }

  deinit { memory.deallocate() }
}
