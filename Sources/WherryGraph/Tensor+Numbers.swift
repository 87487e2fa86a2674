import WherryBytes

/// Contents as numbers. Three exact views cover every element type: `doubles` for floats (and complex
/// numbers as pairs), `integers` for integers and bool, `strings`. Converting between them is the
/// caller's explicit step.
extension Tensor {
  /// The elements as float64: exact for every type but 64-bit integers above 2^53. Complex elements
  /// give two numbers each, real part first. Strings give none.
  public var doubles: [Double] {
    bytes.withUnsafeBytes { raw in
      switch element {
      case .float32, .complex64: Self.map(raw, Float.self) { Double($0) }
      case .float64, .complex128: Self.map(raw, Double.self) { $0 }
      case .uint64: Self.map(raw, UInt64.self) { Double($0) }
      case .float8e8m0:
        raw.map { $0 == 255 ? .nan : Double(sign: .plus, exponent: Int($0) - 127, significand: 1) }
      case .string: []
      default:
        if let layout = SmallFloat(element) {
          element.bitWidth == 16
            ? Self.map(raw, UInt16.self) { layout.decode($0) }
            : patterns(raw).map { layout.decode(UInt16($0)) }
        } else {
          integers.map { Double($0) }
        }
      }
    }
  }

  /// The elements of an integer or bool tensor; uint64 keeps its bit pattern. Other types give none.
  public var integers: [Int64] {
    bytes.withUnsafeBytes { raw in
      switch element {
      case .int8: Self.map(raw, Int8.self) { Int64($0) }
      case .uint8: Self.map(raw, UInt8.self) { Int64($0) }
      case .bool: Self.map(raw, UInt8.self) { $0 == 0 ? 0 : 1 }
      case .int16: Self.map(raw, Int16.self) { Int64($0) }
      case .uint16: Self.map(raw, UInt16.self) { Int64($0) }
      case .int32: Self.map(raw, Int32.self) { Int64($0) }
      case .uint32: Self.map(raw, UInt32.self) { Int64($0) }
      case .int64: Self.map(raw, Int64.self) { $0 }
      case .uint64: Self.map(raw, UInt64.self) { Int64(bitPattern: $0) }
      case .uint4, .uint2: patterns(raw).map { Int64($0) }
      case .int4: patterns(raw).map { Int64(Int8(bitPattern: $0 << 4) >> 4) }
      case .int2: patterns(raw).map { Int64(Int8(bitPattern: $0 << 6) >> 6) }
      default: []
      }
    }
  }

  public var booleans: [Bool] { integers.map { $0 != 0 } }

  /// Rounds float64 numbers to `element`, half to even; integers saturate, NaN becomes 0; complex
  /// elements take pairs.
  ///
  /// - Parameter saturate: what 8-bit and narrower floats do past their largest number.
  public init?(_ element: ElementType, _ shape: [Int], doubles: [Double], saturate: Bool = true) {
    switch element {
    case .float32, .complex64: self.init(element, shape, elements: doubles.map { Float($0) })
    case .float64, .complex128: self.init(element, shape, elements: doubles)
    case .uint64:
      self.init(element, shape, elements: doubles.map { Self.clamp($0, UInt64.self) })
    case .float8e8m0:
      self.init(element, shape, elements: doubles.map { Self.powerOfTwo($0, saturate: saturate) })
    case .string: return nil
    default:
      if let layout = SmallFloat(element) {
        if element.bitWidth == 16 {
          self.init(element, shape, elements: doubles.map { layout.encode($0, saturate: false) })
        } else {
          let patterns = doubles.map { UInt8(layout.encode($0, saturate: saturate)) }
          self.init(element, shape, patterns: patterns)
        }
      } else {
        let bounds = element.integerRange
        let rounded = doubles.map { number -> Int64 in
          let value = Self.clamp(number.rounded(.toNearestOrEven), Int64.self)
          return min(max(value, bounds.lowerBound), bounds.upperBound)
        }
        self.init(element, shape, integers: rounded)
      }
    }
  }

  /// Stores integers in `element`, keeping the low bits of what does not fit; bool is `!= 0`. nil for
  /// types that are not integers or bool, and when the count does not fit the shape.
  public init?(_ element: ElementType, _ shape: [Int], integers: [Int64]) {
    switch element {
    case .int8: self.init(element, shape, elements: integers.map { Int8(truncatingIfNeeded: $0) })
    case .uint8: self.init(element, shape, elements: integers.map { UInt8(truncatingIfNeeded: $0) })
    case .bool: self.init(element, shape, elements: integers.map { UInt8($0 == 0 ? 0 : 1) })
    case .int16: self.init(element, shape, elements: integers.map { Int16(truncatingIfNeeded: $0) })
    case .uint16:
      self.init(element, shape, elements: integers.map { UInt16(truncatingIfNeeded: $0) })
    case .int32: self.init(element, shape, elements: integers.map { Int32(truncatingIfNeeded: $0) })
    case .uint32:
      self.init(element, shape, elements: integers.map { UInt32(truncatingIfNeeded: $0) })
    case .int64, .uint64: self.init(element, shape, elements: integers)
    case .uint4, .int4, .uint2, .int2:
      self.init(element, shape, patterns: integers.map { UInt8(truncatingIfNeeded: $0) })
    default: return nil
    }
  }

  public init?(_ shape: [Int], booleans: [Bool]) {
    self.init(.bool, shape, integers: booleans.map { $0 ? 1 : 0 })
  }

  /// An int64 vector.
  public init(vector: [Int]) {
    self.init(.int64, unchecked: [vector.count], elements: vector.map { Int64($0) })
  }

  /// A tensor from its elements in memory form.
  public init?<T: BitwiseCopyable>(_ element: ElementType, _ shape: [Int], elements: [T]) {
    self.init(
      element, shape,
      bytes: Bytes(count: elements.count * MemoryLayout<T>.stride) { target in
        elements.withUnsafeBytes { target.copyMemory(from: $0) }
      })
  }

  /// Packs the low bits of each pattern.
  private init?(_ element: ElementType, _ shape: [Int], patterns: [UInt8]) {
    let perByte = 8 / element.bitWidth
    let mask: UInt8 = perByte == 1 ? 255 : UInt8(1 << element.bitWidth - 1)
    var packed = [UInt8](repeating: 0, count: (patterns.count + perByte - 1) / perByte)
    for (index, pattern) in patterns.enumerated() {
      packed[index / perByte] |= (pattern & mask) << UInt8(index % perByte * element.bitWidth)
    }
    self.init(element, shape, bytes: Bytes(packed))
  }

  /// The bit patterns of elements of at most 8 bits.
  private func patterns(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
    let perByte = 8 / element.bitWidth
    guard perByte > 1 else { return Array(raw) }
    let mask = UInt8(1 << element.bitWidth - 1)
    return (0..<count).map { raw[$0 / perByte] >> UInt8($0 % perByte * element.bitWidth) & mask }
  }

  private static func map<T: BitwiseCopyable, R>(
    _ raw: UnsafeRawBufferPointer, _ type: T.Type, _ transform: (T) -> R
  ) -> [R] {
    let size = MemoryLayout<T>.stride
    return (0..<raw.count / size).map {
      transform(raw.loadUnaligned(fromByteOffset: $0 * size, as: T.self))
    }
  }

  private static func clamp<T: FixedWidthInteger>(_ value: Double, _ type: T.Type) -> T {
    if value.isNaN { return 0 }
    return T(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
  }

  private static func powerOfTwo(_ value: Double, saturate: Bool) -> UInt8 {
    guard value.isFinite else { return value.isNaN || !saturate ? 255 : 254 }
    guard value > 0 else { return 0 }
    let exponent = Int(value.exponent) + (value.significand >= 1.5 ? 1 : 0) + 127
    return exponent > 254 ? (saturate ? 254 : 255) : UInt8(max(exponent, 0))
  }
}

extension Tensor {
  init(_ element: ElementType, unchecked shape: [Int], elements: [Int64]) {
    let bytes = Bytes(count: elements.count * 8) { target in
      elements.withUnsafeBytes { target.copyMemory(from: $0) }
    }
    self.init(element, unchecked: shape, .bytes(bytes))
  }
}

extension ElementType {
  /// The numbers an integer type of at most 63 value bits can hold; `Int64`'s for others.
  public var integerRange: ClosedRange<Int64> {
    guard isInteger || self == .bool, bitWidth < 64 else {
      return self == .uint64 ? 0...Int64.max : Int64.min...Int64.max
    }
    if self == .bool { return 0...1 }
    return isSignedInteger
      ? -(1 << (bitWidth - 1))...(1 << (bitWidth - 1)) - 1 : 0...(1 << bitWidth) - 1
  }
}
