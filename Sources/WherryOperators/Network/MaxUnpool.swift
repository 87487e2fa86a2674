import WherryGraph

/// Elements put back where a max pool took them from; zero elsewhere.
///
/// `X` and `I: [N, C, D1 … Dn]`, `I` being flat indices into the pool's input, whose extents are
/// `stride * (extent - 1) + kernel - pads`. A larger `output_shape` gets that input in its first corner.
/// - Source: ONNX operator specification, MaxUnpool-22.
public struct MaxUnpool: Operator {
  public var kernelShape: [Int] = []
  public var pads: [Int]?
  public var strides: [Int]?

  public init() {}

  public static let signature = Signature(
    "MaxUnpool",
    [.init("X", .floats), .init("I", .int64), .init("output_shape", .int64, .optional)],
    [.init("output", .floats)])

  public static let fields: [Field<MaxUnpool>] = [
    Field("kernel_shape", \.kernelShape, required: true), Field("pads", \.pads),
    Field("strides", \.strides),
  ]

  /// The pool's input shape.
  private func pooled(_ shape: [Int]) throws(TypeError) -> [Int] {
    let window = try Window(kernel: kernelShape, strides: strides, pads: pads)
    try Pooling.check(shape.count, window)
    var result = Array(shape.prefix(2))
    for (axis, extent) in shape.dropFirst(2).enumerated() {
      guard extent < 1 << 30 else { throw TypeError(.shape("an extent of \(extent)")) }
      let pads = window.pads[axis] + window.pads[axis + window.kernel.count]
      result.append(window.strides[axis] * (extent - 1) + window.kernel[axis] - pads)
    }
    guard result.allSatisfy({ $0 >= 0 }) else { throw TypeError(.shape("an output of \(result)")) }
    return result
  }

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if site.has(2) {
      let rank = site.rank(0) ?? kernelShape.count + 2
      let known = site.integers(2).flatMap { $0.allSatisfy { $0 >= 0 } ? Shape(fixed: $0) : nil }
      site.set(0, site.element(0), known ?? Shape(Array(repeating: .unknown, count: rank)))
    } else if let extents = site.shape(0)?.extents {
      site.set(0, site.element(0), Shape(fixed: try pooled(extents)))
    } else {
      site.set(0, site.element(0), Shape(Array(repeating: .unknown, count: kernelShape.count + 2)))
    }
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, places) = (try call.tensor(0), try call.tensor(1))
    guard x.shape == places.shape else {
      throw RunError(.badInput("X \(x.shape) and I \(places.shape) differ"))
    }
    let inner = try RunError.typed { () throws(TypeError) in try pooled(x.shape) }
    let shape = try call.optionalTensor(2)?.integers.map { Int($0) } ?? inner
    guard shape.count == inner.count, zip(shape, inner).allSatisfy({ $0 >= $1 }) else {
      throw RunError(.badInput("output_shape \(shape) is smaller than \(inner)"))
    }
    var y = [Double](repeating: 0, count: try RunError.count(shape))
    let (count, steps) = (try RunError.count(inner), rowMajorSteps(shape))
    for (value, place) in zip(x.doubles, places.integers) {
      guard place >= 0, place < count else {
        throw RunError(.badValue("index \(place) is outside \(inner)"))
      }
      y[zip(unflattened(Int(place), inner), steps).reduce(0) { $0 + $1.0 * $1.1 }] = value
    }
    return [Tensor(x.element, shape, doubles: y).map { .tensor($0) }]
  }
}
