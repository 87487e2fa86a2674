import WherryBytes

/// How floats follow from others: each is float32(ratio * other), or a float next to that.
struct Proportion {
  var ratio: Double
  /// Two bits a float, from the lowest: 0 the float below, 1 the product itself, 2 the float above; nil when
  /// every one is the product itself.
  var steps: Bytes?

  init(ratio: Double, steps: Bytes?) { (self.ratio, self.steps) = (ratio, steps) }

  /// Nil when the floats are not in proportion; only normal, positive ones are tried.
  init?(of values: [Float], to others: [Float]) {
    guard values.count == others.count, let first = values.first, let other = others.first,
      zip(values, others).allSatisfy({ $0.isNormal && $0 > 0 && $1.isNormal && $1 > 0 })
    else { return nil }
    // A float32 ratio, as a product of two scales has.
    let near = Float(Double(first) / Double(other))
    for ratio in [near, near.nextUp, near.nextDown, near.nextUp.nextUp, near.nextDown.nextDown] {
      let isExact = zip(values, others).allSatisfy { Float(Double(ratio) * Double($1)) == $0 }
      if isExact {
        self.init(ratio: Double(ratio), steps: nil)
        return
      }
    }
    var (lowest, highest) = (Double.infinity, 0.0)
    for (value, other) in zip(values, others) {
      let quotient = Double(value) / Double(other)
      (lowest, highest) = (min(lowest, quotient), max(highest, quotient))
    }
    guard highest < lowest * (1 + 0x1p-21) else { return nil }
    let ratio = (lowest + highest) / 2
    var steps = [UInt8](repeating: 0, count: (values.count + 3) / 4)
    for (index, (value, other)) in zip(values, others).enumerated() {
      let product = Float(ratio * Double(other))
      let step = Int64(value.bitPattern) - Int64(product.bitPattern)
      guard step.magnitude <= 1 else { return nil }
      steps[index / 4] |= UInt8(step + 1) << UInt8(index % 4 * 2)
    }
    self.init(ratio: ratio, steps: Bytes(steps))
  }

  /// Nil when a step is none of the three.
  func applied(to others: [Float]) -> [Float]? {
    var values: [Float] = []
    values.reserveCapacity(others.count)
    for (index, other) in others.enumerated() {
      let product = Float(ratio * Double(other))
      guard let steps else {
        values.append(product)
        continue
      }
      let step = (steps.byte(index / 4) ?? 1) >> UInt8(index % 4 * 2) & 3
      guard step < 3 else { return nil }
      values.append(Float(bitPattern: product.bitPattern &+ UInt32(step) &- 1))
    }
    return values
  }
}

extension Bytes {
  /// The elements as float32.
  var floats: [Float] { elements() }
  /// The elements as int32.
  var integers: [Int32] { elements() }

  private func elements<T: BitwiseCopyable>() -> [T] {
    withUnsafeBytes { raw in
      stride(from: 0, to: raw.count / 4 * 4, by: 4).map {
        raw.loadUnaligned(fromByteOffset: $0, as: T.self)
      }
    }
  }

  /// Bytes of the largest tensor that is written as one element.
  static let mostRepeated = 1 << 16

  static func of<T: BitwiseCopyable>(_ values: [T]) -> Bytes {
    values.withUnsafeBytes { raw in Bytes(raw) }
  }

  /// `size` bytes of one element after the other.
  static func repeating(_ element: Bytes, size: Int) -> Bytes {
    Bytes(count: size) { target in
      for at in target.indices { target[at] = element.byte(at % max(element.count, 1)) ?? 0 }
    }
  }

  /// The element of `width` bytes that all elements equal.
  func repeated(width: Int) -> Bytes? {
    guard width > 0, count > width, count <= Self.mostRepeated, count % width == 0 else {
      return nil
    }
    let isSame = withUnsafeBytes { raw in
      (width..<raw.count).allSatisfy { raw[$0] == raw[$0 - width] }
    }
    return isSame ? slice(0..<width) : nil
  }
}
