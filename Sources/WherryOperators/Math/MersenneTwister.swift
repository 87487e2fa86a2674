import Glibc
import WherryGraph

/// The generator behind the random operators: MT19937, drawn from as numpy's `RandomState` does, so
/// that a seed gives what ONNX's reference implementation gives.
///
/// - Source: Matsumoto and Nishimura, "Mersenne Twister", 1998; numpy's legacy random generation.
struct MersenneTwister: Sendable {
  private var state: [UInt32]
  private var position = 624
  private var spareNormal: Double?

  /// - Parameter seed: nil for one of the system's.
  init(seed: UInt32?) {
    state = [seed ?? UInt32.random(in: 0...UInt32.max)]
    for index in 1..<624 {
      let last = state[index - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(index))
    }
  }

  /// - Parameter seed: the attribute of that name, truncated; nil or no number for one of the
  /// system's.
  init(seed: Float?) {
    let value = seed.flatMap { $0.isFinite ? Int64(exactly: $0.rounded(.towardZero)) : nil }
    self.init(seed: value.map { UInt32(truncatingIfNeeded: $0) })
  }

  private mutating func refill() {
    for index in 0..<624 {
      let mixed = state[index] & 0x8000_0000 | state[(index + 1) % 624] & 0x7fff_ffff
      state[index] =
        state[(index + 397) % 624] ^ mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0x9908_b0df)
    }
    position = 0
  }

  private mutating func next() -> UInt32 {
    if position == 624 { refill() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  /// Uniform in 0 ..< 1, 53 bits.
  mutating func uniform() -> Double {
    let (high, low) = (next() >> 5, next() >> 6)
    return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
  }

  /// Of the standard normal distribution, by the polar method.
  mutating func normal() -> Double {
    if let spare = spareNormal {
      spareNormal = nil
      return spare
    }
    while true {
      let (x, y) = (2 * uniform() - 1, 2 * uniform() - 1)
      let square = x * x + y * y
      guard square < 1, square != 0 else { continue }
      let factor = (-2 * log(square) / square).squareRoot()
      spareNormal = factor * x
      return factor * y
    }
  }

  /// 1 with probability `p`, else 0.
  mutating func bernoulli(_ p: Double) -> Double {
    guard p > 0 else { return 0 }
    return p <= 0.5 ? (uniform() > 1 - p ? 1 : 0) : (uniform() > p ? 0 : 1)
  }
}
