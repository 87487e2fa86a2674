/// Collects little-endian fields in memory.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public var count: Int { bytes.count }

  public mutating func integer(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  public mutating func raw(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  public mutating func raw(_ more: Bytes) { more.withUnsafeBytes { bytes.append(contentsOf: $0) } }

  /// The memory of a C struct, which must be free of padding.
  public mutating func structure<T: BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
  }

  public mutating func pad(to alignment: Int) {
    let missing = (alignment - bytes.count % alignment) % alignment
    bytes.append(contentsOf: repeatElement(0, count: missing))
  }
}
