import WherryGraph

/// The running total of a tensor along the axis that input 1 names; type and shape stay.
public protocol Cumulation: Operator {
  /// Whether an element's own value is left out of its total.
  var isExclusive: Bool { get set }
  /// From the end of the axis to its start.
  var isReverse: Bool { get set }
  static var start: Int { get }
  static func combine(_ total: Double, _ x: Double) -> Double
  static func combine(_ total: Int64, _ x: Int64) -> Int64
}

extension Cumulation {
  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), let axis = site.integers(1)?.first {
      _ = try InferenceSite.axis(axis, rank: rank)
    }
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let view = try AxisView(x.shape, try call.tensor(1).integerScalar("axis"))
    if x.element.isFloat {
      let y = run(x.doubles, view, Double(Self.start)) { Self.combine($0, $1) }
      return single(Tensor(x.element, x.shape, doubles: y))
    }
    let y = run(x.integers, view, Int64(Self.start)) { Self.combine($0, $1) }
    return single(Tensor(x.element, x.shape, integers: y))
  }

  private func run<T>(
    _ values: [T], _ view: AxisView, _ start: T, _ combine: (T, T) -> T
  ) -> [T] {
    var result = values
    result.withUnsafeMutableBufferPointer { result in
      view.forEachLine { first in
        var total = start
        for step in 0..<view.length {
          let place = first + (isReverse ? view.length - 1 - step : step) * view.inner
          let next = combine(total, result[place])
          result[place] = isExclusive ? total : next
          total = next
        }
      }
    }
    return result
  }
}

/// The running sum along an axis.
/// - Source: ONNX operator specification, CumSum-14.
public struct CumSum: Cumulation {
  public var isExclusive = false
  public var isReverse = false

  public init() {}
  public static let signature = Signature(
    "CumSum", [.init("x", .wideNumbers), .init("axis", .indices)], [.init("y", .wideNumbers)])
  public static let fields: [Field<CumSum>] = [
    Field("exclusive", \.isExclusive), Field("reverse", \.isReverse),
  ]
  public static var start: Int { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x }
  public static func combine(_ total: Int64, _ x: Int64) -> Int64 { total &+ x }
}

/// The running product along an axis.
/// - Source: ONNX operator specification, CumProd-26.
public struct CumProd: Cumulation {
  public var isExclusive = false
  public var isReverse = false

  public init() {}
  public static let signature = Signature(
    "CumProd", [.init("x", .wideNumbers), .init("axis", .indices)], [.init("y", .wideNumbers)])
  public static let fields: [Field<CumProd>] = [
    Field("exclusive", \.isExclusive), Field("reverse", \.isReverse),
  ]
  public static var start: Int { 1 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total * x }
  public static func combine(_ total: Int64, _ x: Int64) -> Int64 { total &* x }
}
