import WherryBytes
import WherryGraph

extension JSONReader {
  /// An array of numbers as the packed bytes of `count` elements; nil, and a problem, when they are
  /// more or fewer, or one is none of the type's numbers.
  mutating func decimals(_ element: ElementType, _ count: Int) throws(JSONFault) -> Bytes? {
    let powers = PowersOfTen.table
    switch element {
    case .float32, .complex64:
      return try numbers(count, element) { (reader, target: inout Float) throws(JSONFault) in
        if let value = try reader.float(powers) { target = value }
      }
    case .float64, .complex128:
      return try numbers(count, element) { (reader, target: inout Double) throws(JSONFault) in
        if let value = try reader.double(powers) { target = value }
      }
    case .int64: return try whole(count, element, Int64.self)
    case .uint64: return try whole(count, element, UInt64.self)
    case .int32: return try whole(count, element, Int32.self)
    case .uint32: return try whole(count, element, UInt32.self)
    case .int16: return try whole(count, element, Int16.self)
    case .uint16: return try whole(count, element, UInt16.self)
    case .int8: return try whole(count, element, Int8.self)
    case .uint8: return try whole(count, element, UInt8.self)
    case .bool:
      return try numbers(count, element) { (reader, target: inout UInt8) throws(JSONFault) in
        if let value = try reader.bool() { target = value ? 1 : 0 }
      }
    case .uint4, .int4, .uint2, .int2:
      let range = element.integerRange
      let perByte = 8 / element.bitWidth
      let mask = 1 << element.bitWidth - 1
      return try packed(count, perByte, element.bitWidth) { (reader) throws(JSONFault) in
        reader.cursor.skipSpace()
        let start = reader.cursor.at
        guard let value = try reader.integer(Int64.self) else { return 0 }
        guard range.contains(value) else {
          try reader.note(.invalid("\(value) is outside \(element)"), at: start)
          return 0
        }
        return UInt8(truncatingIfNeeded: Int(value) & mask)
      }
    case .float4e2m1:
      return try packed(count, 2, 4) { (reader) throws(JSONFault) in
        UInt8(truncatingIfNeeded: try reader.narrow(element, powers))
      }
    case .float16, .bfloat16:
      return try numbers(count, element) { (reader, target: inout UInt16) throws(JSONFault) in
        target = try reader.narrow(element, powers)
      }
    default:
      return try numbers(count, element) { (reader, target: inout UInt8) throws(JSONFault) in
        target = UInt8(truncatingIfNeeded: try reader.narrow(element, powers))
      }
    }
  }

  @inline(__always)
  private mutating func whole<T: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int, _ element: ElementType, _ type: T.Type
  ) throws(JSONFault) -> Bytes? {
    try numbers(count, element) { (reader, target: inout T) throws(JSONFault) in
      if let value = try reader.integer(type) { target = value }
    }
  }

  /// The bit pattern of a number in a type narrower than float32: the nearest, ties to even.
  private mutating func narrow(
    _ element: ElementType, _ powers: UnsafePointer<PowersOfTen.Power>
  ) throws(JSONFault) -> UInt16 {
    cursor.skipSpace()
    let start = cursor.at
    guard let value = try double(powers) else { return 0 }
    let tensor = Tensor(element, [1], doubles: [value], saturate: false)
    let (low, high) = (tensor?.bytes.byte(0) ?? 0, tensor?.bytes.byte(1) ?? 0)
    let back = tensor?.doubles.first ?? .nan
    // A type without NaN or infinity, or a number past its largest.
    let isKept = value.isNaN ? back.isNaN : value.isInfinite ? back == value : back.isFinite
    if !isKept { try note(.invalid("the number is outside \(element)"), at: start) }
    return UInt16(low) | UInt16(high) << 8
  }

  /// Elements of whole bytes, each read into its place.
  @inline(__always)
  private mutating func numbers<T: BitwiseCopyable>(
    _ elements: Int, _ element: ElementType,
    _ read: (inout JSONReader, inout T) throws(JSONFault) -> Void
  ) throws(JSONFault) -> Bytes? {
    guard let count = element.isComplex ? Checked.multiply(elements, 2) : elements,
      let size = Checked.multiply(count, MemoryLayout<T>.size)
    else { return nil }
    return try memory(count, size) { (reader, memory, index) throws(JSONFault) in
      guard index < count else { return false }
      let target = memory + index * MemoryLayout<T>.size
      try target.withMemoryRebound(to: T.self, capacity: 1) { (slot) throws(JSONFault) in
        try read(&reader, &slot.pointee)
      }
      return true
    }
  }

  /// Elements of part of a byte, the first in the lowest bits.
  private mutating func packed(
    _ count: Int, _ perByte: Int, _ bits: Int, _ read: (inout JSONReader) throws(JSONFault) -> UInt8
  ) throws(JSONFault) -> Bytes? {
    try memory(count, count / perByte + (count % perByte == 0 ? 0 : 1)) {
      (reader, memory, index) throws(JSONFault) in
      guard index < count else { return false }
      let pattern = try read(&reader)
      memory[index / perByte] |= pattern << UInt8(index % perByte * bits)
      return true
    }
  }

  /// Reads an array into `size` fresh zero bytes; `read` is false when there is no place for an element.
  @inline(__always)
  private mutating func memory(
    _ count: Int, _ size: Int,
    _ read: (inout JSONReader, UnsafeMutablePointer<UInt8>, Int) throws(JSONFault) -> Bool
  ) throws(JSONFault) -> Bytes? {
    cursor.skipSpace()
    let start = cursor.at
    // Every element takes at least a digit and a separator.
    guard count <= (cursor.count - start) / 2 + 1 else {
      try skip()
      try note(.inconsistent("fewer elements than the \(count) of the shape"), at: start)
      return nil
    }
    try spend(size, at: start)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    guard let base = memory.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
    let before = problemCount
    var found = 0
    var isArray = false
    do throws(JSONFault) {
      isArray = try elements { (reader, index) throws(JSONFault) in
        if try !read(&reader, base, index) { try reader.skip() }
        found = index + 1
      }
    } catch {
      memory.deallocate()
      throw error
    }
    if isArray, found != count {
      memory.deallocate()
      try note(.inconsistent("\(found) elements, the shape has \(count)"), at: start)
      return nil
    }
    guard isArray, problemCount == before else {
      memory.deallocate()
      return nil
    }
    return Bytes(taking: memory, count: size)
  }
}
