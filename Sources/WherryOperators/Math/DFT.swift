import WherryBytes
import WherryGraph

/// The discrete Fourier transform along one axis, or its inverse.
///
/// `input: [..., D, ..., 1]` real or `[..., D, ..., 2]` complex, the last axis holding real and
/// imaginary part; `dft_length` and `axis` (-2 when left out) are scalars. One-sided transforms of
/// real input give the first `N / 2 + 1` lines, one-sided inverses give real samples.
/// - Source: ONNX operator specification, DFT-20.
public struct DFT: Operator {
  public var isInverse = false
  public var isOneSided = false

  public init() {}
  public static let signature = Signature(
    "DFT",
    [
      .init("input", .floats), .init("dft_length", .indices, .optional),
      .init("axis", .int64, .optional),
    ],
    [.init("output", .floats)])
  public static let fields: [Field<DFT>] = [
    Field("inverse", \.isInverse), Field("onesided", \.isOneSided),
  ]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let shape = site.shape(0) else { return site.set(0, site.element(0), nil) }
    try site.requireRank(0, 2...)
    if let parts = shape[shape.rank - 1].extent, parts != 1, parts != 2 {
      throw TypeError(.shape("\(shape) ends in neither 1 nor 2"))
    }
    var result = shape
    result[shape.rank - 1] = isOneSided && isInverse ? 1 : 2
    let given = site.has(2) ? site.integers(2)?.first : -2
    guard let given else {
      for axis in 0..<shape.rank - 1 { result[axis] = .unknown }
      return site.set(0, site.element(0), result)
    }
    let axis = try InferenceSite.axis(given, rank: shape.rank)
    guard axis < shape.rank - 1 else {
      throw TypeError(.attribute("axis", "\(given) holds the parts of the numbers"))
    }
    var length = site.has(1) ? site.integers(1)?.first : shape[axis].extent
    if let own = length, isOneSided {
      length =
        isInverse ? (site.has(1) ? own : Checked.multiply(2, max(own, 1) - 1)) : own / 2 + 1
    }
    result[axis] = length.map { .fixed(max($0, 0)) } ?? .unknown
    site.set(0, site.element(0), result)
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let x = try call.tensor(0)
    guard x.rank >= 2, let parts = x.shape.last, parts == 1 || parts == 2 else {
      throw RunError(.badInput("\(x.shape) ends in neither 1 nor 2"))
    }
    let given = try call.optionalTensor(2)?.integerScalar("axis") ?? -2
    let axis = try checkedAxis(given, rank: x.rank)
    guard axis < x.rank - 1 else {
      throw RunError(.badInput("axis \(given) holds the parts of the numbers"))
    }
    let own = x.shape[axis]
    let isReal = isOneSided && isInverse
    let length =
      try call.optionalTensor(1)?.integerScalar("dft_length") ?? (isReal ? 2 * (own - 1) : own)
    guard length >= 1 else { throw RunError(.badValue("a transform of length \(length)")) }
    let lines = isOneSided && !isInverse ? length / 2 + 1 : length
    var shape = x.shape
    shape[axis] = lines
    shape[x.rank - 1] = isReal ? 1 : 2
    var result = [Double](repeating: 0, count: try checkedCount(shape))
    _ = try checkedCount([length])
    let transform = FourierTransform(length, isInverse: isInverse)
    let values = x.doubles
    let view = AxisView(Array(x.shape.dropLast()), at: axis)
    let width = isReal ? 1 : 2
    let scale = isInverse ? Double(length) : 1
    for outer in 0..<view.outer {
      for inner in 0..<view.inner {
        var (real, imaginary) = load(
          values, view, start: (outer * own * view.inner + inner) * parts, parts, length, isReal)
        transform.apply(&real, &imaginary)
        let start = (outer * lines * view.inner + inner) * width
        for line in 0..<lines {
          result[start + line * view.inner * width] = real[line] / scale
          if !isReal { result[start + line * view.inner * width + 1] = imaginary[line] / scale }
        }
      }
    }
    return single(Tensor(x.element, shape, doubles: result))
  }

  /// One line, cut or padded with zeros to `length`; of a one-sided spectrum the other half is the
  /// mirrored conjugate.
  private func load(
    _ values: [Double], _ view: AxisView, start: Int, _ parts: Int, _ length: Int, _ isHalf: Bool
  ) -> ([Double], [Double]) {
    var real = [Double](repeating: 0, count: length)
    var imaginary = real
    for index in 0..<min(view.length, isHalf ? length / 2 + 1 : length) {
      let place = start + index * view.inner * parts
      real[index] = values[place]
      imaginary[index] = parts == 2 ? values[place + 1] : 0
    }
    if isHalf {
      imaginary[0] = 0
      if length % 2 == 0 { imaginary[length / 2] = 0 }
      for index in length / 2 + 1..<max(length, length / 2 + 1) {
        real[index] = real[length - index]
        imaginary[index] = -imaginary[length - index]
      }
    }
    return (real, imaginary)
  }
}
