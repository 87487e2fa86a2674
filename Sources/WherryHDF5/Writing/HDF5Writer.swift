import WherryBytes

/// Writes HDF5 files that every release of libhdf5 reads: superblock 0, groups as symbol tables,
/// version 1 object headers, contiguous or chunked data.
///
/// Equal drafts give equal bytes. The file is laid out before its first byte is written, so it streams
/// into any sink; data sets that come `deferred` are in memory one at a time. Deflated data sets are
/// packed while laying out; up to the size of the largest data set the packed chunks are kept, beyond
/// that they are packed a second time.
///
/// - Source: HDF5 File Format Specification, version 3.0.
public enum HDF5Writer {
  /// - Throws: `.inexpressible` for what the format or this writer can't say, such as attributes beyond
  ///   64 KB, `.invalid` for contents that contradict their type and shape, `.file` when the sink
  ///   fails.
  public static func write(_ root: HDF5Draft.Group, to sink: some ByteSink) throws(EncodeError) {
    var layout = FileLayout(largest: largest(in: root))
    let place = Place().inside("group", "/")
    let header = try layout.add(root, path: "", place)
    layout.closeHeap()
    let size = layout.end
    do {
      sink.expect(size)
      try sink.append(superblock(header, size))
    } catch {
      throw EncodeError(.file(error))
    }
    for piece in layout.pieces { try piece.write(to: sink) }
  }

  /// Bytes of the largest data set, as stored without filters.
  private static func largest(in group: HDF5Draft.Group) -> Int {
    var most = 0
    for member in group.members {
      switch member.object {
      case .group(let inner): most = max(most, largest(in: inner))
      case .dataset(let dataset):
        let count = dataset.value.space.count ?? 0
        most = max(most, Checked.multiply(count, dataset.value.type.size) ?? 0)
      case .softLink: break
      }
    }
    return most
  }

  static let superblockSize = 96

  private static func superblock(_ root: FileLayout.GroupPlace, _ size: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.raw(Superblock.signature)
    // Versions of superblock, free space, root and shared headers; widths of addresses and lengths.
    writer.raw([0, 0, 0, 0, 0, 8, 8, 0])
    writer.integer(UInt16(GroupWriting.leafK))
    writer.integer(UInt16(GroupWriting.treeK))
    writer.integer(UInt32(0))
    writer.integer(UInt64(0))
    writer.integer(UInt64.max)
    writer.integer(size)
    writer.integer(UInt64.max)
    // The root's symbol table entry, with the addresses of its tree and heap.
    writer.integer(UInt64(0))
    writer.integer(root.header)
    writer.integer(UInt64(1))
    writer.integer(root.tree)
    writer.integer(root.heap)
    return writer.bytes
  }
}
