import WherryBytes

extension HDF5Type {
  /// The form this type has in memory, which `HDF5Array.bytes` is in.
  ///
  /// Numbers become little-endian; integers and bit fields of odd widths grow to 1, 2, 4 or 8 bytes;
  /// floating-point types other than float16, bfloat16, float32 and float64 become float64. Compounds
  /// keep their offsets unless a member grows, and are packed then. All else is as in the file.
  public var native: HDF5Type {
    switch self {
    case .integer(let bits, let isSigned): return .integer(bits.native, isSigned: isSigned)
    case .bitfield(let bits): return .bitfield(bits.native)
    case .float(var bits, let layout):
      bits.order = .little
      let kept = HDF5Type.float(bits, layout)
      return Self.nativeFloats.contains(kept) && !isVAX ? kept : .float64
    case .enumeration(let base, let cases):
      let native = base.native
      guard native != base else { return self }
      return .enumeration(
        native,
        cases.map {
          HDF5EnumerationCase($0.name, NativeForm.convert($0.value, base, native, count: 1))
        })
    case .compound(let size, let members): return Self.native(size, members)
    case .array(let base, let extents): return .array(of: base.native, extents)
    case .complex(let base): return .complex(of: base.native)
    default: return self
    }
  }

  private static let nativeFloats: Set<HDF5Type> = [.float16, .bfloat16, .float32, .float64]

  private var isVAX: Bool {
    if case .float(let bits, _) = self { return bits.order == .vax }
    return false
  }

  private static func native(_ size: Int, _ members: [HDF5Member]) -> HDF5Type {
    var members = members
    var isPacked = false
    for index in members.indices {
      let native = members[index].type.native
      if native.size != members[index].type.size { isPacked = true }
      members[index].type = native
    }
    guard isPacked else { return .compound(size: size, members) }
    var offset = 0
    for index in members.indices {
      members[index].offset = offset
      offset = Checked.add(offset, members[index].type.size) ?? .max
    }
    return .compound(size: offset, members)
  }
}

extension HDF5Type {
  /// Whether an element can have bytes that belong to no member.
  fileprivate var mayHaveGaps: Bool {
    switch self {
    case .compound: true
    case .array(let base, _): base.mayHaveGaps
    default: false
    }
  }
}

extension HDF5Bits {
  fileprivate var native: HDF5Bits {
    HDF5Bits(size: [1, 2, 4, 8].first { $0 >= size } ?? size)
  }
}

/// Converts elements from the file's form to memory's.
enum NativeForm {
  /// `count` elements of `type` as elements of `native`, which is `type.native`.
  static func convert(_ bytes: Bytes, _ type: HDF5Type, _ native: HDF5Type, count: Int) -> Bytes {
    let (size, stride) = (native.size, type.size)
    return bytes.withUnsafeBytes { source in
      ResultBuffer.bytes(count * size) { target in
        let isComplete = source.count >= count * stride
        if !isComplete || native.mayHaveGaps {
          target.initializeMemory(as: UInt8.self, repeating: 0)
        }
        guard isComplete else { return }
        let run = Run(
          source: source, sourceStride: stride, target: target, targetStride: size, count: count)
        let some = max(1, block / max(stride, 1))
        for first in Swift.stride(from: 0, to: count, by: some) {
          var part = run.part(first * stride, first * size)
          part.count = min(some, count - first)
          convert(part, type, native)
          guard part.count * stride >= least else { continue }
          bytes.slice(first * stride..<(first + part.count) * stride)?.releasePages()
        }
      }
    }
  }

  /// Bytes of the file that are converted before their pages are let go.
  private static let block = 1 << 20
  /// Fewer bytes are not worth a call.
  private static let least = 1 << 16

  /// Whether elements can take memory's form where they are: numbers that are no wider there.
  static func convertsInPlace(_ type: HDF5Type, _ native: HDF5Type) -> Bool {
    switch type {
    case .integer, .float, .bitfield: type.size == native.size && [1, 2, 4, 8].contains(type.size)
    default: false
    }
  }

  /// Converts numbers in place, as `convertsInPlace` allows.
  static func convert(
    _ elements: UnsafeMutableRawBufferPointer, _ type: HDF5Type, _ native: HDF5Type
  ) {
    let run = Run(
      source: UnsafeRawBufferPointer(elements), sourceStride: type.size, target: elements,
      targetStride: type.size, count: elements.count / max(type.size, 1))
    convert(run, type, native)
  }

  /// Elements at equal distances in two blocks of memory.
  private struct Run {
    var source: UnsafeRawBufferPointer
    var sourceStride: Int
    var target: UnsafeMutableRawBufferPointer
    var targetStride: Int
    var count: Int

    /// The run of a part of every element.
    func part(_ sourceOffset: Int, _ targetOffset: Int) -> Run {
      var part = self
      part.source = UnsafeRawBufferPointer(rebasing: source.dropFirst(sourceOffset))
      part.target = UnsafeMutableRawBufferPointer(rebasing: target.dropFirst(targetOffset))
      return part
    }
  }

  private static func convert(_ run: Run, _ type: HDF5Type, _ native: HDF5Type) {
    switch (type, native) {
    case (.compound(_, let members), .compound(_, let natives)):
      for (member, to) in zip(members, natives) {
        convert(run.part(member.offset, to.offset), member.type, to.type)
      }
    case (.array(let base, let extents), .array(let to, _)):
      convertEach(run, base, to, count: Checked.product(extents) ?? 0)
    case (.complex(let base), .complex(let to)): convertEach(run, base, to, count: 2)
    case (.enumeration(let base, _), .enumeration(let to, _)): convert(run, base, to)
    case (.integer(let bits, let isSigned), _): integers(run, bits, native.size, isSigned)
    case (.bitfield(let bits), _): integers(run, bits, native.size, false)
    case (.float(let bits, let layout), .float(let to, let same)):
      let isOrderOnly = layout == same && bits.size == to.size && bits.order != .vax
      if isOrderOnly { integers(run, bits, to.size, false) } else { floats(run, bits, layout) }
    default: copies(run, native.size)
    }
  }

  private static func convertEach(
    _ run: Run, _ base: HDF5Type, _ native: HDF5Type, count: Int
  ) {
    let (from, to) = (base.size, native.size)
    if run.sourceStride == from * count, run.targetStride == to * count {
      var flat = run
      (flat.sourceStride, flat.targetStride) = (from, to)
      flat.count = run.count * count
      return convert(flat, base, native)
    }
    for index in 0..<count { convert(run.part(index * from, index * to), base, native) }
  }

  private static func copies(_ run: Run, _ size: Int) {
    for index in 0..<run.count {
      let from = run.source[index * run.sourceStride..<index * run.sourceStride + size]
      UnsafeMutableRawBufferPointer(
        rebasing: run.target[index * run.targetStride..<index * run.targetStride + size]
      ).copyMemory(from: UnsafeRawBufferPointer(rebasing: from))
    }
  }

  private static func integers(_ run: Run, _ bits: HDF5Bits, _ size: Int, _ isSigned: Bool) {
    let isWhole = bits.offset == 0 && bits.precision == 8 * bits.size && bits.size == size
    guard isWhole else { return extracted(run, bits, size, isSigned) }
    guard bits.order == .big else { return copies(run, size) }
    switch size {
    case 2: swapped(run, UInt16.self)
    case 4: swapped(run, UInt32.self)
    case 8: swapped(run, UInt64.self)
    default:
      for index in 0..<run.count {
        for byte in 0..<size {
          run.target[index * run.targetStride + byte] =
            run.source[index * run.sourceStride + size - 1 - byte]
        }
      }
    }
  }

  private static func swapped<T: FixedWidthInteger & BitwiseCopyable>(_ run: Run, _: T.Type) {
    let size = MemoryLayout<T>.size
    if run.sourceStride == size, run.targetStride == size, let from = run.source.baseAddress,
      let to = run.target.baseAddress
    {
      // Equal strides let the compiler swap many at once.
      for index in 0..<run.count {
        let value = from.loadUnaligned(fromByteOffset: index &* size, as: T.self)
        to.storeBytes(of: value.byteSwapped, toByteOffset: index &* size, as: T.self)
      }
      return
    }
    for index in 0..<run.count {
      let value = run.source.loadUnaligned(fromByteOffset: index * run.sourceStride, as: T.self)
      run.target.storeBytes(
        of: value.byteSwapped, toByteOffset: index * run.targetStride, as: T.self)
    }
  }

  /// Numbers that do not fill their bytes, or whose bytes are no power of two; at most 8 bytes.
  private static func extracted(_ run: Run, _ bits: HDF5Bits, _ size: Int, _ isSigned: Bool) {
    let shift = UInt64(64 - min(bits.precision, 64))
    for index in 0..<run.count {
      var value: UInt64 = 0
      for byte in 0..<min(bits.size, 8) {
        let at = bits.order == .big ? bits.size - 1 - byte : byte
        value |= UInt64(run.source[index * run.sourceStride + at]) << UInt64(8 * byte)
      }
      value = (value >> UInt64(bits.offset)) << shift
      value =
        isSigned ? UInt64(bitPattern: Int64(bitPattern: value) >> Int64(shift)) : value >> shift
      for byte in 0..<size {
        run.target[index * run.targetStride + byte] = UInt8(
          truncatingIfNeeded: value >> UInt64(8 * byte))
      }
    }
  }

  private static func floats(_ run: Run, _ bits: HDF5Bits, _ layout: HDF5FloatLayout) {
    for index in 0..<run.count {
      let start = index * run.sourceStride
      let value = FloatBits(
        UnsafeRawBufferPointer(rebasing: run.source[start..<start + bits.size]), bits, layout
      ).double
      run.target.storeBytes(
        of: value.bitPattern.littleEndian, toByteOffset: index * run.targetStride, as: UInt64.self)
    }
  }

  /// At most eight bytes as a little-endian number.
  static func littleEndian(_ bytes: Bytes) -> UInt64 {
    bytes.withUnsafeBytes { raw in
      var value: UInt64 = 0
      for (index, byte) in raw.prefix(8).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
      return value
    }
  }

  /// A native floating-point number as a double.
  static func double(_ bytes: Bytes, _ type: HDF5Type) -> Double {
    let raw = littleEndian(bytes)
    switch type {
    case .float64: return Double(bitPattern: raw)
    case .float32: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: raw)))
    default:
      guard case .float(let bits, let layout) = type else { return .nan }
      return bytes.withUnsafeBytes { FloatBits($0, bits, layout).double }
    }
  }
}
