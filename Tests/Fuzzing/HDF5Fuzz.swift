import WherryBytes

@testable import WherryHDF5

/// Reads everything in any bytes as an HDF5 file, without minding checksums. What was read and can be
/// written must be the same when it is read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func readOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Bytes(UnsafeBufferPointer(start: start, count: count))
  var limits = Limits()
  limits.expandedBytes = 1 << 22
  limits.elements = 1 << 14
  _ = try? HDF5File(bytes, limits: limits)
  guard let file = try? HDF5File(bytes, limits: limits, verifiesChecksums: false) else { return 0 }
  var found: [(array: HDF5Array, chunkShape: [Int]?)] = []
  try? file.forEachObject { (object) throws(DecodeError) in
    for attribute in (try? object.attributes()) ?? [] {
      guard let array = try? attribute.read() else { continue }
      _ = try? array.values()
      found.append((array, nil))
    }
    switch object {
    case .dataset(let dataset):
      guard let array = try? dataset.read() else { break }
      _ = try? array.values()
      found.append((array, dataset.chunkShape))
    case .group(let group):
      for link in (try? group.links()) ?? [] { _ = try? group.open(link) }
    case .type: break
    }
  }
  rewrite(found)
  return 0
}

private func rewrite(_ found: [(array: HDF5Array, chunkShape: [Int]?)]) {
  for (array, chunkShape) in found.prefix(20) {
    let storage = chunkShape.map {
      HDF5Draft.Storage.chunked($0, level: 1, shuffle: true)
    }
    let value = HDF5Draft.Value(array.type, array.space, .bytes(array.bytes))
    let sink = MemorySink()
    let draft = HDF5Draft.Group(members: [
      ("x", .dataset(.init(value, storage: storage ?? .contiguous)))
    ])
    guard (try? HDF5Writer.write(draft, to: sink)) != nil else { continue }
    guard case .dataset(let again) = try? HDF5File(Bytes(sink.bytes)).object(at: "x"),
      let second = try? again.read(), second.bytes == array.bytes, second.type == array.type,
      second.space == array.space
    else { fatalError("an array that was read does not come back") }
  }
}
