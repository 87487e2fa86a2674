import WherryBytes
import WherryGraph
import WherryHDF5

/// A part of the model as a file holds it: an object's attributes, and what its links lead to.
///
/// Every value that is asked for counts as known; `finish()` complains about the others.
struct LayoutRecord {
  let context: LayoutContext
  let place: Place
  private let object: HDF5Object
  private var attributes: [String: HDF5Attribute] = [:]
  private var links: [String: HDF5Link] = [:]
  private var known: Set<String> = []

  init(_ object: HDF5Object, _ context: LayoutContext, _ place: Place) throws(DecodeError) {
    (self.object, self.context, self.place) = (object, context, place)
    try context.enter(object.address, place)
    let attributes = try object.attributes()
    try context.count(attributes.count, place)
    for attribute in attributes { self.attributes[attribute.name.text] = attribute }
    if case .group(let group) = object {
      let links = try group.links()
      try context.count(links.count, place)
      for link in links { self.links[link.name.text] = link }
    }
  }

  /// Names of all attributes and links.
  var names: Set<String> { Set(attributes.keys).union(links.keys) }

  var dataset: HDF5Dataset? {
    if case .dataset(let dataset) = object { dataset } else { nil }
  }

  func error(_ reason: DecodeError.Reason) -> DecodeError { DecodeError(reason, place) }

  /// - Throws: `.invalid` for an attribute or member that nobody asked for.
  func finish() throws(DecodeError) {
    guard let name = names.subtracting(known).min() else { return }
    throw error(.invalid("unknown value \"\(name)\""))
  }

  // MARK: Parts

  /// The part of a name; nil without one.
  mutating func record(
    _ name: String, _ step: String? = nil
  ) throws(DecodeError) -> LayoutRecord? {
    try record(name, at: place.inside(step ?? name))
  }

  mutating func record(_ name: String, at place: Place) throws(DecodeError) -> LayoutRecord? {
    known.insert(name)
    guard let link = links[name], case .group(let group) = object else { return nil }
    return try LayoutRecord(try group.open(link), context, place)
  }

  /// Reads the parts of a list; those with problems are left out, and the problems noted.
  mutating func list<T>(
    _ name: String, _ step: String,
    _ read: (inout LayoutRecord) throws(DecodeError) -> T
  ) throws(DecodeError) -> [T] {
    guard var list = try record(name) else { return [] }
    var found: [T] = []
    for index in 0..<list.names.count {
      let inner = place.inside(step, at: index, nil)
      let item = try context.noting { () throws(DecodeError) in
        guard var item = try list.record("\(index)", at: inner) else {
          throw DecodeError(.missing("\(index)"), inner)
        }
        let value = try read(&item)
        try item.finish()
        return value
      }
      if let item { found.append(item) }
    }
    return found
  }

  // MARK: Values

  /// The elements of an attribute, or of a data set that stands for one; nil without either.
  mutating func array(_ name: String) throws(DecodeError) -> HDF5Array? {
    known.insert(name)
    if let attribute = attributes[name] { return try attribute.read() }
    guard let link = links[name], case .group(let group) = object else { return nil }
    guard case .dataset(let dataset) = try group.open(link) else {
      throw error(.invalid("\"\(name)\" is no value"))
    }
    try context.enter(dataset.address, place)
    try context.spend(dataset.storedSize ?? .max, place)
    return try dataset.read()
  }

  mutating func text(_ name: String) throws(DecodeError) -> String {
    try optionalText(name) ?? ""
  }

  mutating func optionalText(_ name: String) throws(DecodeError) -> String? {
    guard let array = try array(name) else { return nil }
    return try Self.text(try string(array, name), place.inside("value", name))
  }

  mutating func texts(_ name: String) throws(DecodeError) -> [String] {
    guard let array = try array(name) else { return [] }
    let place = place.inside("value", name)
    var texts: [String] = []
    for bytes in try strings(array, name) { texts.append(try Self.text(bytes, place)) }
    return texts
  }

  private static func text(_ bytes: Bytes, _ place: Place) throws(DecodeError) -> String {
    guard let text = bytes.text else { throw DecodeError(.notUTF8, place) }
    return text
  }

  /// Rows of texts.
  mutating func rows(_ name: String, width: Int) throws(DecodeError) -> [[String]] {
    let texts = try texts(name)
    guard texts.count % width == 0 else {
      throw error(.invalid("\"\(name)\" has not \(width) columns"))
    }
    return stride(from: 0, to: texts.count, by: width).map { Array(texts[$0..<$0 + width]) }
  }

  mutating func properties(_ name: String) throws(DecodeError) -> [Property] {
    try rows(name, width: 2).map { Property($0[0], $0[1]) }
  }

  mutating func integer(_ name: String) throws(DecodeError) -> Int64? {
    guard let array = try array(name) else { return nil }
    let numbers = try integers(array, name)
    guard numbers.count == 1, array.shape == [] else {
      throw error(.invalid("\"\(name)\" is not one integer"))
    }
    return numbers.first
  }

  mutating func integer<T: FixedWidthInteger>(
    _ name: String, _ type: T.Type
  ) throws(DecodeError) -> T? {
    guard let number = try integer(name) else { return nil }
    guard let exact = T(exactly: number) else {
      throw error(.invalid("\"\(name)\" is out of range: \(number)"))
    }
    return exact
  }

  mutating func integers(_ name: String) throws(DecodeError) -> [Int64]? {
    try array(name).map { (array) throws(DecodeError) in try integers(array, name) }
  }

  mutating func flag(_ name: String) throws(DecodeError) -> Bool {
    guard let array = try array(name) else { return false }
    guard array.type == .bool, array.shape == [], let byte = array.bytes.byte(0) else {
      throw error(.invalid("\"\(name)\" is no truth value"))
    }
    return byte != 0
  }

  mutating func double(_ name: String) throws(DecodeError) -> Double? {
    guard let array = try array(name) else { return nil }
    guard array.type == .float64, array.shape == [] else {
      throw error(.invalid("\"\(name)\" is no float64"))
    }
    return array.bytes.withUnsafeBytes { raw in
      Double(
        bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    }
  }

  // MARK: Forms

  func integers(_ array: HDF5Array, _ name: String) throws(DecodeError) -> [Int64] {
    guard array.type == .int64 else {
      throw error(.invalid("\"\(name)\" is not of type int64"))
    }
    try context.spend(array.bytes.count, place)
    return array.bytes.withUnsafeBytes { raw in
      (0..<raw.count / 8).map {
        Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self))
      }
    }
  }

  func floats(_ array: HDF5Array, _ name: String) throws(DecodeError) -> [Float] {
    guard array.type == .float32 else {
      throw error(.invalid("\"\(name)\" is not of type float32"))
    }
    try context.spend(array.bytes.count, place)
    return array.bytes.withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
      }
    }
  }

  /// One text, or numbers that stand for one.
  func string(_ array: HDF5Array, _ name: String) throws(DecodeError) -> Bytes {
    if array.type == .uint8, array.shape?.count == 1 { return array.bytes }
    guard array.shape == [], let text = try strings(array, name).first else {
      throw error(.invalid("\"\(name)\" is not one text"))
    }
    return text
  }

  /// Texts, or rows of numbers that stand for them.
  func strings(_ array: HDF5Array, _ name: String) throws(DecodeError) -> [Bytes] {
    switch array.type {
    case .string, .variableString, .sequence(of: .uint8, _): break
    default: throw error(.invalid("\"\(name)\" is no text"))
    }
    var strings: [Bytes] = []
    let values = try array.values()
    try context.spend(values.count * 16, place)
    for value in values {
      switch value {
      case .string(let bytes):
        try context.spend(bytes.count, place)
        strings.append(bytes)
      case .sequence(let numbers):
        try context.spend(numbers.count, place)
        strings.append(
          Bytes(
            numbers.map { number in
              if case .unsigned(let byte) = number { UInt8(truncatingIfNeeded: byte) } else { 0 }
            }))
      default: throw error(.invalid("\"\(name)\" is no text"))
      }
    }
    return strings
  }
}
