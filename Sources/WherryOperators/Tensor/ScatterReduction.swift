import WherryBytes
import WherryGraph

/// How an update meets the element that it lands on.
public enum ScatterReduction: String, AttributeConvertible {
  /// It replaces the element; of several the last one stays.
  case none
  case add
  case mul
  /// The smaller; NaN wins.
  case min
  /// The greater; NaN wins.
  case max
}

extension ScatterReduction {
  /// `data` with `updates`, each run of `length` elements landing at its place in `starts`.
  ///
  /// Integers wrap around; floats are computed in float64 and rounded once.
  /// - Throws: `RunError.unsupported` for an element type that the reduction does not know.
  func apply(
    _ data: Tensor, _ updates: Tensor, starts: [Int], length: Int
  ) throws(RunError) -> Tensor {
    guard data.element == updates.element else {
      throw RunError(.type(.element(input: 2, updates.element)))
    }
    guard Checked.multiply(starts.count, length) == updates.count else {
      throw RunError(.badInput("updates \(updates.shape) don't fit the indices"))
    }
    let source = self == .none ? updates : try reduce(data, updates, starts: starts, length: length)
    let elements = ElementSource(source)
    var builder = ElementBuilder(data)
    for (index, start) in starts.enumerated() {
      builder.copy(length, from: elements, at: self == .none ? index * length : start, to: start)
    }
    return try builder.tensor(data.shape)
  }

  /// `data` after the reduction; only the elements in `starts` are to be used.
  private func reduce(
    _ data: Tensor, _ updates: Tensor, starts: [Int], length: Int
  ) throws(RunError) -> Tensor {
    let element = data.element
    guard starts.allSatisfy({ $0 >= 0 && $0 <= data.count - length }) else {
      throw RunError(.badValue("an update reaches outside \(data.shape)"))
    }
    if element.isInteger || element == .bool {
      var result = data.integers
      for (index, value) in updates.integers.enumerated() {
        let at = starts[index / length] + index % length
        result[at] = combine(result[at], value, element)
      }
      if let tensor = Tensor(element, data.shape, integers: result) { return tensor }
    } else if element.isFloat {
      var result = data.doubles
      for (index, value) in updates.doubles.enumerated() {
        let at = starts[index / length] + index % length
        result[at] = combine(result[at], value)
      }
      if let tensor = Tensor(element, data.shape, doubles: result) { return tensor }
    }
    throw RunError(.unsupported("reduction \(rawValue) of \(element)"))
  }

  private func combine(_ a: Int64, _ b: Int64, _ element: ElementType) -> Int64 {
    let isLess = element == .uint64 ? UInt64(bitPattern: a) < UInt64(bitPattern: b) : a < b
    return switch self {
    case .none: b
    case .add: element == .bool ? a | b : a &+ b
    case .mul: a &* b
    case .min: isLess ? a : b
    case .max: isLess ? b : a
    }
  }

  private func combine(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .none: b
    case .add: a + b
    case .mul: a * b
    case .min: a.isNaN || a < b ? a : b
    case .max: a.isNaN || a > b ? a : b
    }
  }
}
