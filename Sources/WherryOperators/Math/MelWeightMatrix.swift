import Glibc
import WherryGraph

/// Triangular filters that turn a spectrum into mel bins: `[dft_length / 2 + 1, num_mel_bins]`.
///
/// All inputs are scalars: number of bins, DFT length, samples a second, and the edges in hertz.
/// - Source: ONNX operator specification, MelWeightMatrix-17.
public struct MelWeightMatrix: Operator {
  /// Code of the result's element type.
  public var outputType = 1

  public init() {}
  public static let signature = Signature(
    "MelWeightMatrix",
    [
      .init("num_mel_bins", .indices), .init("dft_length", .indices),
      .init("sample_rate", .indices), .init("lower_edge_hertz", .floats),
      .init("upper_edge_hertz", .floats),
    ],
    [.init("output", .numbers)])
  public static let fields: [Field<MelWeightMatrix>] = [Field("output_datatype", \.outputType)]

  public func infer(_ site: inout InferenceSite) throws(TypeError) {
    guard let element = elementType(outputType), ElementSet.numbers.contains(element) else {
      throw TypeError(.attribute("output_datatype", "\(outputType) is no number type"))
    }
    let bins = site.integers(0)?.first.map { Dimension.fixed(max($0, 0)) }
    let lines = site.integers(1)?.first.map { Dimension.fixed(max($0, 0) / 2 + 1) }
    site.set(0, element, Shape([lines ?? .unknown, bins ?? .unknown]))
  }

  public func evaluate(_ call: OperatorCall) throws(RunError) -> [Value?] {
    let bins = try call.tensor(0).integerScalar("num_mel_bins")
    let length = try call.tensor(1).integerScalar("dft_length")
    let rate = try call.tensor(2).integerScalar("sample_rate")
    let low = try call.tensor(3).scalar("lower_edge_hertz")
    let high = try call.tensor(4).scalar("upper_edge_hertz")
    guard let element = elementType(outputType), ElementSet.numbers.contains(element) else {
      throw RunError(.badInput("output_datatype \(outputType) is no number type"))
    }
    guard bins >= 0, length >= 0, rate > 0 else {
      throw RunError(.badValue("\(bins) bins of \(length) samples at \(rate) a second"))
    }
    let lines = length / 2 + 1
    var weights = [Double](repeating: 0, count: try checkedCount([lines, bins]))
    let (lowMel, highMel) = (Self.mel(low), Self.mel(high))
    let step = (highMel - lowMel) / (Double(bins) + 2)
    var edges: [Int] = []
    for index in 0..<bins + 2 {
      let hertz = 700 * expm1((Double(index) * step + lowMel) / 2595 * log(10))
      let line = ((Double(length) + 1) * hertz / Double(rate)).rounded(.down)
      guard line >= 0, line < Double(lines) else {
        throw RunError(.badValue("\(hertz) Hz lies outside the spectrum"))
      }
      edges.append(Int(line))
    }
    for bin in 0..<bins {
      let (left, center, right) = (edges[bin], edges[bin + 1], edges[bin + 2])
      if center == left { weights[center * bins + bin] = 1 }
      for line in left..<max(center, left) {
        weights[line * bins + bin] = Double(line - left) / Double(center - left)
      }
      // The rising side ends in 1 at the center, where the falling side begins.
      if center > left { weights[center * bins + bin] = 1 }
      for line in center..<max(right, center) {
        weights[line * bins + bin] = Double(right - line) / Double(right - center)
      }
    }
    return single(Tensor(element, [lines, bins], truncating: weights))
  }

  private static func mel(_ hertz: Double) -> Double { 2595 * log1p(hertz / 700) / log(10) }
}
