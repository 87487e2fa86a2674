import WherryGraph

/// How far outputs may be from what is expected: `|a - b| <= absolute + relative * |b|`.
public struct Tolerance: Sendable {
  public var relative: Double
  public var absolute: Double

  public init(relative: Double, absolute: Double) {
    (self.relative, self.absolute) = (relative, absolute)
  }

  /// What ONNX's backend tests allow.
  public static let onnxBackend = Tolerance(relative: 1e-3, absolute: 1e-7)
  public static let exact = Tolerance(relative: 0, absolute: 0)

  func allows(_ a: Double, _ b: Double) -> Bool {
    if a == b || (a.isNaN && b.isNaN) { return true }
    return abs(a - b) <= absolute + relative * abs(b)
  }
}

extension Value {
  /// What differs from the expected value; nil when nothing does.
  public func difference(from expected: Value, _ tolerance: Tolerance) -> String? {
    switch (self, expected) {
    case (.tensor(let a), .tensor(let b)): return a.difference(from: b, tolerance)
    case (.sparse(let a), .sparse(let b)):
      if a.shape != b.shape { return "dense shape \(a.shape), expected \(b.shape)" }
      return a.values.difference(from: b.values, tolerance)
        ?? a.indices.difference(from: b.indices, tolerance)
    case (.sequence(let a, _), .sequence(let b, _)):
      if a.count != b.count { return "\(a.count) elements, expected \(b.count)" }
      for (index, (x, y)) in zip(a, b).enumerated() {
        if let found = x.difference(from: y, tolerance) { return "element \(index): \(found)" }
      }
      return nil
    case (.optional(let a, _), .optional(let b, _)):
      guard let a, let b else { return a == nil && b == nil ? nil : "one is empty" }
      return a.difference(from: b, tolerance)
    case (.map(let a, _), .map(let b, _)):
      if Set(a.keys) != Set(b.keys) { return "different keys" }
      for (key, value) in a {
        if let other = b[key], let found = value.difference(from: other, tolerance) {
          return "a map's value: \(found)"
        }
      }
      return nil
    default: return "a \(type), expected a \(expected.type)"
    }
  }
}

extension Tensor {
  /// What differs from the expected tensor; nil when nothing does.
  public func difference(from expected: Tensor, _ tolerance: Tolerance) -> String? {
    if element != expected.element { return "\(element), expected \(expected.element)" }
    if shape != expected.shape { return "shape \(shape), expected \(expected.shape)" }
    if element == .string { return strings == expected.strings ? nil : "different strings" }
    if bytes == expected.bytes { return nil }
    let (a, b) = (doubles, expected.doubles)
    var wrong = 0
    var first: String?
    for (index, (x, y)) in zip(a, b).enumerated() where !tolerance.allows(x, y) {
      wrong += 1
      if first == nil { first = "element \(index) is \(x), expected \(y)" }
    }
    return first.map { "\(wrong) of \(a.count) differ: \($0)" }
  }
}
