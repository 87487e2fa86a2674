import WherryBytes
import WherryGraph

/// A single pass over a document that builds the model as it goes.
///
/// What breaks JSON's grammar ends the reading (`JSONFault`). What breaks the rules of this format is
/// noted, skipped and reading goes on, so that all of it is reported at once.
struct JSONReader {
  /// Something wrong, its place in the model, and its byte.
  private struct Problem {
    var reason: DecodeError.Reason
    var road: [Place.Step]
    var offset: Int
  }

  let source: ModelSource
  var cursor: JSONCursor
  private var problems: [Problem] = []
  private var road: [Place.Step] = []
  private var depth = 0
  /// Bytes of tensor contents made so far.
  private var expanded = 0

  init(_ source: ModelSource, _ cursor: JSONCursor) {
    (self.source, self.cursor) = (source, cursor)
  }

  // MARK: Problems

  mutating func note(_ reason: DecodeError.Reason, at offset: Int) throws(JSONFault) {
    guard problems.count + 1 < source.limits.problems else {
      throw JSONFault(reason: .limit("problems", source.limits.problems), offset: offset)
    }
    problems.append(Problem(reason: reason, road: road, offset: offset))
  }

  /// Keeps what ended the reading.
  mutating func end(_ fault: JSONFault) {
    problems.append(Problem(reason: fault.reason, road: road, offset: fault.offset))
  }

  /// Everything noted, in the order of the text, with lines and columns; columns count characters.
  func errors() -> [DecodeError] {
    var (at, line, column) = (0, 1, 1)
    return problems.sorted { $0.offset < $1.offset }.map { problem in
      while at < min(problem.offset, cursor.count) {
        let byte = cursor.base[at]
        if byte == 0x0A {
          (line, column) = (line + 1, 1)
        } else if byte & 0xC0 != 0x80 {
          column += 1
        }
        at += 1
      }
      return DecodeError(
        problem.reason, Place(.text(line: line, column: column), road: problem.road))
    }
  }

  /// Asks for `bytes` of memory that the file does not hold itself.
  mutating func spend(_ bytes: Int, at offset: Int) throws(JSONFault) {
    guard let total = Checked.add(expanded, bytes),
      let most = Checked.add(cursor.count, limits.expandedBytes),
      total <= most
    else { throw JSONFault(reason: .limit("expanded bytes", limits.expandedBytes), offset: offset) }
    expanded = total
  }

  var limits: Limits { source.limits }
  var problemCount: Int { problems.count }

  // MARK: The road

  mutating func inside<R>(
    _ step: Place.Step, _ body: (inout JSONReader) throws(JSONFault) -> R
  ) throws(JSONFault) -> R {
    road.append(step)
    let result = try body(&self)
    road.removeLast()
    return result
  }

  /// Gives the numbered step that reading stands in its name.
  mutating func name(_ name: String) {
    if case .indexed(let part, let index, _) = road.last {
      road[road.count - 1] = .indexed(part, index, name)
    }
  }

  // MARK: Structure

  /// Notes that the value here is not what it should be, and steps over it.
  mutating func mismatch(_ expected: String) throws(JSONFault) {
    cursor.skipSpace()
    let start = cursor.at
    try cursor.skipValue(depth: limits.depth)
    try note(.invalid("\(expected) is expected"), at: start)
  }

  /// Steps over a value that is not used.
  mutating func skip() throws(JSONFault) { try cursor.skipValue(depth: limits.depth) }

  /// Reads an object of known keys; false, and a problem, when there is no object.
  mutating func object<Key: JSONKey>(
    _ type: Key.Type, _ body: (inout JSONReader, Key) throws(JSONFault) -> Void
  ) throws(JSONFault) -> Bool {
    let table = Key.table
    var seen: UInt64 = 0
    return try members { (reader, text) throws(JSONFault) in
      guard let (key, index) = reader.find(text, table) else {
        let name = reader.cursor.string(text)
        try reader.skip()
        try reader.note(.invalid("unknown key \"\(name)\""), at: text.range.lowerBound - 1)
        return
      }
      guard seen >> UInt64(index) & 1 == 0 else {
        try reader.skip()
        try reader.note(.duplicate(key.rawValue), at: text.range.lowerBound - 1)
        return
      }
      seen |= 1 << UInt64(index)
      try body(&reader, key)
    }
  }

  private func find<Key: JSONKey>(
    _ text: JSONText, _ table: JSONKeyTable<Key>
  ) -> (key: Key, index: Int)? {
    guard text.hasEscapes else { return table.find(cursor.buffer(text.range)) }
    return cursor.unescaped(text).withUnsafeBufferPointer { table.find($0) }
  }

  /// Reads an object of any keys, each once.
  mutating func dictionary(
    _ body: (inout JSONReader, String) throws(JSONFault) -> Void
  ) throws(JSONFault) -> Bool {
    var seen: Set<String> = []
    return try members { (reader, text) throws(JSONFault) in
      let key = reader.cursor.string(text)
      guard seen.insert(key).inserted else {
        try reader.skip()
        try reader.note(.duplicate(key), at: text.range.lowerBound - 1)
        return
      }
      guard seen.count <= reader.limits.elements else {
        throw JSONFault(
          reason: .limit("elements", reader.limits.elements), offset: reader.cursor.at)
      }
      try body(&reader, key)
    }
  }

  private mutating func members(
    _ body: (inout JSONReader, JSONText) throws(JSONFault) -> Void
  ) throws(JSONFault) -> Bool {
    guard cursor.skips(UInt8(ascii: "{")) else {
      try mismatch("an object")
      return false
    }
    depth += 1
    guard depth <= limits.depth else {
      throw JSONFault(reason: .limit("levels", limits.depth), offset: cursor.at - 1)
    }
    if !cursor.skips(UInt8(ascii: "}")) {
      repeat {
        cursor.skipSpace()
        let key = try cursor.text()
        try cursor.expect(UInt8(ascii: ":"))
        try body(&self, key)
      } while try cursor.hasMore(until: UInt8(ascii: "}"))
    }
    depth -= 1
    return true
  }

  /// Reads an array, calling `body` with the position of every element; false, and a problem, when
  /// there is no array.
  @inline(__always)
  mutating func elements(
    _ body: (inout JSONReader, Int) throws(JSONFault) -> Void
  ) throws(JSONFault) -> Bool {
    guard cursor.skips(UInt8(ascii: "[")) else {
      try mismatch("an array")
      return false
    }
    guard !cursor.skips(UInt8(ascii: "]")) else { return true }
    var index = 0
    repeat {
      try body(&self, index)
      index += 1
    } while try cursor.hasMore(until: UInt8(ascii: "]"))
    return true
  }

  /// Reads an array; elements that `body` refuses are left out.
  mutating func list<T>(
    _ body: (inout JSONReader) throws(JSONFault) -> T?
  ) throws(JSONFault) -> [T] {
    var result: [T] = []
    _ = try elements { (reader, index) throws(JSONFault) in
      guard index < reader.limits.elements else {
        throw JSONFault(
          reason: .limit("elements", reader.limits.elements), offset: reader.cursor.at)
      }
      if let element = try body(&reader) { result.append(element) }
    }
    return result
  }

  /// Reads an array of parts of the model: each is a step of the road.
  mutating func parts<T>(
    _ part: String, _ body: (inout JSONReader) throws(JSONFault) -> T?
  ) throws(JSONFault) -> [T] {
    var index = -1
    return try list { (reader) throws(JSONFault) in
      index += 1
      return try reader.inside(.indexed(part, index, nil), body)
    }
  }

  /// Whether the value here is `null`, which is then stepped over.
  mutating func null() throws(JSONFault) -> Bool {
    cursor.skipSpace()
    guard cursor.next == UInt8(ascii: "n") else { return false }
    try cursor.literal("null")
    return true
  }

  /// A member that must be there: notes its absence in the object that began at `offset`.
  mutating func require<T>(
    _ value: T?, _ name: String, at offset: Int
  ) throws(JSONFault) -> T? {
    if value == nil { try note(.missing(name), at: offset) }
    return value
  }
}
