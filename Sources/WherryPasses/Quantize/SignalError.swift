import Glibc
import WherryBytes
import WherryGraph

/// How far a value is from what it should be, over all samples.
public struct SignalError: Sendable {
  private var signal = 0.0
  private var noise = 0.0
  private var product = 0.0
  private var power = 0.0
  private var clipped = 0
  /// Elements compared.
  public private(set) var count = 0
  /// The largest difference.
  public private(set) var largest = 0.0
  private var range: (low: Double, high: Double)?

  /// - Parameter parameters: those of the quantized value, to tell which reference values it can't hold.
  public init(_ parameters: QuantizationParameters? = nil) {
    guard let parameters else { return }
    let half = Double(parameters.scale) / 2
    range = (parameters.lowest - half, parameters.highest + half)
  }

  /// Adds one sample: two float32 tensors of one shape; others are left out.
  public mutating func add(reference: Tensor, actual: Tensor) {
    guard reference.element == .float32, actual.element == .float32,
      reference.bytes.count == actual.bytes.count
    else { return }
    let (low, high) = range ?? (-.infinity, .infinity)
    var (signal, noise, product, power, largest) = (0.0, 0.0, 0.0, 0.0, 0.0)
    var clipped = 0
    let count = reference.bytes.count / 4
    reference.bytes.withUnsafeBytes { a in
      actual.bytes.withUnsafeBytes { b in
        for index in 0..<count {
          let x = Double(a.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
          let y = Double(b.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
          let gap = y - x
          signal += x * x
          noise += gap * gap
          product += x * y
          power += y * y
          largest = max(largest, gap.magnitude)
          if x < low || x > high { clipped += 1 }
        }
      }
    }
    self.signal += signal
    self.noise += noise
    self.product += product
    self.power += power
    self.largest = max(self.largest, largest)
    self.clipped += clipped
    self.count += count
  }

  /// Noise in proportion to the signal; 0 where there is neither.
  public var relativeNoise: Double { noise == 0 ? 0 : noise / signal }

  /// Signal-to-quantization-noise ratio in dB; infinite without noise, minus infinity without signal.
  public var decibels: Double {
    if noise == 0 { return .infinity }
    return signal == 0 ? -.infinity : 10 * log10(signal / noise)
  }

  /// Cosine of the angle between both, in -1...1; 1 when both are nothing but zeros.
  public var cosine: Double {
    if signal == 0, power == 0 { return 1 }
    guard signal > 0, power > 0 else { return 0 }
    return min(max(product / (signal.squareRoot() * power.squareRoot()), -1), 1)
  }

  /// Share of reference values outside the range, in 0...1.
  public var saturation: Double { count == 0 ? 0 : Double(clipped) / Double(count) }

  /// Mean squared difference.
  public var meanSquare: Double { count == 0 ? 0 : noise / Double(count) }
}
