import WherryBytes
import WherryGraph

/// Gathers the elements of weights from the constants they went into.
struct WeightGathering {
  /// What is known of one weight.
  private enum Holding {
    case nothing
    /// A constant holds all of it; the weight is made from that when it is needed.
    case whole(WeightVariable)
    /// Elements, and which of them are known.
    case parts([UInt8], filled: [Bool])
  }

  private let tracing: WeightTracing
  private var holdings: [Holding]
  private let starts: [Int]

  init(_ tracing: WeightTracing) {
    self.tracing = tracing
    holdings = tracing.sources.map { _ in .nothing }
    starts = tracing.sources.map(\.first)
  }

  /// Takes the elements of `tensor`.
  ///
  /// - Parameter marks: what stands in its place when the graph is made from marks, by round.
  /// - Returns: false when the tensor can't have come from the weights.
  mutating func take(_ tensor: Tensor, marks: [Tensor]) -> Bool {
    if takeWhole(tensor, marks) { return true }
    return WeightTracing.withPlaces(marks) { places in
      places.count == tensor.count && takeElements(tensor, places)
    }
  }

  private mutating func takeElements(_ tensor: Tensor, _ places: WeightTracing.Places) -> Bool {
    let size = tensor.element.bitWidth / 8
    return tensor.bytes.withUnsafeBytes { raw in
      var index = 0
      while index < places.count {
        let place = places.at(index)
        guard place >= 0 else {
          index += 1
          continue
        }
        guard let source = find(place), tracing.sources[source].element == tensor.element else {
          return false
        }
        index = copy(raw, size, from: index, places, into: source)
      }
      return true
    }
  }

  /// Copies elements as long as they belong to one weight.
  ///
  /// - Returns: the index of the first element that does not.
  private mutating func copy(
    _ raw: UnsafeRawBufferPointer, _ size: Int, from start: Int, _ places: WeightTracing.Places,
    into source: Int
  ) -> Int {
    let entry = tracing.sources[source]
    var (bytes, filled): ([UInt8], [Bool])
    switch holdings[source] {
    case .whole:
      // The whole graph is compared in the end, so that a second constant need not be.
      return (start..<places.count).first { !entry.contains(places.at($0)) } ?? places.count
    case .parts(let known, let marks): (bytes, filled) = (known, marks)
    case .nothing:
      bytes = Array(repeating: 0, count: entry.count * size)
      filled = Array(repeating: false, count: entry.count)
    }
    // The only reference, so that nothing is copied below.
    holdings[source] = .nothing
    var index = start
    while index < places.count {
      let place = places.at(index)
      guard entry.contains(place) else { break }
      let offset = place - entry.first
      filled[offset] = true
      for byte in 0..<size { bytes[offset * size + byte] = raw[index * size + byte] }
      index += 1
    }
    holdings[source] = .parts(bytes, filled: filled)
    return index
  }

  /// Takes a constant that is one weight, in its order or with its axes in another.
  private mutating func takeWhole(_ tensor: Tensor, _ marks: [Tensor]) -> Bool {
    let first = WeightTracing.withPlaces(marks) { $0.count > 0 ? $0.at(0) : -1 }
    guard first >= 0, let source = find(first) else { return false }
    let entry = tracing.sources[source]
    guard case .nothing = holdings[source], first == entry.first, entry.count == tensor.count,
      entry.element == tensor.element
    else { return false }
    if Self.isInOrder(marks, entry) {
      guard let same = tensor.reshaped(entry.shape) else { return false }
      holdings[source] = .whole(WeightVariable(name: entry.name, tensor: same))
      return true
    }
    let turned = WeightTracing.withPlaces(marks) { Self.axes(tensor.shape, $0, entry) }
    guard let axes = turned, Self.isInOrder(marks.compactMap { $0.permuted(axes) }, entry) else {
      return false
    }
    holdings[source] = .whole(
      WeightVariable(name: entry.name, entry.element, entry.shape) { () throws(DecodeError) in
        guard let weight = tensor.permuted(axes) else {
          throw DecodeError(.invalid("shape \(tensor.shape)"))
        }
        return weight
      })
    return true
  }

  private static func isInOrder(_ marks: [Tensor], _ entry: WeightTracing.Source) -> Bool {
    WeightTracing.withPlaces(marks) { places in
      places.count == entry.count
        && (0..<places.count).allSatisfy { places.at($0) == entry.first + $0 }
    }
  }

  /// The permutation that could make the weight from a tensor of these places.
  private static func axes(
    _ shape: [Int], _ places: WeightTracing.Places, _ entry: WeightTracing.Source
  ) -> [Int]? {
    guard shape.count == entry.shape.count else { return nil }
    let (steps, wanted) = (strides(shape), strides(entry.shape))
    // How far apart neighbours along each axis were in the weight.
    let distances = shape.indices.map { axis in
      shape[axis] > 1 ? places.at(steps[axis]) - places.at(0) : 0
    }
    var axes: [Int] = []
    for (extent, distance) in zip(entry.shape, wanted) {
      let match = shape.indices.first {
        !axes.contains($0) && shape[$0] == extent && (extent == 1 || distances[$0] == distance)
      }
      guard let match else { return nil }
      axes.append(match)
    }
    return axes
  }

  /// Elements between neighbours along each axis.
  private static func strides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  private func find(_ place: Int) -> Int? {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= place { low = middle + 1 } else { high = middle }
    }
    // Weights without elements share their start with the next one.
    return (0..<low).last { tracing.sources[$0].contains(place) }
  }

  /// Takes a weight that no constant holds.
  mutating func take(_ tensor: Tensor, layer: String, key: String) {
    guard
      let index = tracing.sources.firstIndex(where: { $0.layer == layer && $0.key == key }),
      tracing.sources[index].element == tensor.element, tracing.sources[index].shape == tensor.shape
    else { return }
    holdings[index] = .whole(WeightVariable(name: tracing.sources[index].name, tensor: tensor))
  }

  /// The weights, or nil when an element is missing.
  func table() -> WeightTable? {
    var table = WeightTable()
    for (entry, holding) in zip(tracing.sources, holdings) {
      let weight: WeightVariable
      switch holding {
      case .whole(let whole): weight = whole
      case .parts(let bytes, let filled):
        guard filled.allSatisfy({ $0 }),
          let tensor = Tensor(entry.element, entry.shape, bytes: Bytes(bytes))
        else { return nil }
        weight = WeightVariable(name: entry.name, tensor: tensor)
      case .nothing:
        guard entry.count == 0, let tensor = Tensor(entry.element, entry.shape, bytes: Bytes())
        else { return nil }
        weight = WeightVariable(name: entry.name, tensor: tensor)
      }
      table.set(entry.layer, entry.key, weight)
    }
    return table
  }
}
