import WherryGraph

/// One operator folded over any number of broadcast tensors of one type.
public protocol VariadicFold: Operator {
  func combine(_ x: Double, _ y: Double) -> Double
  func combine<T: FixedWidthInteger>(_ x: T, _ y: T) -> T
  /// The last step, given how many tensors there are.
  func finish(_ x: Double, count: Int) -> Double
}

extension VariadicFold {
  public static var fields: [Field<Self>] { [] }

  public func finish(_ x: Double, count: Int) -> Double { x }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    let count = site.inputs.count
    site.set(0, try site.commonElement(0..<count), try site.broadcastShape(count))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let tensors = try call.sameTensors()
    let element = tensors[0].element
    let shape = try Broadcast(tensors.map(\.shape)).shape
    if element.isFloat {
      let folded = try fold(tensors, shape, { $0.doubles }, { combine($0, $1) })
      let y = folded.map { finish($0, count: tensors.count) }
      return single(Tensor(element, shape, doubles: y))
    }
    if element == .uint64 {
      let y = try fold(
        tensors, shape, { $0.integers.map { UInt64(bitPattern: $0) } }, { combine($0, $1) })
      return single(Tensor(element, shape, wrapping: y))
    }
    let y = try fold(tensors, shape, { $0.integers }, { combine($0, $1) })
    return single(Tensor(element, shape, integers: y))
  }

  private func fold<T>(
    _ tensors: [Tensor], _ shape: [Int], _ elements: (Tensor) -> [T], _ combine: (T, T) -> T
  ) throws(RunError) -> [T] {
    let whole = try Broadcast([shape])
    var total = whole.expand(elements(tensors[0]), tensors[0].shape)
    for tensor in tensors.dropFirst() {
      total = whole.map(total, shape, elements(tensor), tensor.shape, combine)
    }
    return total
  }
}

/// The greatest of the elements; NaN wins.
/// - Source: ONNX operator specification, Max-13.
public struct Max: VariadicFold {
  public init() {}
  public static let signature = Signature(
    "Max", [.init("data_0", .numbers, .variadic)], [.init("max", .numbers)])
  public func combine(_ x: Double, _ y: Double) -> Double { greater(x, y) }
  public func combine<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { max(x, y) }
}

/// The least of the elements; NaN wins.
/// - Source: ONNX operator specification, Min-13.
public struct Min: VariadicFold {
  public init() {}
  public static let signature = Signature(
    "Min", [.init("data_0", .numbers, .variadic)], [.init("min", .numbers)])
  public func combine(_ x: Double, _ y: Double) -> Double { lesser(x, y) }
  public func combine<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { min(x, y) }
}

/// The sum of the elements.
/// - Source: ONNX operator specification, Sum-13.
public struct Sum: VariadicFold {
  public init() {}
  public static let signature = Signature(
    "Sum", [.init("data_0", .floats, .variadic)], [.init("sum", .floats)])
  public func combine(_ x: Double, _ y: Double) -> Double { x + y }
  public func combine<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x &+ y }
}

/// The mean of the elements.
/// - Source: ONNX operator specification, Mean-13.
public struct Mean: VariadicFold {
  public init() {}
  public static let signature = Signature(
    "Mean", [.init("data_0", .floats, .variadic)], [.init("mean", .floats)])
  public func combine(_ x: Double, _ y: Double) -> Double { x + y }
  public func combine<T: FixedWidthInteger>(_ x: T, _ y: T) -> T { x &+ y }
  public func finish(_ x: Double, count: Int) -> Double { x / Double(count) }
}

/// The greater of two numbers, or NaN when either is.
func greater(_ x: Double, _ y: Double) -> Double { x > y || x.isNaN ? x : y }

/// The lesser of two numbers, or NaN when either is.
func lesser(_ x: Double, _ y: Double) -> Double { x < y || x.isNaN ? x : y }
