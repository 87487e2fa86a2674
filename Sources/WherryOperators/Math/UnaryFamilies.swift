import WherryGraph

/// An operator on each element of one floating-point tensor; type and shape stay.
public protocol FloatUnary: Operator {
  func apply(_ x: Double) -> Double
}

extension FloatUnary {
  public static var fields: [Field<Self>] { [] }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    return single(Tensor(x.element, x.shape, doubles: x.doubles.map { apply($0) }))
  }
}

/// An operator on each element of one tensor of floats or integers; type and shape stay. Integers
/// wrap.
public protocol NumberUnary: FloatUnary {
  func apply<T: FixedWidthInteger>(_ x: T) -> T
}

extension NumberUnary {
  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    if x.element.isFloat {
      return single(Tensor(x.element, x.shape, doubles: x.doubles.map { apply($0) }))
    }
    switch IntegerView(x) {
    case .signed(let values):
      return single(Tensor(x.element, x.shape, wrapping: values.map { apply($0) }))
    case .unsigned(let values):
      return single(Tensor(x.element, x.shape, wrapping: values.map { apply($0) }))
    }
  }
}

/// A question about each element of one floating-point tensor.
public protocol FloatTest: Operator {
  func holds(_ x: Double) -> Bool
}

extension FloatTest {
  public static var fields: [Field<Self>] { [] }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .bool, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    return single(Tensor(x.shape, booleans: x.doubles.map { holds($0) }))
  }
}
