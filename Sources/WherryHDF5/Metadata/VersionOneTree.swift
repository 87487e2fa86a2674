import WherryBytes

/// A version 1 B-tree: keys between children, level by level.
///
/// - Source: HDF5 File Format Specification 3.0, section III.A.1.
struct VersionOneTree {
  private let kind: Int
  private let keySize: Int
  private let reading: Reading

  init(kind: Int, keySize: Int, _ reading: Reading) {
    (self.kind, self.keySize, self.reading) = (kind, keySize, reading)
  }

  private struct Node {
    let address: Int
    /// The level its parent gives it; nil for the root.
    let level: Int?
  }

  /// Gives `body` the address of everything the lowest nodes point at, with the key to its left, in
  /// the order of the tree.
  ///
  /// - Throws: `DecodeError` for nodes that are malformed, on a wrong level or reached twice, and what
  ///   `body` throws.
  func forEachLeaf(
    of root: Int, _ body: (inout FieldReader, Int) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    var pending = [Node(address: root, level: nil)]
    var seen: Set<Int> = []
    while let node = pending.popLast() {
      guard seen.insert(node.address).inserted else {
        throw DecodeError(
          .invalid("B-tree that comes back to a node"), reading.image.place(node.address))
      }
      pending += try visit(node, body).reversed()
    }
  }

  private func visit(
    _ node: Node, _ body: (inout FieldReader, Int) throws(DecodeError) -> Void
  ) throws(DecodeError) -> [Node] {
    let o = reading.image.widths.address
    let head = 8 + 2 * o
    var fields = try reading.fields(at: node.address, count: head)
    let place = fields.place
    try fields.signature("TREE")
    guard try fields.u8() == kind else {
      throw DecodeError(.inconsistent("kind of a B-tree node"), place)
    }
    let level = try fields.u8()
    let count = try fields.u16()
    guard node.level == nil || node.level == level else {
      throw DecodeError(.inconsistent("level of a B-tree node"), place)
    }
    var entries = try reading.fields(at: node.address + head, count: count * (keySize + o))
    var children: [Node] = []
    for _ in 0..<count {
      var key = try entries.part(keySize)
      let child = try entries.requiredAddress("B-tree child")
      if level == 0 {
        try body(&key, child)
      } else {
        children.append(Node(address: child, level: level - 1))
      }
    }
    return children
  }
}
