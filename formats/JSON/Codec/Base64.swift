/// Base64 with the standard alphabet and padding.
///
/// - Source: RFC 4648, section 4.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  /// Marks a byte outside the alphabet in the decoding tables.
  private static let bad: UInt32 = 0x8000_0000

  /// Two characters for every 12 bits, in memory order.
  nonisolated(unsafe) private static let pairs: UnsafePointer<UInt16> = {
    let table = UnsafeMutablePointer<UInt16>.allocate(capacity: 4096)
    for bits in 0..<4096 {
      let (first, second) = (UInt16(alphabet[bits >> 6]), UInt16(alphabet[bits & 63]))
      (table + bits).initialize(to: first | second << 8)
    }
    return UnsafePointer(table)
  }()

  /// Four tables of 256: the bits that a character adds as first to fourth of its group.
  ///
  /// Bits are placed so that the group's bytes come out in memory order.
  nonisolated(unsafe) private static let bits: UnsafePointer<UInt32> = {
    let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 1024)
    table.initialize(repeating: bad, count: 1024)
    for (value, character) in alphabet.enumerated() {
      for position in 0..<4 {
        let group = UInt32(value) << UInt32(18 - 6 * position)
        table[position * 256 + Int(character)] = group.byteSwapped >> 8
      }
    }
    return UnsafePointer(table)
  }()

  /// Characters that `count` bytes take.
  static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Writes the characters of `source`; `target` has room for `encodedCount(source.count)`.
  static func encode(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) {
    guard let base = source.baseAddress else { return }
    let table = pairs
    var (from, to) = (base, target)
    var left = source.count
    while left >= 8 {
      let word = UInt64(bigEndian: from.loadUnaligned(as: UInt64.self))
      let a = UInt64(table[Int(truncatingIfNeeded: word >> 52)])
      let b = UInt64(table[Int(truncatingIfNeeded: word >> 40 & 0xFFF)])
      let c = UInt64(table[Int(truncatingIfNeeded: word >> 28 & 0xFFF)])
      let d = UInt64(table[Int(truncatingIfNeeded: word >> 16 & 0xFFF)])
      to.storeBytes(of: (a | b << 16 | c << 32 | d << 48).littleEndian, as: UInt64.self)
      (from, to, left) = (from + 6, to + 8, left - 6)
    }
    while left > 0 {
      let bytes = (0..<3).map {
        $0 < left ? UInt32(from.load(fromByteOffset: $0, as: UInt8.self)) : 0
      }
      let group = bytes[0] << 16 | bytes[1] << 8 | bytes[2]
      let equals = UInt8(ascii: "=")
      to.storeBytes(of: table[Int(group >> 12)].littleEndian, as: UInt16.self)
      (to + 2).storeBytes(of: left > 1 ? alphabet[Int(group >> 6 & 63)] : equals, as: UInt8.self)
      (to + 3).storeBytes(of: left > 2 ? alphabet[Int(group & 63)] : equals, as: UInt8.self)
      (from, to, left) = (from + min(left, 3), to + 4, left - min(left, 3))
    }
  }

  /// Bytes that `text` stands for; nil when its length or padding is impossible.
  static func decodedCount(_ text: UnsafeRawBufferPointer) -> Int? {
    guard text.count % 4 == 0 else { return nil }
    guard text.count > 0 else { return 0 }
    let equals = UInt8(ascii: "=")
    let padding = text[text.count - 1] != equals ? 0 : text[text.count - 2] != equals ? 1 : 2
    return text.count / 4 * 3 - padding
  }

  /// Writes the bytes of `text`; `target` has room for `decodedCount(text)`.
  ///
  /// - Returns: nil when done, else where a character stands that can't stand there: one outside the
  ///   alphabet, or a last one with bits that belong to no byte.
  static func decode(
    _ text: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard let base = text.baseAddress, let count = decodedCount(text), count > 0,
      let start = target.baseAddress, target.count >= count
    else { return text.count == 0 ? nil : 0 }
    let tables = bits
    let (second, third, fourth) = (tables + 256, tables + 512, tables + 768)
    @inline(__always) func group(_ from: UnsafeRawPointer) -> UInt32 {
      let word = UInt32(littleEndian: from.loadUnaligned(as: UInt32.self))
      return tables[Int(word & 255)] | second[Int(word >> 8 & 255)] | third[Int(word >> 16 & 255)]
        | fourth[Int(word >> 24)]
    }
    var (from, to) = (base, start)
    // Groups of 4 characters whose bytes can be stored as whole words inside `target`.
    var fast = max(0, (count - 8) / 12)
    while fast > 0 {
      let (a, b, c, d) = (group(from), group(from + 4), group(from + 8), group(from + 12))
      guard (a | b | c | d) & bad == 0 else { break }
      let low = UInt64(a) | UInt64(b) << 24 | UInt64(c) << 48
      to.storeBytes(of: low.littleEndian, as: UInt64.self)
      (to + 8).storeBytes(of: (c >> 16 | d << 8).littleEndian, as: UInt32.self)
      (from, to, fast) = (from + 16, to + 12, fast - 1)
    }
    let end = base + text.count
    var left = count - (to - start)
    while from < end {
      let isLast = left < 3
      let word = isLast ? lastGroup(from, left) : group(from)
      guard word & bad == 0 else { return (from - base) + badCharacter(in: from, left) }
      for index in 0..<min(left, 3) {
        (to + index).storeBytes(
          of: UInt8(truncatingIfNeeded: word >> UInt32(8 * index)), as: UInt8.self)
      }
      (from, to, left) = (from + 4, to + 3, left - 3)
    }
    return nil
  }

  /// The bits of a padded group that stands for `left` bytes; `bad` also when bits are left over.
  private static func lastGroup(_ from: UnsafeRawPointer, _ left: Int) -> UInt32 {
    var word: UInt32 = 0
    for index in 0...left {
      word |= bits[index * 256 + Int(from.load(fromByteOffset: index, as: UInt8.self))]
    }
    return word & bad != 0 || word >> UInt32(8 * left) != 0 ? bad : word
  }

  private static func badCharacter(in from: UnsafeRawPointer, _ left: Int) -> Int {
    let meaningful = left < 3 ? left + 1 : 4
    for index in 0..<meaningful {
      let character = from.load(fromByteOffset: index, as: UInt8.self)
      if bits[index * 256 + Int(character)] & bad != 0 { return index }
    }
    return meaningful - 1
  }
}
