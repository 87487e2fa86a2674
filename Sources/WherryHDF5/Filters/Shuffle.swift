import WherryBytes

/// Undoes the shuffle filter, which stores the first bytes of all elements, then the second, and so
/// on; bytes that fill no element stay at the end.
///
/// - Source: HDF5 filter 2.
enum Shuffle {
  static func undo(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer,
    _ parameters: [UInt32]
  ) throws(FilterFailure) -> Int {
    guard input.count <= output.count else { throw .size(input.count) }
    guard let size = parameters.first.map(Int.init), size > 0 else {
      throw .invalid("parameters of the shuffle filter")
    }
    let count = input.count / size
    guard size > 1, count > 1, let from = input.baseAddress, let to = output.baseAddress else {
      output.copyMemory(from: input)
      return input.count
    }
    switch size {
    case 2: two(from, to, count)
    case 4: four(from, to, count)
    case 8: eight(from, to, count)
    default:
      for byte in 0..<size {
        for index in 0..<count {
          output[index &* size &+ byte] = input[byte &* count &+ index]
        }
      }
    }
    let done = count * size
    UnsafeMutableRawBufferPointer(rebasing: output[done..<input.count])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[done...]))
    return input.count
  }

  private typealias Source = UnsafeRawPointer
  private typealias Target = UnsafeMutableRawPointer

  private static func two(_ from: Source, _ to: Target, _ count: Int) {
    for index in 0..<count {
      let value =
        UInt16(from.load(fromByteOffset: index, as: UInt8.self))
        | UInt16(from.load(fromByteOffset: count &+ index, as: UInt8.self)) << 8
      to.storeBytes(of: value.littleEndian, toByteOffset: index &* 2, as: UInt16.self)
    }
  }

  private static func four(_ from: Source, _ to: Target, _ count: Int) {
    for index in 0..<count {
      var value: UInt32 = 0
      for byte in 0..<4 {
        let part = from.load(fromByteOffset: byte &* count &+ index, as: UInt8.self)
        value |= UInt32(part) << UInt32(8 &* byte)
      }
      to.storeBytes(of: value.littleEndian, toByteOffset: index &* 4, as: UInt32.self)
    }
  }

  private static func eight(_ from: Source, _ to: Target, _ count: Int) {
    for index in 0..<count {
      var value: UInt64 = 0
      for byte in 0..<8 {
        let part = from.load(fromByteOffset: byte &* count &+ index, as: UInt8.self)
        value |= UInt64(part) << UInt64(8 &* byte)
      }
      to.storeBytes(of: value.littleEndian, toByteOffset: index &* 8, as: UInt64.self)
    }
  }
}

extension Shuffle {
  /// Puts the first bytes of all elements first, then the second, and so on.
  ///
  /// - Parameter output: as many bytes as `input`.
  static func apply(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, size: Int
  ) {
    let count = size > 0 ? input.count / size : 0
    for byte in 0..<max(size, 0) {
      for index in 0..<count { output[byte &* count &+ index] = input[index &* size &+ byte] }
    }
    let done = count * size
    UnsafeMutableRawBufferPointer(rebasing: output[done..<input.count])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[done...]))
  }
}
