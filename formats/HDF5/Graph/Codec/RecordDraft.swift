import WherryBytes
import WherryGraph
import WherryHDF5

/// A part of the model on its way into a file: named values, and the parts inside it.
struct RecordDraft {
  /// Whether the record is a data set's own, which has no room for parts: what is too long for an
  /// attribute is then refused when it is written.
  private let isOfDataset: Bool
  /// Whether a record without parts becomes a data set of no elements, which takes a tenth of a group's
  /// room.
  private let isSmall: Bool
  private(set) var attributes: [HDF5Draft.Attribute] = []
  private var members: [(name: String, object: HDF5Draft.Object)] = []

  init(isOfDataset: Bool = false, isSmall: Bool = false) {
    (self.isOfDataset, self.isSmall) = (isOfDataset, isSmall)
  }

  /// Adds a value: as an attribute where it is short, else as a data set.
  ///
  /// - Parameter kind: what the data set is, where it could be taken for a tensor.
  mutating func put(_ name: String, _ value: HDF5Draft.Value, kind: String? = nil) {
    let size = value.space.shape.flatMap { Checked.product($0 + [value.type.size]) } ?? 0
    guard size > GraphLayout.longestAttribute, !isOfDataset else {
      attributes.append(.init(name, value))
      return
    }
    let kinds = kind.map { [HDF5Draft.Attribute("kind", .text($0))] } ?? []
    members.append((name, .dataset(.init(value, attributes: kinds))))
  }

  mutating func put(_ name: String, _ record: RecordDraft) {
    members.append((name, record.object))
  }

  mutating func put(_ name: String, _ dataset: HDF5Draft.Dataset) {
    members.append((name, .dataset(dataset)))
  }

  // MARK: Values that are left out when they say nothing

  mutating func text(_ name: String, _ text: String) {
    guard !text.isEmpty else { return }
    put(name, Self.value(Bytes(Array(text.utf8))))
  }

  mutating func texts(_ name: String, _ texts: [String]) {
    guard !texts.isEmpty else { return }
    put(name, Self.value(texts.map { Bytes(Array($0.utf8)) }, [texts.count]))
  }

  mutating func flag(_ name: String, _ isSet: Bool) {
    if isSet { put(name, .bool(true)) }
  }

  /// Keys and their texts, in order.
  mutating func properties(_ name: String, _ properties: [Property]) {
    guard !properties.isEmpty else { return }
    let texts = properties.flatMap { [$0.key, $0.value] }
    put(name, Self.value(texts.map { Bytes(Array($0.utf8)) }, [properties.count, 2]))
  }

  /// Parts of one kind, named by their numbers.
  mutating func list<T>(
    _ name: String, _ items: [T], _ make: (T, Int) throws(EncodeError) -> RecordDraft
  ) throws(EncodeError) {
    guard !items.isEmpty else { return }
    var list = RecordDraft()
    for (index, item) in items.enumerated() { list.put("\(index)", try make(item, index)) }
    put(name, list)
  }

  // MARK: Forms

  /// One text; bytes that are no text, or that HDF5 would end at a zero, as numbers.
  static func value(_ bytes: Bytes) -> HDF5Draft.Value {
    isText(bytes)
      ? HDF5Draft.Value(.text, .scalar, .runs([bytes])) : .array(.uint8, [bytes.count], bytes)
  }

  /// Texts; when one of them is none, each a row of numbers.
  static func value(_ rows: [Bytes], _ shape: [Int]) -> HDF5Draft.Value {
    let type = rows.allSatisfy(isText) ? HDF5Type.text : .sequence(of: .uint8, size: 16)
    return HDF5Draft.Value(type, HDF5Space(shape), .runs(rows))
  }

  private static func isText(_ bytes: Bytes) -> Bool {
    bytes.withUnsafeBytes { raw in raw.allSatisfy { $0 > 0 && $0 < 0x80 } }
      || bytes.text.map { !$0.utf8.contains(0) } ?? false
  }

  static func value(_ integers: [Int64]) -> HDF5Draft.Value {
    var writer = ByteWriter()
    for integer in integers { writer.integer(integer) }
    return .array(.int64, [integers.count], Bytes(writer.bytes))
  }

  static func value(_ floats: [Float]) -> HDF5Draft.Value {
    var writer = ByteWriter()
    for float in floats { writer.integer(float.bitPattern) }
    return .array(.float32, [floats.count], Bytes(writer.bytes))
  }

  static func value(_ float: Float) -> HDF5Draft.Value {
    var writer = ByteWriter()
    writer.integer(float.bitPattern)
    return .array(.float32, [], Bytes(writer.bytes))
  }

  static func value(_ double: Double) -> HDF5Draft.Value {
    var writer = ByteWriter()
    writer.integer(double.bitPattern)
    return .array(.float64, [], Bytes(writer.bytes))
  }

  // MARK: The whole

  private var object: HDF5Draft.Object {
    isSmall && members.isEmpty
      ? .dataset(.init(.empty(.uint8), attributes: attributes)) : .group(group)
  }

  var group: HDF5Draft.Group { .init(attributes: attributes, members: members) }
}
