import WherryBytes

extension ObjectHeader {
  /// Whether the messages are those of a group.
  var isGroup: Bool {
    messages.contains {
      $0.kind == HeaderMessage.Kind.symbolTable || $0.kind == HeaderMessage.Kind.linkInfo
        || $0.kind == HeaderMessage.Kind.link || $0.kind == HeaderMessage.Kind.groupInfo
    }
  }

  /// The links of a group: in order of creation where the group keeps it, else by name.
  func links(_ reading: Reading) throws(DecodeError) -> [HDF5Link] {
    if let message = first(HeaderMessage.Kind.symbolTable) {
      let links = try SymbolTable(try reading.fields(of: message), reading).links()
      return try Self.sorted(links, byCreation: false, reading.image.place(address))
    }
    var links: [HDF5Link] = []
    for message in all(HeaderMessage.Kind.link) {
      var fields = try reading.fields(of: message)
      links.append(try HDF5Link.read(&fields))
    }
    var keepsOrder = false
    if let message = first(HeaderMessage.Kind.linkInfo) {
      let info = try LinkInfo(try reading.fields(of: message))
      keepsOrder = info.keepsOrder
      if let storage = info.storage { links += try Self.denseLinks(storage, reading) }
    }
    return try Self.sorted(links, byCreation: keepsOrder, reading.image.place(address))
  }

  private static func sorted(
    _ links: [HDF5Link], byCreation: Bool, _ place: Place
  ) throws(DecodeError) -> [HDF5Link] {
    var names: Set<HDF5Name> = []
    for link in links {
      guard names.insert(link.name).inserted else {
        throw DecodeError(.duplicate(link.name.text), place)
      }
    }
    return links.sorted { a, b in
      if byCreation, let x = a.creationOrder, let y = b.creationOrder, x != y { return x < y }
      return a.name < b.name
    }
  }

  private static func denseLinks(
    _ storage: DenseStorage, _ reading: Reading
  ) throws(DecodeError) -> [HDF5Link] {
    let heap = try FractalHeap(at: storage.heap, reading)
    let tree = try VersionTwoTree(at: storage.names, reading)
    let place = reading.image.place(storage.names)
    guard tree.kind == 5 else { throw DecodeError(.invalid("kind of a link B-tree"), place) }
    var links: [HDF5Link] = []
    try tree.forEachRecord { (record) throws(DecodeError) in
      guard links.count < reading.image.limits.elements else {
        throw DecodeError(.limit("links", reading.image.limits.elements), place)
      }
      try record.skip(4)
      var fields = try heap.object(try record.take(record.remaining), record.place, reading)
      links.append(try HDF5Link.read(&fields))
    }
    return links
  }
}

/// Where many links or attributes are kept: a heap and a tree of names.
struct DenseStorage {
  let heap: Int
  let names: Int
}

/// How a new group keeps its links.
private struct LinkInfo {
  let keepsOrder: Bool
  let storage: DenseStorage?

  init(_ message: FieldReader) throws(DecodeError) {
    var fields = message
    _ = try fields.version(0...0, of: "link info")
    let flags = try fields.u8()
    keepsOrder = flags & 1 != 0
    if keepsOrder { try fields.skip(8) }
    let heap = try fields.address()
    let names = try fields.address()
    storage = heap.flatMap { heap in names.map { DenseStorage(heap: heap, names: $0) } }
  }
}
