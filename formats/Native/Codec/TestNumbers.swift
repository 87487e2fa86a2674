import WherryBytes
import WherryGraph

/// Numbers that stand for data in the self-test section: the seed of an input, the sum of an output.
///
/// - Source: runtime/ABI/file.h.
enum TestNumbers {
  /// The elements of an input whose seed can stand for them; others are stored.
  static func isGenerated(_ element: ElementType) -> Bool {
    element == .float32 || element == .int8 || element == .uint8
  }

  /// The tensor that a seed stands for.
  static func tensor(_ element: ElementType, _ shape: [Int], seed: UInt64) -> Tensor? {
    guard let count = Checked.product(shape), let size = element.byteCount(of: count) else {
      return nil
    }
    var state = seed
    func step() {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    }
    let bytes = Bytes(count: size) { target in
      if element == .float32 {
        for at in stride(from: 0, to: size, by: 4) {
          step()
          let value = Float(Int32(truncatingIfNeeded: state >> 32) >> 8) * 0x1p-23
          target.storeBytes(of: value, toByteOffset: at, as: Float.self)
        }
      } else {
        for at in 0..<size {
          step()
          target[at] = UInt8(truncatingIfNeeded: state >> 56)
        }
      }
    }
    return Tensor(element, shape, bytes: bytes)
  }

  /// FNV-1a of 64 bits.
  static func sum(_ bytes: Bytes) -> UInt64 {
    bytes.withUnsafeBytes { raw in
      raw.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
  }
}
