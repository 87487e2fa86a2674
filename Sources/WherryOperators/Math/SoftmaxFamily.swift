import Glibc
import WherryGraph

/// An operator on every line of a floating-point tensor along one axis; type and shape stay.
public protocol LineOperator: Operator {
  var axis: Int { get set }
  func apply(_ line: inout [Double])
}

extension LineOperator {
  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0) { _ = try InferenceSite.axis(axis, rank: max(rank, 1)) }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let view = try AxisView(x.rank == 0 ? [1] : x.shape, axis)
    guard x.count > 0 else { return single(x) }
    var values = x.doubles
    var line = [Double](repeating: 0, count: view.length)
    view.forEachLine { start in
      for index in 0..<view.length { line[index] = values[start + index * view.inner] }
      apply(&line)
      for index in 0..<view.length { values[start + index * view.inner] = line[index] }
    }
    return single(Tensor(x.element, x.shape, doubles: values))
  }
}

/// `e^x` divided by its sum along `axis`.
/// - Source: ONNX operator specification, Softmax-13.
public struct Softmax: LineOperator {
  public var axis = -1

  public init() {}
  public static let signature = Signature.unary("Softmax", .floats, "input", "output")
  public static let fields: [Field<Softmax>] = [Field("axis", \.axis)]

  public func apply(_ line: inout [Double]) {
    let top = line.reduce(-.infinity, greater)
    var sum = 0.0
    for index in line.indices {
      line[index] = exp(line[index] - top)
      sum += line[index]
    }
    for index in line.indices { line[index] /= sum }
  }
}

/// The logarithm of `Softmax`.
/// - Source: ONNX operator specification, LogSoftmax-13.
public struct LogSoftmax: LineOperator {
  public var axis = -1

  public init() {}
  public static let signature = Signature.unary("LogSoftmax", .floats, "input", "output")
  public static let fields: [Field<LogSoftmax>] = [Field("axis", \.axis)]

  public func apply(_ line: inout [Double]) {
    let top = line.reduce(-.infinity, greater)
    let sum = line.reduce(0) { $0 + exp($1 - top) }
    let shift = log(sum)
    for index in line.indices { line[index] = line[index] - top - shift }
  }
}

/// 1 at the first greatest element along `axis`, 0 elsewhere.
/// - Source: ONNX operator specification, Hardmax-13.
public struct Hardmax: LineOperator {
  public var axis = -1

  public init() {}
  public static let signature = Signature.unary("Hardmax", .floats, "input", "output")
  public static let fields: [Field<Hardmax>] = [Field("axis", \.axis)]

  public func apply(_ line: inout [Double]) {
    let best = line.indices.reduce(0) { line[$1] > line[$0] ? $1 : $0 }
    for index in line.indices { line[index] = index == best ? 1 : 0 }
  }
}
