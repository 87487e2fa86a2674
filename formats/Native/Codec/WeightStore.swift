import CWherryABI
import WherryBytes
import WherryGraph
import WherryPasses

/// The weights section while it is laid out: every run of bytes once, however often it is used.
///
/// Nothing is packed or copied until it is written.
struct WeightStore {
  private(set) var weights: [Weight] = []
  private(set) var offsets: [Int] = []
  private(set) var byteCount = 0
  /// Positions in `weights` by a hash of what they are made from.
  private var byForm: [UInt64: [Int]] = [:]
  /// Positions of reversible weights by a hash of their source.
  private var bySource: [UInt64: [Int]] = [:]
  /// Positions of streams by their number of outputs.
  private var byOutputs: [Int: [Int]] = [:]

  /// Offset of a weight in the section.
  mutating func add(_ weight: Weight) -> Int {
    let source = weight.source.contentHash
    var form = Hasher64(seed: source)
    form.combine(weight.packing)
    for index in byForm[form.value] ?? [] where weights[index].isSame(as: weight) {
      return offsets[index]
    }
    let index = weights.count
    weights.append(weight)
    offsets.append(byteCount)
    byForm[form.value, default: []].append(index)
    if weight.isReversible { bySource[source, default: []].append(index) }
    if case .stream(let view) = weight.packing, view.ownHeads.factors.count == view.outputs {
      byOutputs[view.outputs, default: []].append(index)
    }
    let end = byteCount + weight.byteCount
    byteCount = (end + Int(WH_ALIGNMENT) - 1) / Int(WH_ALIGNMENT) * Int(WH_ALIGNMENT)
    return offsets[index]
  }

  /// A weight from which `bytes` can be made again; plain ones win.
  func holding(_ bytes: Bytes) -> (offset: Int, weight: Weight)? {
    let found = (bySource[bytes.contentHash] ?? []).filter { weights[$0].source == bytes }
    guard let best = found.first(where: { weights[$0].packing == .plain }) ?? found.first else {
      return nil
    }
    return (offsets[best], weights[best])
  }

  /// The streams of a number of outputs.
  func streams(outputs: Int) -> [StoredStream] {
    (byOutputs[outputs] ?? []).compactMap { index in
      guard case .stream(let view) = weights[index].packing else { return nil }
      return StoredStream(offset: offsets[index], view: view)
    }
  }

  /// The stream whose heads hold these biases, and the zero point of its input.
  func biases(_ values: [Int32]) -> (stream: StoredStream, zero: Int)? {
    for stream in streams(outputs: values.count) {
      let heads = stream.view.ownHeads
      guard heads.biases.count == values.count else { continue }
      let first = heads.sums.firstIndex { $0 != 0 } ?? 0
      let sum = Int64(max(heads.sums[first].magnitude, 1)) * (heads.sums[first] < 0 ? -1 : 1)
      let zero = (Int64(values[first]) - Int64(heads.biases[first])) / sum
      guard let small = Int32(exactly: zero) else { continue }
      let isSame = values.indices.allSatisfy {
        values[$0] == heads.biases[$0] &+ small &* heads.sums[$0]
      }
      if isSame { return (stream, Int(small)) }
    }
    return nil
  }

  /// Gives `body` the section front to back, one weight in memory at a time.
  func forEachRun<E: Error>(_ body: (Bytes) throws(E) -> Void) throws(E) {
    var at = 0
    let zeros = Bytes(count: Int(WH_ALIGNMENT)) { _ in }
    for (weight, offset) in zip(weights, offsets) {
      if let gap = zeros.slice(0..<offset - at), !gap.isEmpty { try body(gap) }
      let packed = weight.packed
      try body(packed)
      at = offset + packed.count
    }
    if let gap = zeros.slice(0..<byteCount - at), !gap.isEmpty { try body(gap) }
  }
}

/// A stream and where it lies in the weights section.
struct StoredStream {
  var offset: Int
  var view: StreamView
}

/// A hash that is the same in every process.
struct Hasher64 {
  private(set) var value: UInt64

  init(seed: UInt64) { value = seed }

  mutating func combine(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 29
  }

  mutating func combine(_ numbers: [Int]) {
    combine(UInt64(numbers.count))
    for number in numbers { combine(UInt64(bitPattern: Int64(number))) }
  }

  mutating func combine(_ packing: Packing) {
    switch packing {
    case .plain: combine([0])
    case .strided(let view): combine([1, view.offset] + view.extents + view.strides)
    case .panels(let view): combine([2] + view.numbers)
    case .stream(let view):
      combine([3] + view.numbers)
      combine(view.heads.contentHash)
    }
  }
}

extension Bytes {
  /// A hash of the content.
  var contentHash: UInt64 {
    withUnsafeBytes { raw in
      var hash = Hasher64(seed: UInt64(raw.count))
      var offset = 0
      while offset + 8 <= raw.count {
        hash.combine(raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        offset += 8
      }
      while offset < raw.count {
        hash.combine(UInt64(raw[offset]))
        offset += 1
      }
      return hash.value
    }
  }
}

extension Weight {
  fileprivate func isSame(as other: Weight) -> Bool {
    packing == other.packing && (packing == .plain || width == other.width)
      && source == other.source
  }

  /// Whether every element of the source stands in the packed form exactly once.
  var isReversible: Bool {
    switch packing {
    case .plain: true
    case .strided(let view):
      Self.covers(view.offset, view.extents, view.strides, count: source.count / max(width, 1))
    case .panels(let view):
      Self.covers(
        view.offset, [view.matrices, view.outer, view.inner, view.columns],
        [view.matrixStride, view.outerStride, view.innerStride, view.columnStride],
        count: source.count / max(width, 1))
    case .stream(let view): view.isReversible(count: source.count)
    }
  }
}

extension PanelView {
  /// The view's fields in the order the graph section writes them.
  var numbers: [Int] {
    [
      offset, matrices, matrixStride, outer, outerStride, inner, innerStride, columns,
      columnStride,
    ]
  }
}
