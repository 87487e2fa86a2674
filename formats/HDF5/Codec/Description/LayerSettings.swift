import WherryBytes
import WherryGraph
import WherryText

/// A layer's configuration: typed look-ups that say what is wrong, and where.
struct LayerSettings: Sendable {
  let json: JSONValue
  let place: Place

  /// What stands under `key`; nil when nothing or null does.
  subscript(key: String) -> JSONValue? {
    guard let value = json[key], !value.isNull else { return nil }
    return value
  }

  func fault(_ key: String, _ what: String) -> DecodeError {
    DecodeError(.invalid(what), place.inside("setting", key))
  }

  /// What the layer does that has no counterpart here.
  func unsupported(_ key: String, _ what: String) -> DecodeError {
    DecodeError(.unsupported(what), place.inside("setting", key))
  }

  func flag(_ key: String, _ fallback: Bool = false) throws(DecodeError) -> Bool {
    guard let value = self[key] else { return fallback }
    if let flag = value.bool { return flag }
    guard let number = value.integer, number == 0 || number == 1 else {
      throw fault(key, "true or false is expected")
    }
    return number == 1
  }

  func integer(_ key: String, _ fallback: Int? = nil) throws(DecodeError) -> Int {
    guard let value = self[key] else {
      guard let fallback else { throw DecodeError(.missing(key), place) }
      return fallback
    }
    guard let number = value.integer, abs(number) <= Self.largest else {
      throw fault(key, "an integer is expected")
    }
    return number
  }

  /// No extent, stride or count of a layer is larger, so that sums of a few don't overflow.
  private static let largest = 1 << 40

  func number(_ key: String, _ fallback: Double? = nil) throws(DecodeError) -> Double {
    guard let value = self[key] else {
      guard let fallback else { throw DecodeError(.missing(key), place) }
      return fallback
    }
    guard let number = Self.number(value) else { throw fault(key, "a number is expected") }
    return number
  }

  /// A number, or an array of one number as Keras writes NumPy scalars.
  private static func number(_ value: JSONValue) -> Double? {
    if let number = value.number { return number }
    if let list = value["config"]?["value"] ?? value["value"] { return number(list) }
    guard let list = value.array, list.count == 1 else { return nil }
    return list[0].number
  }

  func text(_ key: String, _ fallback: String? = nil) throws(DecodeError) -> String {
    guard let value = self[key] else {
      guard let fallback else { throw DecodeError(.missing(key), place) }
      return fallback
    }
    guard let text = value.string else { throw fault(key, "a string is expected") }
    return text
  }

  /// A list of integers; a single one stands for itself.
  func integers(_ key: String) throws(DecodeError) -> [Int]? {
    guard let value = self[key] else { return nil }
    guard let list = Self.integers(value), list.allSatisfy({ abs($0) <= Self.largest }) else {
      throw fault(key, "integers are expected")
    }
    return list
  }

  private static func integers(_ value: JSONValue) -> [Int]? {
    if let number = value.integer { return [number] }
    // Keras 2 writes tuples and TensorFlow lists as objects.
    guard let parts = (value["items"] ?? value["config"]?["items"] ?? value).array else {
      return nil
    }
    var list: [Int] = []
    for part in parts {
      guard let number = part.integer else { return nil }
      list.append(number)
    }
    return list
  }

  /// `count` integers, each at least `least`; a single one stands for all.
  func extents(
    _ key: String, _ count: Int, _ fallback: Int? = nil, least: Int = 1
  ) throws(DecodeError) -> [Int] {
    guard var list = try integers(key) else {
      guard let fallback else { throw DecodeError(.missing(key), place) }
      return Array(repeating: fallback, count: count)
    }
    if list.count == 1 { list = Array(repeating: list[0], count: count) }
    guard list.count == count, list.allSatisfy({ $0 >= least }) else {
      throw fault(key, "\(count) integers of at least \(least) are expected")
    }
    return list
  }

  /// Numbers in an array of any nesting, row-major, with their extents.
  func array(_ key: String) throws(DecodeError) -> (shape: [Int], numbers: [Double])? {
    guard let value = self[key] else { return nil }
    let inner = value["config"]?["value"] ?? value["value"] ?? value
    var numbers: [Double] = []
    guard let shape = Self.flatten(inner, into: &numbers), Checked.product(shape) == numbers.count
    else { throw fault(key, "numbers are expected") }
    return (shape, numbers)
  }

  private static func flatten(_ value: JSONValue, into numbers: inout [Double]) -> [Int]? {
    if let number = value.number {
      numbers.append(number)
      return []
    }
    guard let parts = value.array else { return nil }
    var inner: [Int]?
    for part in parts {
      guard let shape = flatten(part, into: &numbers), inner ?? shape == shape else { return nil }
      inner = shape
    }
    return [parts.count] + (inner ?? [])
  }

  /// Where channels stand: behind the spatial axes unless the layer says otherwise.
  func channelsFirst() throws(DecodeError) -> Bool {
    switch try text("data_format", "channels_last") {
    case "channels_last": false
    case "channels_first": true
    case let other: throw fault("data_format", "\"\(other)\"")
    }
  }

  /// Extents with the batch in front; nil stands for an unknown one.
  func shape(_ key: String) throws(DecodeError) -> [Int?]? {
    guard let value = self[key] else { return nil }
    guard let parts = (value["items"] ?? value["config"]?["items"] ?? value).array else {
      throw fault(key, "extents are expected")
    }
    var shape: [Int?] = []
    for part in parts {
      if part.isNull {
        shape.append(nil)
      } else if let extent = part.integer, extent >= 0, extent <= Self.largest {
        shape.append(extent)
      } else {
        throw fault(key, "extents are expected")
      }
    }
    return shape
  }

  /// The element type that the layer computes in; nil when it doesn't say. Mixed policies are named
  /// by what they compute in.
  func element() throws(DecodeError) -> ElementType? {
    guard let value = self["dtype"] else { return nil }
    if let policy = value["class_name"]?.string, policy.hasPrefix("Quantized") {
      let mode = value["config"]?["mode"]?.string ?? policy
      throw unsupported("dtype", "weights that Keras quantized (\(mode))")
    }
    let name = value.string ?? value["config"]?["name"]?.string
    guard let name else { throw fault("dtype", "a type is expected") }
    let plain = name.hasPrefix("mixed_") ? String(name.dropFirst(6)) : name
    guard let element = ElementType(name: plain), element.bitWidth >= 8 || element == .string else {
      throw unsupported("dtype", "type \(name)")
    }
    return element
  }
}
