import WherryGraph

/// The outputs of an operator with one.
func single(_ tensor: Tensor?) -> [Value?] { [tensor.map { .tensor($0) }] }

/// The integers of a tensor in the type in which their arithmetic is right: `UInt64` for uint64,
/// `Int64` for all narrower types and int64.
enum IntegerView: Sendable {
  case signed([Int64])
  case unsigned([UInt64])

  init(_ tensor: Tensor) {
    self =
      tensor.element == .uint64
      ? .unsigned(tensor.integers.map { UInt64(bitPattern: $0) }) : .signed(tensor.integers)
  }
}

extension Tensor {
  /// Integers of `element` that keep the low bits of each value.
  init?<T: FixedWidthInteger>(_ element: ElementType, _ shape: [Int], wrapping values: [T]) {
    self.init(element, shape, integers: values.map { Int64(truncatingIfNeeded: $0) })
  }

  /// Integers of `element` from float64: truncated towards zero, saturated; NaN is 0. Other element
  /// types are rounded as usual.
  init?(_ element: ElementType, _ shape: [Int], truncating values: [Double]) {
    self.init(
      element, shape,
      doubles: element.isInteger ? values.map { $0.rounded(.towardZero) } : values)
  }

  /// The only element of a tensor of one.
  ///
  /// - Throws: `RunError.badInput` when there isn't exactly one.
  func scalar(_ what: String) throws(RunError) -> Double {
    let values = doubles
    guard count == 1, let value = values.first else {
      throw RunError(.badInput("\(what) must be a scalar, not \(shape)"))
    }
    return value
  }

  /// The only element of an integer tensor of one.
  ///
  /// - Throws: `RunError.badInput` when there isn't exactly one.
  func integerScalar(_ what: String) throws(RunError) -> Int {
    let values = integers
    guard count == 1, let value = values.first else {
      throw RunError(.badInput("\(what) must be a scalar, not \(shape)"))
    }
    return Int(value)
  }
}

extension OperatorCall {
  /// Two inputs that must have one element type.
  ///
  /// - Throws: `RunError` when they are missing or differ.
  func pair(_ first: Int = 0, _ second: Int = 1) throws(RunError) -> (Tensor, Tensor) {
    let (a, b) = (try tensor(first), try tensor(second))
    guard a.element == b.element else {
      throw RunError(.type(.element(input: second, b.element)))
    }
    return (a, b)
  }

  /// Variadic inputs, all of one element type.
  ///
  /// - Throws: `RunError` when there are none, or they differ.
  func sameTensors() throws(RunError) -> [Tensor] {
    var tensors: [Tensor] = []
    for index in inputs.indices {
      let tensor = try tensor(index)
      guard tensor.element == tensors.first?.element ?? tensor.element else {
        throw RunError(.type(.element(input: index, tensor.element)))
      }
      tensors.append(tensor)
    }
    guard !tensors.isEmpty else { throw RunError(.type(.missingInput(0))) }
    return tensors
  }
}

extension InferenceSite {
  /// The element type that all of `indices` share.
  ///
  /// - Throws: `TypeError.element` when they differ.
  func commonElement(_ indices: some Sequence<Int>) throws(TypeError) -> ElementType? {
    var common: ElementType?
    for index in indices {
      guard let element = element(index) else { continue }
      guard element == common ?? element else { throw TypeError(.element(input: index, element)) }
      common = element
    }
    return common
  }

  /// The broadcast shape of the first `count` inputs; nil when one's rank is unknown.
  ///
  /// - Throws: `TypeError.shape` when they don't fit.
  func broadcastShape(_ count: Int) throws(TypeError) -> Shape? {
    var result = Shape([])
    for index in 0..<count {
      guard let shape = shape(index) else { return nil }
      guard let merged = Shape.broadcast(result, shape) else {
        throw TypeError(.shape("\(result) and \(shape) can't be broadcast together"))
      }
      result = merged
    }
    return result
  }
}

extension Signature {
  /// One tensor in, one of the same type out.
  static func unary(
    _ name: String, _ elements: ElementSet = .floats, _ input: String = "X", _ output: String = "Y",
    gives: ElementSet? = nil
  ) -> Signature {
    Signature(name, [.init(input, elements)], [.init(output, gives ?? elements)])
  }

  /// Two tensors in, one out.
  static func binary(
    _ name: String, _ elements: ElementSet, gives: ElementSet? = nil
  ) -> Signature {
    Signature(
      name, [.init("A", elements), .init("B", elements)], [.init("C", gives ?? elements)])
  }
}

extension ElementSet {
  static let signedNumbers: ElementSet = floats.union(ElementSet(.int8, .int16, .int32, .int64))
  /// Floats and the integers of at least 32 bits.
  static let wideNumbers: ElementSet = floats.union(ElementSet(.int32, .int64, .uint32, .uint64))
  static let eightBitFloats = ElementSet(
    .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz)
}
