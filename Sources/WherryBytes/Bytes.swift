/// Immutable bytes that are shared, never copied: a slice of a heap block or of a mapped file.
///
/// Slicing costs nothing and keeps the whole store alive. Equality and hashing are by content.
public struct Bytes: Sendable {
  /// What owns the memory; freed or unmapped when the last slice goes.
  public let store: ByteStore
  /// Distance of the first byte from the store's base.
  public let offset: Int
  public let count: Int

  public init(store: ByteStore) {
    (self.store, offset, count) = (store, 0, store.count)
  }

  private init(store: ByteStore, offset: Int, count: Int) {
    (self.store, self.offset, self.count) = (store, offset, count)
  }

  /// No bytes.
  public init() {
    self.init(store: ByteStore.empty)
  }

  /// A copy of `bytes`.
  public init(_ bytes: some Collection<UInt8>) {
    self.init(count: bytes.count) { target in
      let isCopied: Void? = bytes.withContiguousStorageIfAvailable { source in
        target.copyMemory(from: UnsafeRawBufferPointer(source))
      }
      if isCopied == nil { _ = target.initializeMemory(as: UInt8.self, from: bytes) }
    }
  }

  /// `count` bytes, zero where `fill` leaves them; 64-byte aligned.
  public init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let store = ByteStore(count: count)
    try fill(UnsafeMutableRawBufferPointer(mutating: store.buffer))
    self.init(store: store)
  }

  public var isEmpty: Bool { count == 0 }

  /// The bytes at `range`, which counts from this slice's first byte; nil when it reaches outside.
  public func slice(_ range: Range<Int>) -> Bytes? {
    guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
    return Bytes(store: store, offset: offset + range.lowerBound, count: range.count)
  }

  /// Gives `body` the memory; the pointer must not outlive the call.
  public func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    defer { withExtendedLifetime(store) {} }
    return try body(UnsafeRawBufferPointer(rebasing: store.buffer[offset..<offset + count]))
  }

  /// The byte at `index`; nil outside.
  public func byte(_ index: Int) -> UInt8? {
    guard index >= 0, index < count else { return nil }
    return store.buffer[offset + index]
  }

  /// A copy as an array.
  public var array: [UInt8] { withUnsafeBytes { Array($0) } }

  /// The text, or nil when the bytes are not valid UTF-8.
  public var text: String? { withUnsafeBytes { String(validating: $0, as: UTF8.self) } }
}

extension Bytes: Hashable {
  public static func == (a: Bytes, b: Bytes) -> Bool {
    guard a.count == b.count else { return false }
    if a.store === b.store, a.offset == b.offset { return true }
    return a.withUnsafeBytes { x in b.withUnsafeBytes { y in x.elementsEqual(y) } }
  }

  public func hash(into hasher: inout Hasher) {
    withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

/// The owner of one run of immutable bytes.
public final class ByteStore: @unchecked Sendable {
  /// The bytes; valid as long as the store lives.
  public let buffer: UnsafeRawBufferPointer
  /// Whether the bytes are pages of a file, which the system can bring back.
  let isMapped: Bool
  private let release: @Sendable (UnsafeRawBufferPointer) -> Void

  static let empty = ByteStore(count: 0)

  /// Takes memory over; `release` ends it.
  public init(
    _ buffer: UnsafeRawBufferPointer,
    release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
  ) {
    (self.buffer, isMapped, self.release) = (buffer, false, release)
  }

  /// Takes over pages that a file is mapped to.
  init(
    mapped buffer: UnsafeRawBufferPointer,
    release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
  ) {
    (self.buffer, isMapped, self.release) = (buffer, true, release)
  }

  /// `count` zero bytes, 64-byte aligned.
  convenience init(count: Int) {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    self.init(UnsafeRawBufferPointer(rebasing: memory[..<count])) { bytes in
      UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.deallocate()
    }
  }

  public var count: Int { buffer.count }

  deinit { release(buffer) }
}
