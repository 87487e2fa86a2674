import WherryBytes
import WherryGraph

/// Weights as symmetric int8, with a scale for each channel.
struct Int8Weights: Sendable {
  /// int8 in -127...127, of the weights' shape.
  let values: Tensor
  /// One a channel of the layout; finite, normal, > 0.
  let scales: [Float]
  let layout: WeightLayout
  /// Sums of magnitudes over each channel.
  private let magnitudes: [Int]

  /// Quantizes with the scales that just hold the largest weight, each at least `floors[channel]`.
  ///
  /// A channel of nothing but zeros takes the largest scale of the others, or 1 when there is none.
  /// - Parameter floors: one a channel.
  init?(_ weights: Tensor, _ layout: WeightLayout, floors: [Float]) {
    guard weights.element == .float32, layout.channels == floors.count else { return nil }
    var largest = [Float](repeating: 0, count: layout.channels)
    var magnitudes = [Int](repeating: 0, count: layout.channels)
    let bytes = weights.bytes.withUnsafeBytes { raw -> (scales: [Float], values: Bytes) in
      func weight(_ index: Int) -> Float {
        raw.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
      }
      layout.forEachRun(weights.shape) { channel, run in
        var most: Float = largest[channel]
        for index in run { most = max(most, weight(index).magnitude) }
        largest[channel] = most
      }
      let overall = largest.max() ?? 0
      let spare = overall > 0 ? overall / 127 : 1
      let scales = zip(largest, floors).map { most, floor in
        QuantizationParameters.bounded(max(most > 0 ? most / 127 : spare, floor))
      }
      let values = Bytes(count: raw.count / 4) { target in
        layout.forEachRun(weights.shape) { channel, run in
          let scale = scales[channel]
          var sum = 0
          for index in run {
            let steps = (weight(index) / scale).rounded(.toNearestOrEven)
            let value = Int8(min(max(steps, -127), 127))
            sum += Int(value.magnitude)
            target[index] = UInt8(bitPattern: value)
          }
          magnitudes[channel] += sum
        }
      }
      return (scales, values)
    }
    guard let values = Tensor(.int8, weights.shape, bytes: bytes.values) else { return nil }
    (self.values, scales, self.layout) = (values, bytes.scales, layout)
    self.magnitudes = magnitudes
  }

  /// The largest magnitude that a sum over one channel can reach before its bias: every weight times 255.
  func bound(_ channel: Int) -> Int { magnitudes[channel] * 255 }

  /// What the bias of each output becomes: `round_half_even(bias / scale)`, and those scales.
  ///
  /// - Returns: nil when a bias leaves the accumulator less room than the weights need.
  func bias(_ bias: [Double], inputScale: Float) -> (values: [Int64], scales: [Float])? {
    var (values, biasScales): ([Int64], [Float]) = ([], [])
    for (output, number) in bias.enumerated() {
      let channel = output % layout.channels
      let scale = Float(Double(inputScale) * Double(scales[channel]))
      let steps = (number / Double(scale)).rounded(.toNearestOrEven)
      guard steps.magnitude + Double(bound(channel)) < 0x1p31 else { return nil }
      values.append(Int64(steps))
      biasScales.append(scale)
    }
    return (values, biasScales)
  }
}

/// Weights and bias of a layer whose input and output scales are known.
struct QuantizedLayer: Sendable {
  let weights: Int8Weights
  /// int32, one an output, at scales `inputScale * weights.scales[channel]`; nil without a bias.
  let bias: (values: [Int64], scales: [Float])?
  /// Channels whose weights got a coarser scale so that the bias fits the accumulator.
  let coarsened: [Int]

  /// Why a layer can't be computed in 32 bits.
  struct Overflow: Error, Hashable {
    let channel: Int
  }

  /// - Parameter outputScale: 0 when the output isn't quantized.
  /// - Throws: `Overflow` when the sum of some channel could leave 32 bits whatever its scale.
  init(
    _ weights: Tensor, _ layout: WeightLayout, bias: [Double]?, inputScale: Float,
    outputScale: Float
  ) throws(Overflow) {
    // Below this the multiplier of the sums would be lost next to the output's step.
    let least = outputScale > 0 ? Float(Double(outputScale) / Double(inputScale) * 0x1p-40) : 0
    var floors = [Float](repeating: least, count: layout.channels)
    var coarsened: Set<Int> = []
    // A bias takes at most half of the accumulator.
    if let bias {
      let natural = Int8Weights(weights, layout, floors: floors)?.scales ?? []
      for (output, number) in bias.enumerated() {
        let channel = output % layout.channels
        let needed = Float(number.magnitude / Double(inputScale) * 0x1p-30)
        if channel < natural.count, needed > natural[channel] {
          floors[channel] = max(floors[channel], needed)
          coarsened.insert(channel)
        }
      }
    }
    guard let quantized = Int8Weights(weights, layout, floors: floors) else {
      throw Overflow(channel: 0)
    }
    for channel in 0..<layout.channels where quantized.bound(channel) >= 1 << 30 {
      guard bias == nil, quantized.bound(channel) < 1 << 31 else {
        throw Overflow(channel: channel)
      }
    }
    self.weights = quantized
    if let bias {
      guard let fitted = quantized.bias(bias, inputScale: inputScale) else {
        throw Overflow(channel: 0)
      }
      self.bias = fitted
    } else {
      self.bias = nil
    }
    self.coarsened = coarsened.sorted()
  }
}
