import WherryGraph

/// `Y = (X - offset) * scale`, feature by feature.
///
/// `X: [N, F]` or `[F]`; `offset` and `scale` have one number or `F`; `Y` float32. Computed in float32, as
/// ONNX Runtime does, but for float64 inputs.
/// - Source: ONNX operator specification, ai.onnx.ml Scaler-1.
public struct Scaler: Operator {
  public var offset: [Float]?
  public var scale: [Float]?

  public init() {}

  public static let signature = Signature(
    "Scaler", domain: OperatorName.mlDomain, [.init("X", .features)], [.init("Y", .float32)])

  public static let fields: [Field<Scaler>] = [Field("offset", \.offset), Field("scale", \.scale)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .float32, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let width = x.shape.last ?? 1
    let offsets = try perFeature(offset, width, 0)
    let factors = try perFeature(scale, width, 1)
    let isDouble = x.element == .float64
    let y = x.doubles.enumerated().map { index, value in
      let shifted = rounded(rounded(value, isDouble) - Double(offsets[index % width]), isDouble)
      return shifted * Double(factors[index % width])
    }
    return [Tensor(.float32, x.shape, doubles: y).map { .tensor($0) }]
  }
}

/// `values`, one number repeated for every feature, or `fallback` when there are none.
///
/// - Throws: `RunError.badInput` for another count.
private func perFeature<T>(_ values: [T]?, _ width: Int, _ fallback: T) throws(RunError) -> [T] {
  let values = values ?? []
  if values.count == width { return values }
  guard values.count <= 1 else {
    throw RunError(.badInput("\(values.count) numbers for \(width) features"))
  }
  return Array(repeating: values.first ?? fallback, count: width)
}

/// Each row divided by its largest number, the sum of magnitudes or the Euclidean length; rows where
/// that is 0 stay.
///
/// `X: [N, F]` or `[F]`, `Y` float32.
/// - Source: ONNX operator specification, ai.onnx.ml Normalizer-1.
public struct Normalizer: Operator {
  public enum Norm: String, AttributeConvertible {
    case max = "MAX"
    case l1 = "L1"
    case l2 = "L2"
  }

  public var norm = Norm.max

  public init() {}

  public static let signature = Signature(
    "Normalizer", domain: OperatorName.mlDomain, [.init("X", .features)], [.init("Y", .float32)])

  public static let fields: [Field<Normalizer>] = [Field("norm", \.norm)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, .float32, site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let (count, width, values) = try x.rows()
    var y: [Double] = []
    for index in 0..<count {
      let row = values[index * width..<(index + 1) * width]
      let divisor =
        switch norm {
        case .max: row.max() ?? 0
        case .l1: WherryOperators.norm(row, 1)
        case .l2: WherryOperators.norm(row, 2)
        }
      y += row.map { divisor == 0 ? $0 : $0 / divisor }
    }
    return [Tensor(.float32, x.shape, doubles: y).map { .tensor($0) }]
  }
}

/// 1 where an element is above the threshold, else 0.
///
/// - Source: ONNX operator specification, ai.onnx.ml Binarizer-1.
public struct Binarizer: Operator {
  public var threshold: Float = 0

  public init() {}

  public static let signature = Signature(
    "Binarizer", domain: OperatorName.mlDomain, [.init("X", .features)], [.init("Y", .features)])

  public static let fields: [Field<Binarizer>] = [Field("threshold", \.threshold)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let y = x.doubles.map { $0 > Double(threshold) ? 1.0 : 0 }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}

/// Elements equal to a marker, which may be NaN, replaced feature by feature.
///
/// `X: [N, F]`; the replacements have one number or `F`.
/// - Source: ONNX operator specification, ai.onnx.ml Imputer-1.
public struct Imputer: Operator {
  public var imputedValueFloats: [Float]?
  public var imputedValueInt64s: [Int]?
  public var replacedValueFloat: Float = 0
  public var replacedValueInt64 = 0

  public init() {}

  public static let signature = Signature(
    "Imputer", domain: OperatorName.mlDomain, [.init("X", .features)], [.init("Y", .features)])

  public static let fields: [Field<Imputer>] = [
    Field("imputed_value_floats", \.imputedValueFloats),
    Field("imputed_value_int64s", \.imputedValueInt64s),
    Field("replaced_value_float", \.replacedValueFloat),
    Field("replaced_value_int64", \.replacedValueInt64),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    site.set(0, site.element(0), site.shape(0))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    let width = x.shape.last ?? 1
    if x.element.isInteger {
      let marker = Int64(replacedValueInt64)
      let new = try perFeature(imputedValueInt64s, width, replacedValueInt64)
      let y = x.integers.enumerated().map { $1 == marker ? Int64(new[$0 % width]) : $1 }
      return [Tensor(x.element, x.shape, integers: y).map { .tensor($0) }]
    }
    let marker = Double(replacedValueFloat)
    let new = try perFeature(imputedValueFloats, width, replacedValueFloat)
    let y = x.doubles.enumerated().map { index, value in
      value == marker || value.isNaN && marker.isNaN ? Double(new[index % width]) : value
    }
    return [Tensor(x.element, x.shape, doubles: y).map { .tensor($0) }]
  }
}
