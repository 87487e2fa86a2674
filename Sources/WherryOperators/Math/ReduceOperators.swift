import Glibc
import WherryGraph

/// The sum of each group.
/// - Source: ONNX operator specification, ReduceSum-13.
public struct ReduceSum: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceSum", .wideNumbers)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { total &+ x }
}

/// The mean of each group; of integers, truncated towards zero.
/// - Source: ONNX operator specification, ReduceMean-18.
public struct ReduceMean: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceMean", .wideNumbers)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x }
  public static func finish(_ total: Double, count: Int) -> Double { total / Double(count) }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { total &+ x }
  public static func finish<T: FixedWidthInteger>(_ total: T, count: T) -> T {
    count == 0 ? 0 : total.dividedReportingOverflow(by: count).partialValue
  }
}

/// The product of each group.
/// - Source: ONNX operator specification, ReduceProd-18.
public struct ReduceProd: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceProd", .wideNumbers)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 1 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total * x }
  public static func start<T: FixedWidthInteger>(in bounds: ClosedRange<T>) -> T { 1 }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { total &* x }
}

/// The sum of the magnitudes of each group.
/// - Source: ONNX operator specification, ReduceL1-18.
public struct ReduceL1: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceL1", .wideNumbers)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x.magnitude }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T {
    total &+ (x < 0 ? 0 &- x : x)
  }
}

/// The sum of the squares of each group.
/// - Source: ONNX operator specification, ReduceSumSquare-18.
public struct ReduceSumSquare: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceSumSquare", .wideNumbers)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x * x }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { total &+ x &* x }
}

/// The square root of the sum of the squares of each group; of integers, truncated.
/// - Source: ONNX operator specification, ReduceL2-18.
public struct ReduceL2: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceL2", .wideNumbers)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x * x }
  public static func finish(_ total: Double, count: Int) -> Double { total.squareRoot() }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { total &+ x &* x }
  public static func finish<T: FixedWidthInteger>(_ total: T, count: T) -> T {
    T(exactly: Double(total).squareRoot().rounded(.towardZero)) ?? 0
  }
}

/// The logarithm of the sum of each group.
/// - Source: ONNX operator specification, ReduceLogSum-28.
public struct ReduceLogSum: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceLogSum", .floats)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + x }
  public static func finish(_ total: Double, count: Int) -> Double { log(total) }
}

/// The greatest of each group; NaN wins.
/// - Source: ONNX operator specification, ReduceMax-20.
public struct ReduceMax: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction(
    "ReduceMax", .wideNumbers.union(ElementSet(.int8, .uint8, .bool)))
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { -.infinity }
  public static func combine(_ total: Double, _ x: Double) -> Double { greater(total, x) }
  public static func start<T: FixedWidthInteger>(in bounds: ClosedRange<T>) -> T {
    bounds.lowerBound
  }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { max(total, x) }
}

/// The least of each group; NaN wins.
/// - Source: ONNX operator specification, ReduceMin-20.
public struct ReduceMin: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction(
    "ReduceMin", .wideNumbers.union(ElementSet(.int8, .uint8, .bool)))
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { .infinity }
  public static func combine(_ total: Double, _ x: Double) -> Double { lesser(total, x) }
  public static func start<T: FixedWidthInteger>(in bounds: ClosedRange<T>) -> T {
    bounds.upperBound
  }
  public static func combine<T: FixedWidthInteger>(_ total: T, _ x: T) -> T { min(total, x) }
}

/// The logarithm of the sum of `e^x` of each group, without overflow.
/// - Source: ONNX operator specification, ReduceLogSumExp-28.
public struct ReduceLogSumExp: Reduction {
  public var keepsAxes = true
  public var skipsEmptyAxes = false

  public init() {}
  public static let signature = Signature.reduction("ReduceLogSumExp", .floats)
  public static let fields = reductionFields(\.keepsAxes, \.skipsEmptyAxes)
  public static var start: Double { 0 }
  public static func combine(_ total: Double, _ x: Double) -> Double { total + exp(x) }
  public static func finish(_ total: Double, count: Int) -> Double { log(total) }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let data = try call.tensor(0)
    let plan = try plan(call, data)
    let values = data.doubles
    let tops = plan.fold(values, from: -.infinity, greater).map { $0.isInfinite ? 0 : $0 }
    let shifted = plan.spread(tops, over: values) { exp($0 - $1) }
    let sums = plan.fold(shifted, from: 0, +)
    let y = zip(sums, tops).map { log($0) + $1 }
    return single(Tensor(data.element, plan.shape, doubles: y))
  }
}
