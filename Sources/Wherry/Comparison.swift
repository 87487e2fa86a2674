import WherryBytes
import WherryGraph

/// How far two tensors that should be equal are apart.
public struct Comparison: Sendable {
  /// What counts as equal: `|a - b| <= absolute + relative * |b|`; NaN equals NaN.
  public struct Bounds: Sendable {
    public var relative: Double
    public var absolute: Double

    public init(relative: Double = 1e-5, absolute: Double = 1e-6) {
      (self.relative, self.absolute) = (relative, absolute)
    }
  }

  public let name: String
  public let count: Int
  /// Elements outside the bounds.
  public let differing: Int
  public let largestAbsolute: Double
  /// Largest `|a - b| / |b|` over elements with `|b| > absolute`.
  public let largestRelative: Double
  /// Why the tensors can't be compared at all: another type, shape, or none.
  public let mismatch: String?

  public var isEqual: Bool { mismatch == nil && differing == 0 }

  /// Compares `a` with the expected `b`.
  public init(_ name: String, _ a: Tensor?, _ b: Tensor?, bounds: Bounds) {
    self.name = name
    var found: String?
    if let a, let b {
      if a.element != b.element {
        found = "\(a.element) against \(b.element)"
      } else if a.shape != b.shape {
        found = "shape \(a.shape) against \(b.shape)"
      }
    } else {
      found = a == nil && b == nil ? "no such output" : "only one model gives it"
    }
    mismatch = found
    guard found == nil, let a, let b else {
      (count, differing, largestAbsolute, largestRelative) = (0, 0, 0, 0)
      return
    }
    count = a.count
    guard a.element.isFloat || a.element.isComplex else {
      let differing =
        a.element == .string
        ? zip(a.strings, b.strings).count { $0 != $1 }
        : zip(a.integers, b.integers).count { $0 != $1 }
      let gaps = zip(a.integers, b.integers).map {
        Double($0.subtractingReportingOverflow($1).partialValue.magnitude)
      }
      self.differing = differing
      largestAbsolute = gaps.max() ?? 0
      largestRelative = 0
      return
    }
    var (differing, absolute, relative) = (0, 0.0, 0.0)
    for (x, y) in zip(a.doubles, b.doubles) {
      if x == y || x.isNaN && y.isNaN { continue }
      let gap = (x - y).magnitude
      if !(gap <= bounds.absolute + bounds.relative * y.magnitude) { differing += 1 }
      absolute = max(absolute, gap.isNaN ? .infinity : gap)
      if y.magnitude > bounds.absolute { relative = max(relative, gap / y.magnitude) }
    }
    (self.differing, largestAbsolute, largestRelative) = (differing, absolute, relative)
  }
}

/// Seeded pseudo-random input data, for comparing and timing models without any.
public enum SampleData {
  /// One value for each input that has no default: floats uniform in -1...1, integers 0...3,
  /// extents that are not fixed taken from `shapes` or 1.
  ///
  /// - Throws: `RunError` for inputs that are no tensors of known rank.
  public static func inputs(
    of model: Model, shapes: [String: [Int]] = [:], seed: UInt64 = 1
  ) throws(RunError) -> [String: Tensor] {
    let constants = Set(model.graph.initializers.map(\.name))
    var state = seed
    var result: [String: Tensor] = [:]
    for input in model.graph.inputs where !constants.contains(input.name) {
      let place = Place().inside("input", input.name)
      guard let element = input.type.element, let shape = input.type.shape else {
        throw RunError(.unsupported("sample data for \(input.type)"), place)
      }
      let extents = shapes[input.name] ?? shape.dimensions.map { $0.extent ?? 1 }
      guard let count = Checked.product(extents), count <= 1 << 28 else {
        throw RunError(.limit("sample data of \(extents)"), place)
      }
      var numbers: [Double] = []
      numbers.reserveCapacity(count)
      for _ in 0..<count {
        // Knuth's MMIX linear congruential generator; the high bits are the good ones.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let unit = Double(state >> 40) / Double(1 << 24)
        numbers.append(element.isFloat ? unit * 2 - 1 : (unit * 4).rounded(.down))
      }
      let tensor =
        element == .bool
        ? Tensor(extents, booleans: numbers.map { $0 >= 2 })
        : element == .string
          ? Tensor(extents, strings: numbers.map { Bytes("\(Int($0))".utf8) })
          : Tensor(element, extents, doubles: numbers)
      result[input.name] = tensor
    }
    return result
  }
}
