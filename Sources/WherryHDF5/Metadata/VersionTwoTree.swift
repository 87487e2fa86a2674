import WherryBytes

/// A version 2 B-tree: fixed-size records in order, behind checksums.
///
/// - Source: HDF5 File Format Specification 3.0, section III.A.2.
struct VersionTwoTree {
  let kind: Int
  private let nodeSize: Int
  private let recordSize: Int
  private let depth: Int
  private let root: Node?
  private let reading: Reading
  /// Widths of the counts in child pointers, by the height of the child.
  private var totalWidths: [Int] = [0]
  private var countWidth = 0

  private struct Node {
    let address: Int
    let count: Int
    let height: Int
  }

  /// Signature, version and kind before a node's records, and the checksum behind them.
  private static let nodeOverhead = 4 + 1 + 1 + 4

  init(at address: Int, _ reading: Reading) throws(DecodeError) {
    self.reading = reading
    let widths = reading.image.widths
    let size = 4 + 1 + 1 + 4 + 2 + 2 + 1 + 1 + widths.address + 2 + widths.length + 4
    var fields = try reading.checkedFields(at: address, count: size, "B-tree header")
    try fields.signature("BTHD")
    _ = try fields.version(0...0, of: "B-tree")
    kind = try fields.u8()
    nodeSize = try fields.u32()
    recordSize = try fields.u16()
    depth = try fields.u16()
    try fields.skip(2)
    let start = try fields.address()
    let count = try fields.u16()
    root = start.map { [depth] in Node(address: $0, count: count, height: depth) }
    let place = reading.image.place(address)
    guard recordSize > 0, nodeSize > Self.nodeOverhead + recordSize else {
      throw DecodeError(.invalid("B-tree node size \(nodeSize)"), place)
    }
    guard depth <= reading.image.limits.depth else {
      throw DecodeError(.limit("B-tree levels", reading.image.limits.depth), place)
    }
    try measurePointers(place)
  }

  /// Child pointers hold counts in as few bytes as the largest possible subtree needs.
  private mutating func measurePointers(_ place: Place) throws(DecodeError) {
    let room = nodeSize - Self.nodeOverhead
    var largest = room / recordSize
    countWidth = Self.bytes(for: largest)
    for height in 1..<max(depth + 1, 1) {
      let pointer = reading.image.widths.address + countWidth + totalWidths[height - 1]
      let records = (room - pointer) / (recordSize + pointer)
      guard room > pointer, records > 0 else {
        throw DecodeError(.invalid("B-tree node size \(nodeSize)"), place)
      }
      let children = Checked.multiply(records + 1, largest)
      largest = children.flatMap { Checked.add($0, records) } ?? .max
      totalWidths.append(Self.bytes(for: largest))
    }
  }

  /// Bytes that hold numbers up to `limit`.
  private static func bytes(for limit: Int) -> Int {
    max(1, (Int.bitWidth - limit.leadingZeroBitCount + 7) / 8)
  }

  /// Gives every record to `body`; leaves and inner nodes in no particular order.
  ///
  /// - Throws: `DecodeError` for nodes that are malformed or reached twice, and what `body` throws.
  func forEachRecord(
    _ body: (inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) {
    var pending = root.map { [$0] } ?? []
    var seen: Set<Int> = []
    while let node = pending.popLast() {
      guard node.count > 0 || node.height > 0 else { continue }
      guard seen.insert(node.address).inserted else {
        throw DecodeError(
          .invalid("B-tree that comes back to a node"), reading.image.place(node.address))
      }
      pending += try visit(node, body)
    }
  }

  private func visit(
    _ node: Node, _ body: (inout FieldReader) throws(DecodeError) -> Void
  ) throws(DecodeError) -> [Node] {
    let pointer =
      node.height == 0
      ? 0 : reading.image.widths.address + countWidth + totalWidths[node.height - 1]
    let used = 6 + node.count * recordSize + (node.height > 0 ? (node.count + 1) * pointer : 0)
    guard used + 4 <= nodeSize else {
      throw DecodeError(
        .invalid("B-tree node of \(node.count) records"), reading.image.place(node.address))
    }
    var fields = try reading.checkedFields(at: node.address, count: used + 4, "B-tree node")
    try fields.signature(node.height == 0 ? "BTLF" : "BTIN")
    _ = try fields.version(0...0, of: "B-tree node")
    guard try fields.u8() == kind else {
      throw DecodeError(.inconsistent("kind of a B-tree node"), fields.place)
    }
    for _ in 0..<node.count {
      var record = try fields.part(recordSize)
      try body(&record)
    }
    var children: [Node] = []
    guard node.height > 0 else { return children }
    for _ in 0...node.count {
      let address = try fields.requiredAddress("B-tree node")
      let count = try fields.count(width: countWidth)
      if node.height > 1 { try fields.skip(totalWidths[node.height - 1]) }
      guard count <= nodeSize else {
        throw DecodeError(.invalid("B-tree node of \(count) records"), fields.place)
      }
      children.append(Node(address: address, count: count, height: node.height - 1))
    }
    return children
  }
}
