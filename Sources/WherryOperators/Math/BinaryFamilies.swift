import WherryGraph

/// An operator on pairs of elements of two broadcast tensors of one type, which it keeps. Integers
/// wrap.
public protocol NumberBinary: Operator {
  func apply(_ x: Double, _ y: Double) -> Double
  func apply<T: FixedWidthInteger>(_ x: T, _ y: T) -> T
}

extension NumberBinary {
  public static var fields: [Field<Self>] { [] }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, try site.commonElement(0..<2), try site.broadcastShape(2))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = try call.pair()
    let walk = try Broadcast([a.shape, b.shape])
    if a.element.isFloat {
      let c = walk.map(a.doubles, a.shape, b.doubles, b.shape) { apply($0, $1) }
      return single(Tensor(a.element, walk.shape, doubles: c))
    }
    return try evaluateIntegers(a, b, walk)
  }

  func evaluateIntegers(
    _ a: Tensor, _ b: Tensor, _ walk: Broadcast
  ) throws(RunError) -> [Value?] {
    switch (IntegerView(a), IntegerView(b)) {
    case (.unsigned(let x), .unsigned(let y)):
      let c = walk.map(x, a.shape, y, b.shape) { apply($0, $1) }
      return single(Tensor(a.element, walk.shape, wrapping: c))
    default:
      let c = walk.map(a.integers, a.shape, b.integers, b.shape) { apply($0, $1) }
      return single(Tensor(a.element, walk.shape, integers: c))
    }
  }
}

/// `NumberBinary` without floating-point types.
public protocol IntegerBinary: NumberBinary {}

extension IntegerBinary {
  public func apply(_ x: Double, _ y: Double) -> Double { .nan }
}

/// A question about pairs of elements of two broadcast tensors of one type.
public protocol Comparison: Operator {
  func holds<T: Comparable>(_ x: T, _ y: T) -> Bool
}

extension Comparison {
  public static var fields: [Field<Self>] { [] }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    _ = try site.commonElement(0..<2)
    site.set(0, .bool, try site.broadcastShape(2))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (a, b) = try call.pair()
    let walk = try Broadcast([a.shape, b.shape])
    let c: [Bool]
    if a.element.isFloat {
      c = walk.map(a.doubles, a.shape, b.doubles, b.shape) { holds($0, $1) }
    } else if case (.unsigned(let x), .unsigned(let y)) = (IntegerView(a), IntegerView(b)) {
      c = walk.map(x, a.shape, y, b.shape) { holds($0, $1) }
    } else if a.element == .string {
      // Only equality is defined on strings: any two that differ stand for 0 and 1.
      c = walk.map(a.strings, a.shape, b.strings, b.shape) { holds(0, $0 == $1 ? 0 : 1) }
    } else {
      c = walk.map(a.integers, a.shape, b.integers, b.shape) { holds($0, $1) }
    }
    return single(Tensor(walk.shape, booleans: c))
  }
}
