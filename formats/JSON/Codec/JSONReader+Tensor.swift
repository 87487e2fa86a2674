import WherryBytes
import WherryGraph

extension JSONReader {
  enum TensorKey: String, JSONKey {
    case type, shape, data, base64
    static let table = JSONKeyTable<Self>()
  }

  mutating func tensor() throws(JSONFault) -> Tensor? {
    cursor.skipSpace()
    let start = cursor.at
    var element: ElementType?
    var shape: [Int]?
    var storage: Tensor.Storage?
    // Contents that stand before the type or the shape they need.
    var later: (key: TensorKey, offset: Int)?
    var hasContents = false
    let before = problemCount
    let isObject = try object(TensorKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .type: element = try reader.element()
      case .shape: shape = try reader.extents()
      case .data, .base64:
        reader.cursor.skipSpace()
        if hasContents {
          try reader.note(.inconsistent("both data and base64"), at: reader.cursor.at)
          try reader.skip()
          return
        }
        hasContents = true
        if let element, let shape {
          storage = try reader.contents(key, element, shape)
        } else {
          later = (key, reader.cursor.at)
          try reader.skip()
        }
      }
    }
    guard isObject else { return nil }
    // A member with a problem is not missing.
    guard problemCount == before || storage != nil else { return nil }
    guard let element = try require(element, "type", at: start),
      let shape = try require(shape, "shape", at: start)
    else { return nil }
    if let later {
      let end = cursor.at
      cursor.at = later.offset
      storage = try contents(later.key, element, shape)
      cursor.at = end
    }
    if !hasContents { try note(.missing("data"), at: start) }
    switch storage {
    case .bytes(let bytes): return Tensor(element, shape, bytes: bytes)
    case .strings(let strings): return Tensor(shape, strings: strings)
    case nil: return nil
    }
  }

  enum SparseKey: String, JSONKey {
    case shape, values, indices
    static let table = JSONKeyTable<Self>()
  }

  mutating func sparseTensor() throws(JSONFault) -> SparseTensor? {
    cursor.skipSpace()
    let start = cursor.at
    let before = problemCount
    var shape: [Int]?
    var values: Tensor?
    var indices: Tensor?
    let isObject = try object(SparseKey.self) { (reader, key) throws(JSONFault) in
      switch key {
      case .shape: shape = try reader.extents()
      case .values: values = try reader.tensor()
      case .indices: indices = try reader.tensor()
      }
    }
    guard isObject, problemCount == before, let shape = try require(shape, "shape", at: start),
      let values = try require(values, "values", at: start),
      let indices = try require(indices, "indices", at: start)
    else { return nil }
    return SparseTensor(shape: shape, values: values, indices: indices)
  }

  /// Extents, each at least 0; nil, and a problem, when one is not.
  private mutating func extents() throws(JSONFault) -> [Int]? {
    cursor.skipSpace()
    let start = cursor.at
    let before = problemCount
    let extents = try integers(Int.self)
    if extents.contains(where: { $0 < 0 }) { try note(.invalid("a negative extent"), at: start) }
    return problemCount == before ? extents : nil
  }

  /// The contents of a tensor; nil, and a problem, when they don't fit type and shape.
  private mutating func contents(
    _ key: TensorKey, _ element: ElementType, _ shape: [Int]
  ) throws(JSONFault) -> Tensor.Storage? {
    let start = cursor.at
    guard let count = Checked.product(shape),
      element == .string || element.byteCount(of: count) != nil
    else {
      try skip()
      try note(.inconsistent("the shape has too many elements"), at: start)
      return nil
    }
    guard element != .string else {
      guard key == .data else {
        try skip()
        try note(.inconsistent("strings as base64"), at: start)
        return nil
      }
      let strings = try byteStrings()
      guard strings.count == count else {
        try note(.inconsistent("\(strings.count) elements, the shape has \(count)"), at: start)
        return nil
      }
      return .strings(strings)
    }
    let bytes =
      key == .base64
      ? try base64(count: element.byteCount(of: count)) : try decimals(element, count)
    return bytes.map { .bytes($0) }
  }

  /// A base64 string of `count` bytes, or of any number.
  mutating func base64(count: Int?) throws(JSONFault) -> Bytes? {
    cursor.skipSpace()
    guard cursor.next == UInt8(ascii: "\"") else {
      try mismatch("a string of base64")
      return nil
    }
    let start = cursor.at
    if let range = try cursor.plainText() {
      return try base64(UnsafeRawBufferPointer(cursor.buffer(range)), count, at: start)
    }
    let text = cursor.unescaped(try cursor.text())
    let copy = Bytes(text)
    return try copy.withUnsafeBytes { (raw) throws(JSONFault) in try base64(raw, count, at: start) }
  }

  private mutating func base64(
    _ text: UnsafeRawBufferPointer, _ expected: Int?, at start: Int
  ) throws(JSONFault) -> Bytes? {
    guard let count = Base64.decodedCount(text) else {
      try note(.invalid("base64 whose length is no multiple of 4"), at: start)
      return nil
    }
    guard expected == nil || expected == count else {
      try note(.inconsistent("\(count) bytes, type and shape need \(expected ?? 0)"), at: start)
      return nil
    }
    try spend(count, at: start)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
    if let bad = Base64.decode(text, to: memory) {
      memory.deallocate()
      try note(.invalid("a character that is not base64"), at: start + 1 + bad)
      return nil
    }
    return Bytes(taking: memory, count: count)
  }
}

extension Bytes {
  /// Takes over allocated memory, of which the first `count` bytes are filled.
  init(taking memory: UnsafeMutableRawBufferPointer, count: Int) {
    let filled = UnsafeRawBufferPointer(rebasing: memory[..<count])
    self.init(
      store: ByteStore(filled) { UnsafeMutableRawPointer(mutating: $0.baseAddress)?.deallocate() })
  }
}
