import WherryBytes
import WherryGraph

/// A total order of a tensor's elements: numbers by value with NaN after all others and equal to itself,
/// complex numbers by real, then imaginary part, strings by their bytes.
struct ElementOrder {
  private enum Keys {
    case integers([Int64])
    case unsigned([UInt64])
    case doubles([Double], perElement: Int)
    case strings([Bytes])
  }
  private let keys: Keys

  init(_ tensor: Tensor) {
    if tensor.element == .string {
      keys = .strings(tensor.strings)
    } else if tensor.element == .uint64 {
      keys = .unsigned(tensor.integers.map { UInt64(bitPattern: $0) })
    } else if tensor.element.isInteger || tensor.element == .bool {
      keys = .integers(tensor.integers)
    } else {
      keys = .doubles(tensor.doubles, perElement: tensor.element.isComplex ? 2 : 1)
    }
  }

  /// Negative when element `a` comes before element `b`, 0 when they are equal, positive when after.
  func compare(_ a: Int, _ b: Int) -> Int {
    switch keys {
    case .integers(let list): return Self.sign(list[a], list[b])
    case .unsigned(let list): return Self.sign(list[a], list[b])
    case .strings(let list):
      return list[a] == list[b]
        ? 0 : list[a].array.lexicographicallyPrecedes(list[b].array) ? -1 : 1
    case .doubles(let list, let width):
      for part in 0..<width {
        let (x, y) = (list[a * width + part], list[b * width + part])
        let order =
          x.isNaN || y.isNaN ? Self.sign(x.isNaN ? 1 : 0, y.isNaN ? 1 : 0) : Self.sign(x, y)
        if order != 0 { return order }
      }
      return 0
    }
  }

  private static func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a == b ? 0 : 1 }
}
