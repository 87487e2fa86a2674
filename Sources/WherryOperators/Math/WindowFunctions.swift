import Glibc
import WherryGraph

/// A window function of as many samples as its scalar input says.
public protocol WindowFunction: Operator {
  /// Code of the result's element type.
  var outputType: Int { get set }
  /// One period of a repeated window, instead of a symmetric one.
  var isPeriodic: Bool { get set }
  /// The window at `phase`, which runs from 0 to 2π.
  static func value(_ phase: Double) -> Double
}

extension WindowFunction {
  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let element = elementType(outputType), ElementSet.numbers.contains(element) else {
      throw TypeError(.attribute("output_datatype", "\(outputType) is no number type"))
    }
    let size = site.integers(0)?.first
    site.set(0, element, Shape([size.map { .fixed(max($0, 0)) } ?? .unknown]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let size = try call.tensor(0).integerScalar("size")
    guard let element = elementType(outputType), ElementSet.numbers.contains(element) else {
      throw RunError(.badInput("output_datatype \(outputType) is no number type"))
    }
    guard size >= 0 else { throw RunError(.badValue("a window of \(size)")) }
    let count = try checkedCount([size])
    let period = Double(max(isPeriodic ? count : count - 1, 1))
    let values = (0..<count).map { Self.value(2 * Double.pi * Double($0) / period) }
    return single(Tensor(element, [count], truncating: values))
  }
}

/// `0.5 - 0.5 cos φ` over one turn of φ.
/// - Source: ONNX operator specification, HannWindow-17.
public struct HannWindow: WindowFunction {
  public var outputType = 1
  public var isPeriodic = true

  public init() {}
  public static let signature = Signature(
    "HannWindow", [.init("size", .indices)], [.init("output", .numbers)])
  public static let fields: [Field<HannWindow>] = [
    Field("output_datatype", \.outputType), Field("periodic", \.isPeriodic),
  ]
  public static func value(_ phase: Double) -> Double {
    0.5 - 0.5 * cos(phase)
  }
}

/// `25/46 - 21/46 cos φ` over one turn of φ.
/// - Source: ONNX operator specification, HammingWindow-17.
public struct HammingWindow: WindowFunction {
  public var outputType = 1
  public var isPeriodic = true

  public init() {}
  public static let signature = Signature(
    "HammingWindow", [.init("size", .indices)], [.init("output", .numbers)])
  public static let fields: [Field<HammingWindow>] = [
    Field("output_datatype", \.outputType), Field("periodic", \.isPeriodic),
  ]
  public static func value(_ phase: Double) -> Double {
    (25 - 21 * cos(phase)) / 46
  }
}

/// `0.42 - 0.5 cos φ + 0.08 cos 2φ` over one turn of φ.
/// - Source: ONNX operator specification, BlackmanWindow-17.
public struct BlackmanWindow: WindowFunction {
  public var outputType = 1
  public var isPeriodic = true

  public init() {}
  public static let signature = Signature(
    "BlackmanWindow", [.init("size", .indices)], [.init("output", .numbers)])
  public static let fields: [Field<BlackmanWindow>] = [
    Field("output_datatype", \.outputType), Field("periodic", \.isPeriodic),
  ]
  public static func value(_ phase: Double) -> Double {
    0.42 - 0.5 * cos(phase) + 0.08 * cos(2 * phase)
  }
}
