import WherryBytes

/// Builds the old form of a group: a local heap with the names, symbol table nodes, a B-tree.
struct GroupWriting {
  /// A link as a symbol table keeps it.
  struct Entry {
    enum Target {
      case header(Int)
      case path(String)
    }
    let name: String
    let target: Target
  }

  /// All blocks, to be written one after the other at the address given.
  let blocks: [[UInt8]]
  let treeAddress: Int
  let heapAddress: Int

  /// Entries of a symbol table node and children of a B-tree node; half of each stands in the
  /// superblock.
  static let leafK = 4
  static let treeK = 16
  private static let nodeSize = 24 + (2 * treeK + 1) * 8 + 2 * treeK * 8

  /// - Parameter entries: sorted by the bytes of their names.
  init(_ entries: [Entry], at address: Int) {
    var heap = ByteWriter()
    heap.integer(UInt64(0))
    func store(_ text: String) -> Int {
      let offset = heap.count
      heap.raw(text.utf8)
      heap.raw(repeatElement(0, count: 8 - text.utf8.count % 8))
      return offset
    }
    var rows: [[UInt8]] = []
    var names: [Int] = []
    for entry in entries {
      names.append(store(entry.name))
      var row = ByteWriter()
      row.integer(names.last ?? 0)
      switch entry.target {
      case .header(let header):
        row.integer(header)
        row.raw(repeatElement(0, count: 24))
      case .path(let path):
        row.integer(UInt64.max)
        row.integer(UInt64(2))
        row.integer(UInt64(store(path)))
        row.integer(UInt64(0))
      }
      rows.append(row.bytes)
    }
    var head = ByteWriter()
    head.raw("HEAP".utf8)
    head.integer(UInt32(0))
    head.integer(heap.count)
    // One stands for "no free space".
    head.integer(1)
    head.integer(address + 32)
    heapAddress = address
    var blocks = [head.bytes, heap.bytes]
    var next = address + 32 + heap.count
    var children: [TreeWriting.Child] = []
    for start in stride(from: 0, to: rows.count, by: 2 * Self.leafK) {
      let some = rows[start..<min(start + 2 * Self.leafK, rows.count)]
      var node = ByteWriter()
      node.raw("SNOD".utf8)
      node.integer(UInt16(1))
      node.integer(UInt16(some.count))
      for row in some { node.raw(row) }
      node.raw(repeatElement(0, count: 8 + 2 * Self.leafK * 40 - node.count))
      blocks.append(node.bytes)
      // A key is the last name of the child to its left.
      children.append(
        .init(address: next, left: Self.key(0), right: Self.key(names[start + some.count - 1])))
      if let before = children.dropLast().last {
        children[children.count - 1].left = before.right
      }
      next += node.count
    }
    let tree = TreeWriting(
      kind: 0, capacity: 2 * Self.treeK, keySize: 8, children: children, at: next)
    self.blocks = blocks + tree.nodes
    treeAddress = tree.rootAddress
  }

  private static func key(_ offset: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.integer(offset)
    return writer.bytes
  }
}

/// Builds a version 1 B-tree over children that are in order.
struct TreeWriting {
  struct Child {
    let address: Int
    /// The keys on both sides; the right one equals the next child's left one.
    var left: [UInt8]
    let right: [UInt8]
  }

  /// All nodes, of equal size, to be written one after the other at the address given.
  private(set) var nodes: [[UInt8]] = []
  private(set) var rootAddress: Int

  init(kind: UInt8, capacity: Int, keySize: Int, children: [Child], at address: Int) {
    let size = 24 + (capacity + 1) * keySize + capacity * 8
    var level: UInt8 = 0
    var children = children
    rootAddress = address
    repeat {
      var parents: [Child] = []
      let first = address + nodes.count * size
      let count = max(1, (children.count + capacity - 1) / capacity)
      for index in 0..<count {
        let some = children[
          min(index * capacity, children.count)..<min((index + 1) * capacity, children.count)]
        let at = first + index * size
        var node = ByteWriter()
        node.raw("TREE".utf8)
        node.raw([kind, level])
        node.integer(UInt16(some.count))
        node.integer(index > 0 ? UInt64(at - size) : .max)
        node.integer(index + 1 < count ? UInt64(at + size) : .max)
        for child in some {
          node.raw(child.left)
          node.integer(child.address)
        }
        if let last = some.last, let first = some.first {
          node.raw(last.right)
          parents.append(Child(address: at, left: first.left, right: last.right))
        }
        node.raw(repeatElement(0, count: size - node.count))
        nodes.append(node.bytes)
      }
      rootAddress = first
      children = parents
      level += 1
    } while children.count > 1
  }
}
