/// One extent of a tensor's shape.
public enum Dimension: Sendable, Hashable {
  /// Known; at least 0.
  case fixed(Int)
  /// Unknown but named: equal names stand for equal extents.
  case symbolic(String)
  case unknown

  public var extent: Int? { if case .fixed(let value) = self { value } else { nil } }
}

extension Dimension: ExpressibleByIntegerLiteral, CustomStringConvertible {
  public init(integerLiteral value: Int) { self = .fixed(value) }

  public var description: String {
    switch self {
    case .fixed(let value): "\(value)"
    case .symbolic(let name): name
    case .unknown: "?"
    }
  }
}

/// The extents of a tensor, some perhaps not yet known; a scalar has none.
public struct Shape: Sendable, Hashable {
  public var dimensions: [Dimension]
  /// What each axis means, such as `DATA_CHANNEL`; empty when nothing is said.
  public var denotations: [String]

  public init(_ dimensions: [Dimension], denotations: [String] = []) {
    (self.dimensions, self.denotations) = (dimensions, denotations)
  }

  public init(fixed extents: [Int]) { self.init(extents.map { .fixed($0) }) }

  public var rank: Int { dimensions.count }
  public subscript(axis: Int) -> Dimension {
    get { dimensions[axis] }
    set { dimensions[axis] = newValue }
  }

  /// Every extent, when all are known.
  public var extents: [Int]? {
    var result: [Int] = []
    for dimension in dimensions {
      guard let extent = dimension.extent else { return nil }
      result.append(extent)
    }
    return result
  }
}

extension Shape: CustomStringConvertible {
  public var description: String { "[\(dimensions.map(\.description).joined(separator: ", "))]" }
}

/// The type of a value that flows between operators.
public indirect enum ValueType: Sendable, Hashable {
  /// A dense tensor; shape nil when even the rank is unknown.
  case tensor(ElementType, Shape?)
  case sparseTensor(ElementType, Shape?)
  case sequence(ValueType)
  case optional(ValueType)
  case map(key: ElementType, value: ValueType)
  case opaque(domain: String, name: String)
  /// A type with a meaning attached, such as `IMAGE`.
  case denoted(ValueType, String)
  /// Nothing is said.
  case unspecified

  /// The type without its denotation.
  public var plain: ValueType { if case .denoted(let type, _) = self { type.plain } else { self } }

  public var element: ElementType? {
    switch plain {
    case .tensor(let element, _), .sparseTensor(let element, _): element
    default: nil
    }
  }

  public var shape: Shape? {
    switch plain {
    case .tensor(_, let shape), .sparseTensor(_, let shape): shape
    default: nil
    }
  }
}

extension ValueType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .tensor(let element, let shape): "\(element)\(shape?.description ?? "[…]")"
    case .sparseTensor(let element, let shape): "sparse \(element)\(shape?.description ?? "[…]")"
    case .sequence(let type): "sequence(\(type))"
    case .optional(let type): "optional(\(type))"
    case .map(let key, let value): "map(\(key), \(value))"
    case .opaque(let domain, let name): "opaque(\(domain).\(name))"
    case .denoted(let type, let meaning): "\(type) as \(meaning)"
    case .unspecified: "?"
    }
  }
}
