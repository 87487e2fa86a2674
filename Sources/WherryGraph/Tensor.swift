import WherryBytes

/// A dense tensor: element type, extents and contents, row-major.
///
/// Contents are little-endian bytes packed as ONNX packs `raw_data` (sub-byte elements fill a byte from
/// its lowest bits), shared with the file they came from where possible; strings are byte strings.
public struct Tensor: Sendable, Hashable {
  public enum Storage: Sendable, Hashable {
    case bytes(Bytes)
    case strings([Bytes])
  }

  public let element: ElementType
  /// Extents, each at least 0; a scalar has none.
  public let shape: [Int]
  public let storage: Storage

  /// A tensor over existing bytes; nil when their count is not what element type and shape need.
  public init?(_ element: ElementType, _ shape: [Int], bytes: Bytes) {
    guard let count = Checked.product(shape), element.byteCount(of: count) == bytes.count else {
      return nil
    }
    (self.element, self.shape, storage) = (element, shape, .bytes(bytes))
  }

  /// A tensor of strings; nil when their count does not fit the shape.
  public init?(_ shape: [Int], strings: [Bytes]) {
    guard Checked.product(shape) == strings.count else { return nil }
    (element, self.shape, storage) = (.string, shape, .strings(strings))
  }

  /// The same contents under other extents; nil when the element counts differ.
  public func reshaped(_ shape: [Int]) -> Tensor? {
    guard Checked.product(shape) == count else { return nil }
    return Tensor(element, unchecked: shape, storage)
  }

  init(_ element: ElementType, unchecked shape: [Int], _ storage: Storage) {
    (self.element, self.shape, self.storage) = (element, shape, storage)
  }

  public var rank: Int { shape.count }

  /// The number of elements.
  public var count: Int { Checked.product(shape) ?? 0 }

  /// The packed contents; empty for strings.
  public var bytes: Bytes { if case .bytes(let bytes) = storage { bytes } else { Bytes() } }

  /// The contents of a string tensor; empty for others.
  public var strings: [Bytes] { if case .strings(let strings) = storage { strings } else { [] } }

  public var type: ValueType { .tensor(element, Shape(fixed: shape)) }
}

/// A tensor that lists only its non-zero elements (COO).
public struct SparseTensor: Sendable, Hashable {
  /// The dense extents.
  public var shape: [Int]
  /// [count]
  public var values: Tensor
  /// int64 [count] of linear indices, or [count, rank] of coordinates.
  public var indices: Tensor

  public init(shape: [Int], values: Tensor, indices: Tensor) {
    (self.shape, self.values, self.indices) = (shape, values, indices)
  }
}
