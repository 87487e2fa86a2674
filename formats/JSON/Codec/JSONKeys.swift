/// The keys of one kind of object, as an enumeration of their names.
protocol JSONKey: RawRepresentable<String>, CaseIterable, Sendable {
  static var table: JSONKeyTable<Self> { get }
}

/// Finds a key by its bytes without making a string.
struct JSONKeyTable<Key: JSONKey>: Sendable {
  private struct Row: Sendable {
    var head: UInt64
    var bytes: [UInt8]
    var key: Key
  }
  private let rows: [Row]

  init() {
    rows = Key.allCases.map { key in
      let bytes = Array(key.rawValue.utf8)
      return Row(head: bytes.withUnsafeBufferPointer { Self.head($0) }, bytes: bytes, key: key)
    }
  }

  /// The key and its position among all of its kind.
  func find(_ bytes: UnsafeBufferPointer<UInt8>) -> (key: Key, index: Int)? {
    let head = Self.head(bytes)
    for (index, row) in rows.enumerated() where row.head == head && row.bytes.count == bytes.count {
      if bytes.count <= 8 || bytes.elementsEqual(row.bytes) { return (row.key, index) }
    }
    return nil
  }

  /// The first eight bytes, or fewer.
  private static func head(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
