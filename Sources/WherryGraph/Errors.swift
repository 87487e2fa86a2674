import WherryBytes

/// Why types or shapes don't fit an operator.
public struct TypeError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    case inputCount(Int, allowed: ClosedRange<Int>)
    case outputCount(Int, allowed: ClosedRange<Int>)
    case missingInput(Int)
    /// The input's element type is none of those allowed, or differs from another input's.
    case element(input: Int, ElementType)
    case rank(input: Int, Int, expected: String)
    /// Extents that contradict each other or an attribute.
    case shape(String)
    case attribute(String, String)
    /// The declared type of a value and the inferred one can't be the same.
    case contradiction(declared: ValueType, inferred: ValueType)
    /// A budget on steps or depth is used up.
    case limit(String)
  }

  public var reason: Reason
  public var place: Place

  public init(_ reason: Reason, _ place: Place = Place()) {
    (self.reason, self.place) = (reason, place)
  }

  public var description: String {
    place.telling(reason)
  }
}

extension TypeError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .inputCount(let count, let allowed): "\(count) inputs, \(allowed) allowed"
    case .outputCount(let count, let allowed): "\(count) outputs, \(allowed) allowed"
    case .missingInput(let index): "input \(index) is missing"
    case .element(let input, let element): "input \(input) can't be \(element)"
    case .rank(let input, let rank, let expected):
      "input \(input) has rank \(rank), not \(expected)"
    case .shape(let what): what
    case .attribute(let name, let what): "attribute \"\(name)\": \(what)"
    case .limit(let what): "more than the limit of \(what)"
    case .contradiction(let declared, let inferred): "declared \(declared), but it is \(inferred)"
    }
  }
}

/// Why a graph could not be evaluated.
public struct RunError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    case unknownOperator(OperatorName)
    /// The operator is known; this use of it isn't supported.
    case unsupported(String)
    case missingInput(String)
    case badInput(String)
    /// Values outside the operator's domain, such as an index out of range.
    case badValue(String)
    case type(TypeError.Reason)
    /// A budget on memory, steps or depth is used up.
    case limit(String)
  }

  public var reason: Reason
  public var place: Place

  public init(_ reason: Reason, _ place: Place = Place()) {
    (self.reason, self.place) = (reason, place)
  }

  public init(_ error: TypeError) { self.init(.type(error.reason), error.place) }

  public var description: String {
    let what =
      switch reason {
      case .unknownOperator(let name): "operator \(name) is unknown"
      case .unsupported(let what): "unsupported: \(what)"
      case .missingInput(let name): "input \"\(name)\" is missing"
      case .badInput(let what): what
      case .badValue(let what): what
      case .type(let reason): "\(reason)"
      case .limit(let what): "more than the limit of \(what)"
      }
    return place.telling(what)
  }
}
