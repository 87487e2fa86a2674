import CWherryABI
import WherryBytes
import WherryGraph

/// A constant of a plan: a tensor's contents and the order in which the kernels want them.
///
/// The packed bytes are made on demand, so that a large model is never in memory twice.
public struct Weight: Sendable, Hashable {
  public var source: Bytes
  /// Bytes of one element: 1, 2, 4 or 8.
  public var width: Int
  public var packing: Packing

  public init(_ source: Bytes, width: Int, packing: Packing = .plain) {
    (self.source, self.width, self.packing) = (source, width, packing)
  }

  /// Bytes of the packed contents.
  public var byteCount: Int {
    switch packing {
    case .plain: source.count
    case .strided(let view): view.extents.reduce(width, *)
    case .panels(let panels): panels.packedCount * width
    case .stream(let stream): stream.byteCount
    }
  }

  /// The contents in packed order.
  public var packed: Bytes {
    switch packing {
    case .plain: source
    case .strided(let view): reorder { view.forEachRun($0) }
    case .panels(let panels): reorder { panels.forEachRun($0) }
    case .stream(let stream): stream.packed(source)
    }
  }

  /// Copies runs of elements; a run outside source or target is left out.
  private func reorder(_ walk: ((ElementRun) -> Void) -> Void) -> Bytes {
    let (width, count) = (width, source.count / max(width, 1))
    return source.withUnsafeBytes { from in
      Bytes(count: byteCount) { to in
        let limit = to.count / max(width, 1)
        walk { run in
          guard run.fits(source: count, target: limit) else { return }
          if run.stride == 1 {
            let (start, target, size) = (run.source * width, run.target * width, run.count * width)
            UnsafeMutableRawBufferPointer(rebasing: to[target..<target + size])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: from[start..<start + size]))
          } else if width == 4 {
            for step in 0..<run.count {
              let at = (run.source + step * run.stride) * 4
              let value = from.loadUnaligned(fromByteOffset: at, as: UInt32.self)
              to.storeBytes(of: value, toByteOffset: (run.target + step) * 4, as: UInt32.self)
            }
          } else {
            for step in 0..<run.count {
              let (at, target) = (
                (run.source + step * run.stride) * width, (run.target + step) * width
              )
              for byte in 0..<width { to[target + byte] = from[at + byte] }
            }
          }
        }
      }
    }
  }
}

extension Weight {
  /// Whether the strided block visits 0 ..< count, each number once.
  public static func covers(_ offset: Int, _ extents: [Int], _ strides: [Int], count: Int) -> Bool {
    guard let total = Checked.product(extents), total == count else { return false }
    var start = offset
    var expected = 1
    for axis in extents.indices.sorted(by: { strides[$0].magnitude < strides[$1].magnitude })
    where extents[axis] > 1 {
      guard strides[axis].magnitude == expected.magnitude else { return false }
      if strides[axis] < 0 { start += (extents[axis] - 1) * strides[axis] }
      guard let next = Checked.multiply(expected, extents[axis]) else { return false }
      expected = next
    }
    return start == 0
  }
}

/// Elements at equal distances in a source that stand side by side in a target.
public struct ElementRun: Sendable {
  public var source: Int
  public var stride: Int
  public var target: Int
  public var count: Int

  /// Whether every element lies below the counts of source and target.
  public func fits(source sourceCount: Int, target targetCount: Int) -> Bool {
    let last = source + (count - 1) * stride
    return count > 0 && min(source, last) >= 0 && max(source, last) < sourceCount && target >= 0
      && target <= targetCount - count
  }
}

/// How a plan orders the elements of a constant.
public enum Packing: Sendable, Hashable {
  /// As in the graph.
  case plain
  /// Dense in `extents`' order, read with strides.
  case strided(StridedView)
  /// Panels of `WH_PANEL` columns.
  case panels(PanelView)
  /// Quantized weights with what belongs to them.
  case stream(StreamView)
}

/// A block of a tensor as extents and distances of elements.
public struct StridedView: Sendable, Hashable {
  public var offset: Int
  public var extents: [Int]
  public var strides: [Int]

  public init(offset: Int = 0, extents: [Int], strides: [Int]) {
    (self.offset, self.extents, self.strides) = (offset, extents, strides)
  }

  /// The block's rows along its last axis, in block order.
  public func forEachRun(_ body: (ElementRun) -> Void) {
    guard !extents.contains(0) else { return }
    let (width, stride) = (extents.last ?? 1, strides.last ?? 1)
    var index = [Int](repeating: 0, count: extents.count)
    var (source, target) = (offset, 0)
    while true {
      body(ElementRun(source: source, stride: stride, target: target, count: width))
      target += width
      var axis = extents.count - 2
      while axis >= 0 {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < extents[axis] { break }
        source -= extents[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

/// Matrices [K, N] read from a tensor with strides, K made of an outer and an inner run, and packed
/// into panels: element (k, n) of matrix m stands at
/// `m * ceil(N / 16) * K * 16 + (n / 16) * K * 16 + k * 16 + n % 16`.
public struct PanelView: Sendable, Hashable {
  public var offset = 0
  public var matrices: Int
  public var matrixStride: Int
  public var outer: Int
  public var outerStride: Int
  public var inner: Int
  public var innerStride: Int
  public var columns: Int
  public var columnStride: Int

  public init(
    offset: Int = 0, matrices: Int = 1, matrixStride: Int = 0, outer: Int = 1, outerStride: Int = 0,
    inner: Int, innerStride: Int, columns: Int, columnStride: Int
  ) {
    (self.offset, self.matrices, self.matrixStride) = (offset, matrices, matrixStride)
    (self.outer, self.outerStride, self.inner) = (outer, outerStride, inner)
    (self.innerStride, self.columns, self.columnStride) = (innerStride, columns, columnStride)
  }

  /// Elements of one packed matrix, the missing columns of its last panel included.
  public var matrixCount: Int {
    (columns + Int(WH_PANEL) - 1) / Int(WH_PANEL) * rows * Int(WH_PANEL)
  }
  public var packedCount: Int { matrices * matrixCount }
  public var rows: Int { outer * inner }

  /// The rows of every panel.
  public func forEachRun(_ body: (ElementRun) -> Void) {
    let width = Int(WH_PANEL)
    for matrix in 0..<matrices {
      for panel in stride(from: 0, to: columns, by: width) {
        var target = matrix * matrixCount + panel * rows
        let wide = min(width, columns - panel)
        for o in 0..<outer {
          for i in 0..<inner {
            var source = offset + matrix * matrixStride + o * outerStride + i * innerStride
            source += panel * columnStride
            body(ElementRun(source: source, stride: columnStride, target: target, count: wide))
            target += width
          }
        }
      }
    }
  }
}
