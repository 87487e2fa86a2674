import WherryBytes
import WherryGraph

/// An attribute and the byte of the document where its value begins.
struct PlacedAttribute {
  var attribute: NamedAttribute
  var offset: Int
}

extension JSONReader {
  mutating func attributes() throws(JSONFault) -> [PlacedAttribute] {
    var result: [PlacedAttribute] = []
    _ = try dictionary { (reader, name) throws(JSONFault) in
      try reader.inside(.named("attribute", name)) { (reader) throws(JSONFault) in
        let start = reader.start
        if let value = try reader.attribute() {
          result.append(PlacedAttribute(attribute: NamedAttribute(name, value), offset: start))
        }
      }
    }
    return result
  }

  enum AttributeKey: String, JSONKey {
    case float, int, string, tensor, sparseTensor, graph, type
    case floats, ints, strings, tensors, sparseTensors, graphs, types
    static let table = JSONKeyTable<Self>()
  }

  /// The short forms are an integer, a string, and a list of either that is not empty; everything else
  /// is an object whose one key is the kind.
  private mutating func attribute() throws(JSONFault) -> AttributeValue? {
    let start = start
    switch cursor.next {
    case UInt8(ascii: "\""): return try bytes().map { .string($0) }
    case UInt8(ascii: "["): return try shortList(at: start)
    case UInt8(ascii: "{"): break
    default: return try integer(Int64.self).map { .int($0) }
    }
    var value: AttributeValue?
    var count = 0
    let before = problemCount
    _ = try object(AttributeKey.self) { (reader, key) throws(JSONFault) in
      count += 1
      value = try reader.payload(key)
    }
    if count != 1, problemCount == before { try note(.invalid("one kind is expected"), at: start) }
    return problemCount == before ? value : nil
  }

  private mutating func shortList(at start: Int) throws(JSONFault) -> AttributeValue? {
    var ahead = cursor
    _ = ahead.skips(UInt8(ascii: "["))
    ahead.skipSpace()
    if ahead.next == UInt8(ascii: "]") {
      try skip()
      try note(.invalid("an empty list needs its kind: {\"ints\": []}"), at: start)
      return nil
    }
    let before = problemCount
    let value: AttributeValue =
      ahead.next == UInt8(ascii: "\"") ? .strings(try byteStrings()) : .ints(try integers())
    return problemCount == before ? value : nil
  }

  private mutating func payload(_ key: AttributeKey) throws(JSONFault) -> AttributeValue? {
    let powers = PowersOfTen.table
    switch key {
    case .float: return try float(powers).map { .float($0) }
    case .int: return try integer(Int64.self).map { .int($0) }
    case .string: return try bytes().map { .string($0) }
    case .tensor: return try tensor().map { .tensor($0) }
    case .sparseTensor: return try sparseTensor().map { .sparseTensor($0) }
    case .graph:
      return try inside(.named("graph", nil)) { (reader) throws(JSONFault) in try reader.graph() }
        .map { .graph($0) }
    case .type: return try type().map { .type($0) }
    case .floats:
      return .floats(try list { (reader) throws(JSONFault) in try reader.float(powers) })
    case .ints: return .ints(try integers())
    case .strings: return .strings(try byteStrings())
    case .tensors:
      return .tensors(try parts("tensor") { (reader) throws(JSONFault) in try reader.tensor() })
    case .sparseTensors:
      return .sparseTensors(
        try parts("sparse tensor") { (reader) throws(JSONFault) in try reader.sparseTensor() })
    case .graphs:
      return .graphs(try parts("graph") { (reader) throws(JSONFault) in try reader.graph() })
    case .types:
      return .types(try parts("type") { (reader) throws(JSONFault) in try reader.type() })
    }
  }
}
