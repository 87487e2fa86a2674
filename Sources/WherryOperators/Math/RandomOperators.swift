import WherryGraph

/// An operator that fills a tensor with independent random numbers.
protocol RandomFill: Operator {
  var seed: Float? { get set }
  func draw(_ source: inout MersenneTwister) -> Double
}

extension RandomFill {
  func fill(_ element: ElementType, _ shape: [Int]) throws(RunError) -> [Value?] {
    var source = MersenneTwister(seed: seed)
    let values = (0..<(try checkedCount(shape))).map { _ in draw(&source) }
    return single(Tensor(element, shape, doubles: values))
  }
}

extension ElementSet {
  /// The types a random tensor may take its shape from.
  fileprivate static let shaped = ElementSet.numbers.union(
    ElementSet(.bool, .string, .complex64, .complex128))
}

private func floatType(_ code: Int) throws(TypeError) -> ElementType {
  guard let element = elementType(code), ElementSet.floats.contains(element) else {
    throw TypeError(.attribute("dtype", "\(code) is no floating-point type"))
  }
  return element
}

private func evaluatedType(_ code: Int) throws(RunError) -> ElementType {
  do { return try floatType(code) } catch { throw RunError(error) }
}

private func fixedShape(_ extents: [Int]) throws(TypeError) -> Shape {
  guard extents.allSatisfy({ $0 >= 0 }) else {
    throw TypeError(.attribute("shape", "\(extents) has negative extents"))
  }
  return Shape(fixed: extents)
}

/// Numbers of the normal distribution of the given mean and standard deviation.
/// - Source: ONNX operator specification, RandomNormal-22.
public struct RandomNormal: Nondeterministic, RandomFill {
  public var mean: Float = 0
  public var scale: Float = 1
  public var seed: Float?
  public var shape: [Int] = []
  /// Code of the result's element type, a floating-point one.
  public var elementCode = Int(ElementType.float32.rawValue)

  public init() {}
  public static let signature = Signature("RandomNormal", [], [.init("output", .floats)])
  public static let fields: [Field<RandomNormal>] = [
    Field("dtype", \.elementCode), Field("mean", \.mean), Field("scale", \.scale),
    Field("seed", \.seed), Field("shape", \.shape, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, try floatType(elementCode), try fixedShape(shape))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try fill(try evaluatedType(elementCode), shape)
  }

  func draw(_ source: inout MersenneTwister) -> Double {
    Double(mean) + Double(scale) * source.normal()
  }
}

/// Numbers of the normal distribution of the given mean and standard deviation,
/// shaped like the input.
/// - Source: ONNX operator specification, RandomNormalLike-22.
public struct RandomNormalLike: Nondeterministic, RandomFill {
  public var mean: Float = 0
  public var scale: Float = 1
  public var seed: Float?
  /// Code of the result's element type; nil for the input's.
  public var elementCode: Int?

  public init() {}
  public static let signature = Signature(
    "RandomNormalLike", [.init("input", .shaped)], [.init("output", .floats)])
  public static let fields: [Field<RandomNormalLike>] = [
    Field("dtype", \.elementCode), Field("mean", \.mean), Field("scale", \.scale),
    Field("seed", \.seed),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let code = elementCode ?? site.element(0).map({ Int($0.rawValue) }) else { return }
    site.set(0, try floatType(code), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let input = try call.tensor(0)
    return try fill(
      try evaluatedType(elementCode ?? Int(input.element.rawValue)), input.shape)
  }

  func draw(_ source: inout MersenneTwister) -> Double {
    Double(mean) + Double(scale) * source.normal()
  }
}

/// Numbers uniform in `low ..< high`.
/// - Source: ONNX operator specification, RandomUniform-22.
public struct RandomUniform: Nondeterministic, RandomFill {
  public var low: Float = 0
  public var high: Float = 1
  public var seed: Float?
  public var shape: [Int] = []
  /// Code of the result's element type, a floating-point one.
  public var elementCode = Int(ElementType.float32.rawValue)

  public init() {}
  public static let signature = Signature("RandomUniform", [], [.init("output", .floats)])
  public static let fields: [Field<RandomUniform>] = [
    Field("dtype", \.elementCode), Field("low", \.low), Field("high", \.high),
    Field("seed", \.seed), Field("shape", \.shape, required: true),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, try floatType(elementCode), try fixedShape(shape))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try fill(try evaluatedType(elementCode), shape)
  }

  func draw(_ source: inout MersenneTwister) -> Double {
    Double(low) + (Double(high) - Double(low)) * source.uniform()
  }
}

/// Numbers uniform in `low ..< high`, shaped like the input.
/// - Source: ONNX operator specification, RandomUniformLike-22.
public struct RandomUniformLike: Nondeterministic, RandomFill {
  public var low: Float = 0
  public var high: Float = 1
  public var seed: Float?
  /// Code of the result's element type; nil for the input's.
  public var elementCode: Int?

  public init() {}
  public static let signature = Signature(
    "RandomUniformLike", [.init("input", .shaped)], [.init("output", .floats)])
  public static let fields: [Field<RandomUniformLike>] = [
    Field("dtype", \.elementCode), Field("low", \.low), Field("high", \.high),
    Field("seed", \.seed),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let code = elementCode ?? site.element(0).map({ Int($0.rawValue) }) else { return }
    site.set(0, try floatType(code), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let input = try call.tensor(0)
    return try fill(
      try evaluatedType(elementCode ?? Int(input.element.rawValue)), input.shape)
  }

  func draw(_ source: inout MersenneTwister) -> Double {
    Double(low) + (Double(high) - Double(low)) * source.uniform()
  }
}
