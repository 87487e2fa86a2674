import WherryGraph

/// Fourier transforms of overlapping, windowed frames of a signal.
///
/// `signal: [batch, samples, 1 or 2]`; `frame_step` and `frame_length` are scalars, `window:
/// [length]`; the result is `[batch, frames, lines, 2]` with `length / 2 + 1` lines when one-sided.
/// - Source: ONNX operator specification, STFT-17.
public struct STFT: Operator {
  public var isOneSided = true

  public init() {}
  public static let signature = Signature(
    "STFT",
    [
      .init("signal", .floats), .init("frame_step", .indices),
      .init("window", .floats, .optional), .init("frame_length", .indices, .optional),
    ],
    [.init("output", .floats)])
  public static let fields: [Field<STFT>] = [Field("onesided", \.isOneSided)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    if let rank = site.rank(0), rank != 3 { throw TypeError(.rank(input: 0, rank, expected: "3")) }
    let samples = site.shape(0)?[1].extent
    var length = site.has(3) ? site.integers(3)?.first : nil
    if length == nil, let window = site.shape(2), window.rank == 1 { length = window[0].extent }
    if length == nil, !site.has(2), !site.has(3) { length = samples }
    var frames = Dimension.unknown
    if let samples, let length, let step = site.integers(1)?.first, step > 0, length > 0,
      length <= samples
    {
      frames = .fixed((samples - length) / step + 1)
    }
    let lines = length.map { Dimension.fixed(isOneSided ? max($0, 0) / 2 + 1 : max($0, 0)) }
    site.set(
      0, site.element(0), Shape([site.shape(0)?[0] ?? .unknown, frames, lines ?? .unknown, 2]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let signal = try call.tensor(0)
    let step = try call.tensor(1).integerScalar("frame_step")
    let window = try call.optionalTensor(2)
    guard signal.rank == 3, signal.shape[2] == 1 || signal.shape[2] == 2 else {
      throw RunError(.badInput("a signal of \(signal.shape)"))
    }
    let (samples, parts) = (signal.shape[1], signal.shape[2])
    let length =
      try call.optionalTensor(3)?.integerScalar("frame_length") ?? window?.count ?? samples
    guard step > 0, length > 0, length <= samples, window == nil || window?.shape == [length] else {
      throw RunError(.badValue("frames of \(length) every \(step) of \(samples) samples"))
    }
    let frames = (samples - length) / step + 1
    let lines = isOneSided ? length / 2 + 1 : length
    let shape = [signal.shape[0], frames, lines, 2]
    var result: [Double] = []
    result.reserveCapacity(try checkedCount(shape))
    let transform = FourierTransform(length, isInverse: false)
    let values = signal.doubles
    let weights = window?.doubles ?? Array(repeating: 1, count: length)
    for batch in 0..<shape[0] {
      for frame in 0..<frames {
        let start = batch * samples + frame * step
        var real = (0..<length).map { values[(start + $0) * parts] * weights[$0] }
        var imaginary = (0..<length).map {
          parts == 2 ? values[(start + $0) * parts + 1] * weights[$0] : 0
        }
        transform.apply(&real, &imaginary)
        for line in 0..<lines {
          result.append(real[line])
          result.append(imaginary[line])
        }
      }
    }
    return single(Tensor(signal.element, shape, doubles: result))
  }
}
