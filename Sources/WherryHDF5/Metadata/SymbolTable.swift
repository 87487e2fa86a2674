import WherryBytes

/// The links of a group in the old form: a version 1 B-tree of symbol table nodes, names in a heap.
///
/// - Source: HDF5 File Format Specification 3.0, sections III.A.1, III.B, III.C and III.D.
struct SymbolTable {
  private let reading: Reading
  private let tree: Int
  private let heap: LocalHeap

  /// - Parameter message: a symbol table message: the addresses of the tree and of the heap.
  init(_ message: FieldReader, _ reading: Reading) throws(DecodeError) {
    var fields = message
    self.reading = reading
    tree = try fields.requiredAddress("group B-tree")
    heap = try LocalHeap(at: try fields.requiredAddress("local heap"), reading)
  }

  /// All links, in the order of the tree.
  func links() throws(DecodeError) -> [HDF5Link] {
    var links: [HDF5Link] = []
    try VersionOneTree(kind: 0, keySize: reading.image.widths.length, reading).forEachLeaf(
      of: tree
    ) { (_, address) throws(DecodeError) in
      try readNode(at: address, into: &links)
    }
    return links
  }

  private func readNode(at address: Int, into links: inout [HDF5Link]) throws(DecodeError) {
    var head = try reading.fields(at: address, count: 8)
    try head.signature("SNOD")
    _ = try head.version(1...1, of: "symbol table node")
    try head.skip(1)
    let count = try head.u16()
    let size = 2 * reading.image.widths.address + 24
    var entries = try reading.fields(at: address + 8, count: count * size)
    guard links.count + count <= reading.image.limits.elements else {
      throw DecodeError(.limit("links", reading.image.limits.elements), head.place)
    }
    for _ in 0..<count {
      var entry = try entries.part(size)
      let place = entry.place
      // The offset of the name has the width of an address.
      let name = try heap.text(try entry.count(width: entry.widths.address))
      let object = try entry.address()
      let kind = try entry.u32()
      try entry.skip(4)
      if kind == 2 {
        let path = try heap.text(try entry.u32())
        links.append(HDF5Link(name: HDF5Name(name), target: .soft(HDF5Name(path))))
      } else {
        guard let object else { throw DecodeError(.missing("address of a link"), place) }
        links.append(HDF5Link(name: HDF5Name(name), target: .hard(object)))
      }
    }
  }
}

/// The names of one old group.
struct LocalHeap {
  private let reading: Reading
  private let data: Bytes
  private let origin: Int

  init(at address: Int, _ reading: Reading) throws(DecodeError) {
    self.reading = reading
    let widths = reading.image.widths
    var fields = try reading.fields(at: address, count: 8 + 2 * widths.length + widths.address)
    try fields.signature("HEAP")
    _ = try fields.version(0...0, of: "local heap")
    try fields.skip(3)
    let size = try fields.length()
    try fields.skip(widths.length)
    let start = try fields.requiredAddress("local heap data")
    data = try reading.data(at: start, count: size)
    origin = reading.image.base + start
  }

  /// The text at an offset, up to its zero byte.
  func text(_ offset: Int) throws(DecodeError) -> Bytes {
    guard let rest = data.slice(offset..<max(offset, data.count)) else {
      throw DecodeError(.truncated(needed: offset, available: data.count), .byte(origin))
    }
    var fields = FieldReader(rest, origin: origin + offset, widths: reading.image.widths)
    let text = try fields.terminated()
    try reading.spend(text.count, at: .byte(origin))
    return text
  }
}
