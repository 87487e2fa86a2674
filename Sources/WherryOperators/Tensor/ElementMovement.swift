import WherryBytes
import WherryGraph

/// The elements of a tensor, addressable one by one whatever their type: those narrower than a byte
/// stand in a byte each.
struct ElementSource {
  let element: ElementType
  let count: Int
  /// Bytes of one element; 0 for strings.
  let width: Int
  let bytes: Bytes
  let strings: [Bytes]

  init(_ tensor: Tensor) {
    (element, count, strings) = (tensor.element, tensor.count, tensor.strings)
    width = (tensor.element.bitWidth + 7) / 8
    bytes = tensor.element.bitWidth < 8 ? Self.unpack(tensor) : tensor.bytes
  }

  private static func unpack(_ tensor: Tensor) -> Bytes {
    let width = tensor.element.bitWidth
    guard width > 0 else { return Bytes() }
    let (perByte, mask, count) = (8 / width, UInt8(1 << width - 1), tensor.count)
    return tensor.bytes.withUnsafeBytes { packed in
      Bytes(count: count) { target in
        for index in 0..<count {
          target[index] = packed[index / perByte] >> UInt8(index % perByte * width) & mask
        }
      }
    }
  }
}

/// A tensor in the making: elements are copied into it bit by bit as they are, so that every element
/// type, every NaN and every string survives.
struct ElementBuilder {
  let element: ElementType
  let count: Int
  private let width: Int
  private var bytes: [UInt8] = []
  private var strings: [Bytes] = []
  private var isSound = true

  /// `count` zeros, falses or empty strings.
  init(_ element: ElementType, count: Int) {
    (self.element, self.count) = (element, count)
    width = (element.bitWidth + 7) / 8
    if element == .string {
      strings = Array(repeating: Bytes(), count: count)
    } else {
      bytes = Array(repeating: 0, count: count * width)
    }
  }

  /// The elements of `tensor`, to be overwritten.
  init(_ tensor: Tensor) {
    let source = ElementSource(tensor)
    (element, count, width) = (source.element, source.count, source.width)
    (bytes, strings) = (source.bytes.array, source.strings)
  }

  /// `count` times the first element of `value`.
  init(repeating value: Tensor, count: Int) {
    self.init(value.element, count: count)
    let source = ElementSource(value)
    guard source.count > 0 else { return }
    if element == .string {
      strings = Array(repeating: source.strings[0], count: count)
    } else if source.bytes.array.prefix(width).contains(where: { $0 != 0 }) {
      for index in 0..<count { copy(from: source, at: 0, to: index) }
    }
  }

  /// Copies `count` neighbouring elements. Positions outside either side make `tensor` fail.
  mutating func copy(_ count: Int = 1, from source: ElementSource, at start: Int, to target: Int) {
    guard source.element == element, count >= 0, start >= 0, start <= source.count - count,
      target >= 0, target <= self.count - count
    else {
      isSound = false
      return
    }
    if element == .string {
      for index in 0..<count { strings[target + index] = source.strings[start + index] }
      return
    }
    let (width, size) = (width, count * width)
    source.bytes.withUnsafeBytes { from in
      bytes.withUnsafeMutableBytes { to in
        guard size > 0, let source = from.baseAddress, let base = to.baseAddress else { return }
        (base + target * width).copyMemory(from: source + start * width, byteCount: size)
      }
    }
  }

  /// The finished tensor.
  ///
  /// - Throws: `RunError.badValue` when a copy reached outside or `shape` has another element count.
  consuming func tensor(_ shape: [Int]) throws(RunError) -> Tensor {
    let made =
      element == .string
      ? Tensor(shape, strings: strings) : Tensor(element, shape, bytes: Bytes(packed()))
    guard isSound, let made else {
      throw RunError(.badValue("elements are moved outside \(shape)"))
    }
    return made
  }

  private func packed() -> [UInt8] {
    let bits = element.bitWidth
    guard bits < 8 else { return bytes }
    let perByte = 8 / bits
    var result = [UInt8](repeating: 0, count: (count + perByte - 1) / perByte)
    for (index, byte) in bytes.enumerated() {
      result[index / perByte] |= byte << UInt8(index % perByte * bits)
    }
    return result
  }
}

/// How the elements along one axis of a result stand in their source: what each coordinate adds to the
/// linear position.
enum AxisWalk {
  /// Coordinate `i` adds `start + i * stride`.
  case steps(count: Int, start: Int = 0, stride: Int)
  /// Coordinate `i` adds `offsets[i]`; a negative one takes the fill instead of a source element.
  case offsets([Int])

  var count: Int {
    switch self {
    case .steps(let count, _, _): count
    case .offsets(let offsets): offsets.count
    }
  }

  func offset(_ coordinate: Int) -> Int {
    switch self {
    case .steps(_, let start, let stride): start &+ coordinate &* stride
    case .offsets(let offsets): offsets[coordinate]
    }
  }

  /// Longest axis that may be given by a table.
  static let longestTable = 1 << 26

  /// A table of `count` offsets.
  ///
  /// - Throws: `RunError.limit` past `longestTable`.
  static func table(_ count: Int, _ offset: (Int) -> Int) throws(RunError) -> AxisWalk {
    guard count <= longestTable else {
      throw RunError(.limit("\(longestTable) extents of an axis"))
    }
    return .offsets((0..<count).map(offset))
  }

  /// Both axes as one, when neighbouring steps make that possible.
  static func merged(_ outer: AxisWalk, _ inner: AxisWalk) -> AxisWalk? {
    guard case .steps(let m, let a, let outerStride) = outer,
      case .steps(let n, let b, let stride) = inner, outerStride == n &* stride
    else { return nil }
    return .steps(count: m * n, start: a &+ b, stride: stride)
  }
}

extension Tensor {
  /// The tensor whose element at `[c0, c1, …]` is the source's at the sum of the axes' offsets.
  ///
  /// - Parameter fill: one element, for negative offsets; zero, false or "" when nil.
  func moved(_ axes: [AxisWalk], fill: Tensor? = nil) throws(RunError) -> Tensor {
    let shape = axes.map(\.count)
    guard let total = Checked.product(shape) else { throw RunError(.badValue("extents \(shape)")) }
    let source = ElementSource(self)
    var builder =
      fill.map { ElementBuilder(repeating: $0, count: total) }
      ?? ElementBuilder(element, count: total)
    guard total > 0 else { return try builder.tensor(shape) }
    var walks: [AxisWalk] = []
    for axis in axes where axis.count != 1 || axis.offset(0) != 0 {
      if let last = walks.last, let merged = AxisWalk.merged(last, axis) {
        walks[walks.count - 1] = merged
      } else {
        walks.append(axis)
      }
    }
    let inner = walks.popLast() ?? .steps(count: 1, stride: 1)
    var coordinates = [Int](repeating: 0, count: walks.count)
    var position = 0
    while position < total {
      var base = 0
      for (walk, coordinate) in zip(walks, coordinates) {
        let offset = walk.offset(coordinate)
        base = offset < 0 || base < 0 ? -1 : base &+ offset
      }
      if base >= 0 { builder.copy(inner, from: source, base: base, to: position) }
      position += inner.count
      for axis in walks.indices.reversed() {
        coordinates[axis] += 1
        if coordinates[axis] < walks[axis].count { break }
        coordinates[axis] = 0
      }
    }
    return try builder.tensor(shape)
  }

  /// How far apart in the contents neighbours along each axis are.
  var strides: [Int] { Self.strides(shape) }

  /// Row-major strides; extents whose product overflows must have been refused before.
  static func strides(_ shape: [Int]) -> [Int] {
    var (result, stride) = ([Int](repeating: 0, count: shape.count), 1)
    for axis in shape.indices.reversed() {
      result[axis] = stride
      stride = stride.multipliedReportingOverflow(by: shape[axis]).partialValue
    }
    return result
  }

  /// Every axis as it is; the start of a movement that changes some of them.
  var walks: [AxisWalk] {
    zip(shape, strides).map { .steps(count: $0, stride: $1) }
  }
}

extension ElementBuilder {
  fileprivate mutating func copy(
    _ axis: AxisWalk, from source: ElementSource, base: Int, to position: Int
  ) {
    if case .steps(let count, let start, 1) = axis {
      copy(count, from: source, at: base &+ start, to: position)
      return
    }
    for index in 0..<axis.count {
      let offset = axis.offset(index)
      if offset >= 0 { copy(from: source, at: base &+ offset, to: position + index) }
    }
  }
}
