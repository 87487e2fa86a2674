import WherryBytes
import WherryGraph

/// A model from the bytes of the graph section; tensors borrow the weights section.
///
/// - Source: formats/Native/README.md, "Graph section". Mirrors `GraphEncoder`.
struct GraphDecoder {
  var reader: ByteReader
  let weights: Bytes
  let limits: Limits
  let operators: OperatorTable
  private var depth = 0
  /// Bytes that unpacking may still allocate.
  var allowance: Int

  init(_ bytes: Bytes, origin: Int, weights: Bytes, limits: Limits, operators: OperatorTable) {
    reader = ByteReader(bytes, origin: origin)
    (self.weights, self.limits, self.operators) = (weights, limits, operators)
    allowance = limits.expandedBytes
  }

  // MARK: Basic values

  mutating func natural() throws(DecodeError) -> UInt64 { try reader.natural() }

  mutating func integer() throws(DecodeError) -> Int64 {
    let bits = try natural()
    return Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
  }

  mutating func int() throws(DecodeError) -> Int { Int(try integer()) }

  /// A number that is at least 0 and fits `Int`.
  mutating func count() throws(DecodeError) -> Int {
    let place = reader.place
    guard let value = Int(exactly: try natural()) else {
      throw DecodeError(.invalid("a count"), place)
    }
    return value
  }

  mutating func tag() throws(DecodeError) -> UInt8 { try reader.integer(UInt8.self) }

  mutating func bool() throws(DecodeError) -> Bool {
    let place = reader.place
    let tag = try tag()
    guard tag < 2 else { throw DecodeError(.invalid("a truth value \(tag)"), place) }
    return tag == 1
  }

  mutating func bytes() throws(DecodeError) -> Bytes { try reader.take(try count()) }

  mutating func string() throws(DecodeError) -> String {
    let place = reader.place
    guard let text = try bytes().text else { throw DecodeError(.notUTF8, place) }
    return text
  }

  mutating func optional<T>(
    _ body: (inout Self) throws(DecodeError) -> T
  ) throws(DecodeError) -> T? {
    try bool() ? try body(&self) : nil
  }

  mutating func list<T>(
    _ body: (inout Self) throws(DecodeError) -> T
  ) throws(DecodeError) -> [T] {
    let place = reader.place
    let count = try count()
    // Every element takes at least one byte.
    guard count <= reader.remaining else {
      throw DecodeError(.truncated(needed: count, available: reader.remaining), place)
    }
    guard count <= limits.elements else {
      throw DecodeError(.limit("elements of a list", limits.elements), place)
    }
    var result: [T] = []
    for _ in 0..<count { result.append(try body(&self)) }
    return result
  }

  mutating func strings() throws(DecodeError) -> [String] {
    try list { decoder throws(DecodeError) in try decoder.string() }
  }

  mutating func nested<T>(
    _ body: (inout Self) throws(DecodeError) -> T
  ) throws(DecodeError) -> T {
    guard depth < limits.depth else {
      throw DecodeError(.limit("levels of nesting", limits.depth), reader.place)
    }
    depth += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  // MARK: Model

  mutating func model() throws(DecodeError) -> Model {
    var model = Model(graph: try graph())
    model.functions = try list { d throws(DecodeError) in try d.function() }
    model.metadata = try metadata()
    model.operatorSets = try operatorSets()
    model.labels = try list { d throws(DecodeError) in
      ClassLabels(output: try d.string(), labels: try d.strings())
    }
    model.schema = try list { d throws(DecodeError) in try d.column() }
    model.training = try list { d throws(DecodeError) in try d.training() }
    model.devices = try list { d throws(DecodeError) in
      let name = try d.string()
      let place = d.reader.place
      guard let count = Int32(exactly: try d.integer()) else {
        throw DecodeError(.invalid("a device count"), place)
      }
      return DeviceConfiguration(name: name, count: count, devices: try d.strings())
    }
    guard reader.isAtEnd else {
      throw DecodeError(.invalid("bytes after the end of the graph"), reader.place)
    }
    return model
  }

  private mutating func metadata() throws(DecodeError) -> Metadata {
    var metadata = Metadata()
    metadata.producerName = try string()
    metadata.producerVersion = try string()
    metadata.domain = try string()
    metadata.modelVersion = try integer()
    metadata.docString = try string()
    metadata.properties = try properties()
    metadata.irVersion = try optional { d throws(DecodeError) in try d.integer() }
    return metadata
  }

  mutating func operatorSets() throws(DecodeError) -> [OperatorSetVersion] {
    try list { d throws(DecodeError) in OperatorSetVersion(try d.string(), try d.integer()) }
  }

  mutating func properties() throws(DecodeError) -> [Property] {
    try list { d throws(DecodeError) in Property(try d.string(), try d.string()) }
  }

  private mutating func column() throws(DecodeError) -> InputColumn {
    var column = InputColumn(input: try string(), index: try int(), name: try string())
    column.isCategorical = try bool()
    column.categories = try strings()
    column.lowest = try optional { d throws(DecodeError) in try d.double() }
    column.highest = try optional { d throws(DecodeError) in try d.double() }
    column.missing = try optional { d throws(DecodeError) in try d.string() }
    return column
  }

  mutating func double() throws(DecodeError) -> Double {
    Double(bitPattern: try reader.integer(UInt64.self))
  }

  mutating func float() throws(DecodeError) -> Float {
    Float(bitPattern: try reader.integer(UInt32.self))
  }

  private mutating func training() throws(DecodeError) -> TrainingInfo {
    TrainingInfo(
      initialization: try optional { d throws(DecodeError) in try d.graph() },
      algorithm: try optional { d throws(DecodeError) in try d.graph() },
      initializationBinding: try properties(), updateBinding: try properties())
  }
}
