import WherryGraph

extension OperatorName {
  /// The domain of ONNX Runtime's own operators, the vocabulary of integer execution.
  public static let contribDomain = "com.microsoft"
}

/// An 8-bit tensor with one scale and one zero point: `real = scale * (q - zero)`.
///
/// uint8 and int8 need no distinction here: what counts is `q - zero`.
struct QuantizedTensor: Sendable {
  let element: ElementType
  let shape: [Int]
  /// `q - zero`, row-major; within ±255.
  let centred: [Int64]
  let scale: Float
}

/// The scale and zero point of an 8-bit result.
struct QuantizedTarget: Sendable {
  let element: ElementType
  let scale: Float
  let zeroPoint: Int64

  /// `saturate(round_half_even(t) + zero)`; NaN counts as 0.
  func round(_ t: Float) -> Int64 {
    Requantization.saturate(Double(t), zeroPoint: zeroPoint, element.integerRange)
  }

  /// `QuantizeLinear` of one number: the quotient is one float32 operation.
  func quantize(_ real: Float) -> Int64 { round(real / scale) }

  /// The requantization of an accumulator: `round(float32(acc) * factor)`.
  func requantize(_ accumulator: Int64, _ factor: Float) -> Int64 {
    round(Float(accumulator) * factor)
  }

  func tensor(_ shape: [Int], _ values: [Int64]) -> [Value?] {
    single(Tensor(element, shape, integers: values))
  }
}

extension OperatorCall {
  /// The one number of a scale.
  ///
  /// - Throws: `RunError.badInput` when there are several or none.
  func scale(_ index: Int) throws(RunError) -> Float {
    let tensor = try tensor(index)
    guard tensor.count == 1, let value = tensor.doubles.first else {
      throw RunError(.badInput("input \(index), a scale, has \(tensor.count) values"))
    }
    return Float(value)
  }

  /// The one number of a zero point; 0 when it is left out.
  ///
  /// - Throws: `RunError.badInput` when there are several, or its type is not that of the tensor.
  func zeroPoint(_ index: Int, of element: ElementType?) throws(RunError) -> Int64 {
    guard let tensor = try optionalTensor(index) else { return 0 }
    guard tensor.count == 1, let value = tensor.integers.first else {
      throw RunError(.badInput("input \(index), a zero point, has \(tensor.count) values"))
    }
    guard element == nil || tensor.element == element else {
      throw RunError(.badInput("input \(index), a zero point, is \(tensor.element)"))
    }
    return value
  }

  /// A tensor with its scale and zero point.
  func quantized(
    _ index: Int, scale: Int, zeroPoint: Int
  ) throws(RunError) -> QuantizedTensor {
    let x = try tensor(index)
    guard ElementSet.bytes.contains(x.element) else {
      throw RunError(.badInput("input \(index) is \(x.element)"))
    }
    let zero = try self.zeroPoint(zeroPoint, of: x.element)
    return QuantizedTensor(
      element: x.element, shape: x.shape, centred: x.integers.map { $0 - zero },
      scale: try self.scale(scale))
  }

  /// What a result is quantized to; `element` is its type when no zero point says so.
  func target(
    scale: Int, zeroPoint: Int, element: ElementType
  ) throws(RunError) -> QuantizedTarget {
    let given = try optionalTensor(zeroPoint)?.element ?? element
    guard ElementSet.bytes.contains(given) else {
      throw RunError(.badInput("input \(zeroPoint), a zero point, is \(given)"))
    }
    return QuantizedTarget(
      element: given, scale: try self.scale(scale),
      zeroPoint: try self.zeroPoint(zeroPoint, of: given))
  }
}

extension Signature.Parameter {
  static func scale(_ name: String) -> Self { .init(name, .float32) }
  static func zeroPoint(_ name: String) -> Self { .init(name, .bytes, .optional) }
}
