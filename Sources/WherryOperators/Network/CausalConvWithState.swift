import Glibc
import WherryGraph

/// Convolution of each channel over its present and past, the last of which is carried on.
///
/// `input: [B, C, T]`, `weight: [C, 1, k]`, `bias: [C]`, `past_state: [B, C, k - 1]` (zeros when left out);
/// `output: [B, C, T]`, `present_state: [B, C, k - 1]`.
/// - Source: ONNX operator specification, CausalConvWithState-27.
public struct CausalConvWithState: Operator {
  public enum Activation: String, AttributeConvertible { case none, silu, swish }

  public var activation = Activation.none

  public init() {}

  static let elements = ElementSet(.float32, .float16, .bfloat16)
  public static let signature = Signature(
    "CausalConvWithState",
    [
      .init("input", elements), .init("weight", elements), .init("bias", elements, .optional),
      .init("past_state", elements, .optional),
    ],
    [.init("output", elements), .init("present_state", elements)])

  public static let fields: [Field<CausalConvWithState>] = [Field("activation", \.activation)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    for index in 0...1 {
      if let rank = site.rank(index), rank != 3 {
        throw TypeError(.rank(input: index, rank, expected: "3"))
      }
    }
    site.set(0, site.element(0), site.shape(0))
    let taps = site.shape(1)?[2].extent.map { Dimension.fixed(max($0 - 1, 0)) }
    let length = taps ?? (site.rank(3) == 3 ? site.shape(3)?[2] : nil) ?? .unknown
    site.set(
      1, site.element(0),
      Shape([site.shape(0)?[0] ?? .unknown, site.shape(0)?[1] ?? .unknown, length]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let (x, weight) = (try call.tensor(0), try call.tensor(1))
    guard x.rank == 3, weight.rank == 3, weight.shape[0] == x.shape[1], weight.shape[1] == 1,
      weight.shape[2] > 0
    else { throw RunError(.badInput("weight \(weight.shape) for input \(x.shape)")) }
    let (channels, length, taps) = (x.shape[1], x.shape[2], weight.shape[2])
    let state = [x.shape[0], channels, taps - 1]
    let (bias, past) = (try call.optionalTensor(2), try call.optionalTensor(3))
    guard bias?.count ?? channels == channels, past?.shape ?? state == state else {
      throw RunError(.badInput("bias \(bias?.shape ?? []), past_state \(past?.shape ?? [])"))
    }
    let size = try RunError.count(state)
    let old = past?.doubles ?? Array(repeating: 0, count: size)
    let (values, kernel, shifts) = (x.doubles, weight.doubles, bias?.doubles)
    var (y, kept): ([Double], [Double]) = ([], [])
    for plane in 0..<x.shape[0] * channels {
      let channel = plane % channels
      let line =
        old[plane * (taps - 1)..<(plane + 1) * (taps - 1)]
        + values[plane * length..<(plane + 1) * length]
      let samples = Array(line)
      for time in 0..<length {
        var sum = shifts?[channel] ?? 0
        for tap in 0..<taps { sum += kernel[channel * taps + tap] * samples[time + tap] }
        y.append(activation == .none ? sum : sum / (1 + exp(-sum)))
      }
      kept += samples.suffix(taps - 1)
    }
    return [
      Tensor(x.element, x.shape, doubles: y).map { .tensor($0) },
      Tensor(x.element, state, doubles: kept).map { .tensor($0) },
    ]
  }
}
