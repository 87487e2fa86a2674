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
    }
  }

  /// The contents in packed order.
  public var packed: Bytes {
    switch packing {
    case .plain: source
    case .strided(let view): reorder { view.forEach($0) }
    case .panels(let panels): reorder { panels.forEach($0) }
    }
  }

  /// Calls `walk` with a function that copies the element at a source position to a packed position.
  private func reorder(_ walk: ((Int, Int) -> Void) -> Void) -> Bytes {
    let (width, count) = (width, source.count / max(width, 1))
    return source.withUnsafeBytes { from in
      Bytes(count: byteCount) { to in
        let limit = to.count / max(width, 1)
        if width == 4 {
          walk { source, target in
            guard source >= 0, source < count, target < limit else { return }
            let value = from.loadUnaligned(fromByteOffset: source * 4, as: UInt32.self)
            to.storeBytes(of: value, toByteOffset: target * 4, as: UInt32.self)
          }
        } else {
          walk { source, target in
            guard source >= 0, source < count, target < limit else { return }
            for byte in 0..<width { to[target * width + byte] = from[source * width + byte] }
          }
        }
      }
    }
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
}

/// A block of a tensor as extents and distances of elements.
public struct StridedView: Sendable, Hashable {
  public var offset: Int
  public var extents: [Int]
  public var strides: [Int]

  public init(offset: Int = 0, extents: [Int], strides: [Int]) {
    (self.offset, self.extents, self.strides) = (offset, extents, strides)
  }

  /// Every element's source position with its position in the block, in block order.
  public func forEach(_ body: (_ source: Int, _ target: Int) -> Void) {
    let rank = extents.count
    guard !extents.contains(0) else { return }
    var index = [Int](repeating: 0, count: rank)
    var (source, target) = (offset, 0)
    while true {
      body(source, target)
      target += 1
      var axis = rank - 1
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

  /// Every element's source position with its packed position.
  public func forEach(_ body: (_ source: Int, _ target: Int) -> Void) {
    let width = Int(WH_PANEL)
    for matrix in 0..<matrices {
      for panel in stride(from: 0, to: columns, by: width) {
        var target = matrix * matrixCount + panel * rows
        let wide = min(width, columns - panel)
        for o in 0..<outer {
          for i in 0..<inner {
            var source = offset + matrix * matrixStride + o * outerStride + i * innerStride
            source += panel * columnStride
            for column in 0..<wide { body(source + column * columnStride, target + column) }
            target += width
          }
        }
      }
    }
  }
}
