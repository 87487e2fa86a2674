import Glibc
import WherryGraph

/// The mean of each channel: `X: [N, C, D1 … Dn]`, `Y: [N, C, 1 … 1]`.
///
/// - Source: ONNX operator specification, GlobalAveragePool-22.
public struct GlobalAveragePool: Operator {
  public init() {}

  public static let signature = Signature(
    "GlobalAveragePool", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<GlobalAveragePool>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) { try site.inferGlobalPool() }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try call.reduceChannels { $0.reduce(0, +) / Double($0.count) }
  }
}

/// The largest element of each channel: `X: [N, C, D1 … Dn]`, `Y: [N, C, 1 … 1]`.
///
/// - Source: ONNX operator specification, GlobalMaxPool-22.
public struct GlobalMaxPool: Operator {
  public init() {}

  public static let signature = Signature(
    "GlobalMaxPool", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<GlobalMaxPool>] = []

  public func infer(_ site: inout InferenceSite) throws(TypeError) { try site.inferGlobalPool() }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try call.reduceChannels { $0.max() ?? -.infinity }
  }
}

/// The p-norm of each channel: `X: [N, C, D1 … Dn]`, `Y: [N, C, 1 … 1]`.
///
/// - Source: ONNX operator specification, GlobalLpPool-22.
public struct GlobalLpPool: Operator {
  /// At least 1.
  public var p = 2

  public init() {}

  public static let signature = Signature(
    "GlobalLpPool", [.init("X", .floats)], [.init("Y", .floats)])

  public static let fields: [Field<GlobalLpPool>] = [Field("p", \.p)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) { try site.inferGlobalPool() }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    try call.reduceChannels { norm($0, p) }
  }
}

/// `(Σ |x|^p)^(1/p)`
func norm(_ values: some Sequence<Double>, _ p: Int) -> Double {
  switch p {
  case 1: values.reduce(0) { $0 + $1.magnitude }
  case 2: values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  default: pow(values.reduce(0) { $0 + pow($1.magnitude, Double(p)) }, 1 / Double(p))
  }
}

extension InferenceSite {
  fileprivate mutating func inferGlobalPool() throws(TypeError) {
    try requireRank(0, 2...)
    let shape = shape(0).map { shape in
      Shape(Array(shape.dimensions.prefix(2)) + shape.dimensions.dropFirst(2).map { _ in 1 })
    }
    set(0, element(0), shape)
  }
}

extension OperatorCall {
  fileprivate func reduceChannels(
    _ reduce: (ArraySlice<Double>) -> Double
  ) throws(RunError) -> [Value?] {
    let x = try tensor(0)
    guard x.rank >= 2 else { throw RunError(.badInput("X has rank \(x.rank)")) }
    let size = x.shape.dropFirst(2).reduce(1, *)
    let input = x.doubles
    let y = (0..<x.shape[0] * x.shape[1]).map { reduce(input[$0 * size..<($0 + 1) * size]) }
    let shape = Array(x.shape.prefix(2)) + x.shape.dropFirst(2).map { _ in 1 }
    return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
  }
}
