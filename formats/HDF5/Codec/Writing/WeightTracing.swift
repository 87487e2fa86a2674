import WherryBytes
import WherryGraph
import WherryText

/// Finds a Keras model's weights again in the constants of a graph made from it.
///
/// The graph is made a second time from weights whose elements are their own places; where those end up
/// says where each element comes from. No rearrangement needs an inverse of its own.
struct WeightTracing {
  /// A weight's place among all elements, and what the file calls it.
  struct Source {
    var layer: String
    var key: String
    var name: String
    var element: ElementType
    var shape: [Int]
    var first: Int
    var count: Int
  }

  let sources: [Source]

  /// - Parameter listing: as `WeightTable.listing` writes it; nil when it is not of that form.
  init?(_ listing: JSONValue) {
    guard let entries = listing.array else { return nil }
    var sources: [Source] = []
    var first = 0
    for entry in entries {
      guard let parts = entry.array, parts.count == 5, let layer = parts[0].string,
        let key = parts[1].string, let name = parts[2].string,
        let element = parts[3].string.flatMap({ ElementType(name: $0) }),
        let extents = parts[4].array?.map(\.integer), !extents.contains(nil),
        let count = Checked.product(extents.compactMap { $0 }),
        let next = Checked.add(first, count), next < 1 << 31
      else { return nil }
      let shape = extents.compactMap { $0 }
      sources.append(
        Source(
          layer: layer, key: key, name: name, element: element, shape: shape, first: first,
          count: count))
      first = next
    }
    self.sources = sources
  }

  /// How often the graph has to be made: places don't fit into 16 bits.
  var rounds: Int { sources.contains { $0.element.bitWidth == 16 } ? 2 : 1 }

  /// Whether places fit into the elements at all.
  var isTraceable: Bool {
    sources.allSatisfy { [16, 32, 64].contains($0.element.bitWidth) && !$0.element.isComplex }
  }

  /// Weights whose elements are their places, counted from 1 so that zeros of other origin differ.
  ///
  /// - Parameter round: which part of the place, where it is stored in parts.
  func marked(round: Int) -> WeightTable? {
    var table = WeightTable()
    for source in sources {
      let places = source.first..<source.first + source.count
      let tensor: Tensor?
      switch source.element.bitWidth {
      case 16:
        tensor = Tensor(
          source.element, source.shape, elements: places.map { Self.digit($0, round) })
      case 32:
        tensor = Tensor(source.element, source.shape, elements: places.map { UInt32($0 + 1) })
      case 64:
        tensor = Tensor(source.element, source.shape, elements: places.map { UInt64($0 + 1) })
      default: return nil
      }
      guard let tensor else { return nil }
      table.set(source.layer, source.key, WeightVariable(name: source.name, tensor: tensor))
    }
    return table
  }

  /// Neither digit is ever 0.
  private static let base = 0xFFFF

  private static func digit(_ place: Int, _ round: Int) -> UInt16 {
    UInt16((round == 0 ? place % base : place / base) + 1)
  }

  /// The places that a marked constant's elements came from; -1 for those of other origin.
  static func places(_ rounds: [Tensor]) -> [Int] {
    guard let first = rounds.first else { return [] }
    return first.bytes.withUnsafeBytes { low in
      switch first.element.bitWidth {
      case 16:
        guard rounds.count == 2, rounds[1].bytes.count == low.count else { return [] }
        return rounds[1].bytes.withUnsafeBytes { high in
          (0..<low.count / 2).map { index in
            let a = Int(low.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
            let b = Int(high.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
            return a == 0 || b == 0 ? -1 : (b - 1) * base + a - 1
          }
        }
      case 32:
        return (0..<low.count / 4).map {
          Int(low.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) - 1
        }
      default:
        return (0..<low.count / 8).map {
          Int(truncatingIfNeeded: low.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) - 1
        }
      }
    }
  }
}

/// Gathers the elements of weights from the constants they went into.
struct WeightGathering {
  private let tracing: WeightTracing
  private var buffers: [[UInt8]]
  private var filled: [[Bool]]
  private let starts: [Int]

  init(_ tracing: WeightTracing) {
    self.tracing = tracing
    buffers = tracing.sources.map { Array(repeating: 0, count: $0.count * $0.element.bitWidth / 8) }
    filled = tracing.sources.map { Array(repeating: false, count: $0.count) }
    starts = tracing.sources.map(\.first)
  }

  /// Takes the elements of `tensor`, which came from `places`.
  ///
  /// - Returns: false when the tensor can't have come from there.
  mutating func take(_ tensor: Tensor, _ places: [Int]) -> Bool {
    guard places.count == tensor.count else { return false }
    let size = tensor.element.bitWidth / 8
    return tensor.bytes.withUnsafeBytes { raw in
      var source = 0
      for (index, place) in places.enumerated() where place >= 0 {
        if !contains(source, place) {
          guard let found = find(place) else { return false }
          source = found
        }
        guard tracing.sources[source].element == tensor.element else { return false }
        let offset = place - tracing.sources[source].first
        filled[source][offset] = true
        for byte in 0..<size { buffers[source][offset * size + byte] = raw[index * size + byte] }
      }
      return true
    }
  }

  private func contains(_ source: Int, _ place: Int) -> Bool {
    guard source < tracing.sources.count else { return false }
    let entry = tracing.sources[source]
    return place >= entry.first && place < entry.first + entry.count
  }

  private func find(_ place: Int) -> Int? {
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= place { low = middle + 1 } else { high = middle }
    }
    var index = low - 1
    // Weights without elements share their start with the next one.
    while index >= 0, !contains(index, place) { index -= 1 }
    return index >= 0 ? index : nil
  }

  /// Takes a weight that no constant holds.
  mutating func take(_ tensor: Tensor, layer: String, key: String) {
    guard
      let index = tracing.sources.firstIndex(where: { $0.layer == layer && $0.key == key }),
      tracing.sources[index].element == tensor.element, tracing.sources[index].shape == tensor.shape
    else { return }
    buffers[index] = tensor.bytes.array
    filled[index] = Array(repeating: true, count: filled[index].count)
  }

  /// The weights, or nil when an element is missing.
  func table() -> WeightTable? {
    var table = WeightTable()
    for (index, source) in tracing.sources.enumerated() {
      guard filled[index].allSatisfy({ $0 }),
        let tensor = Tensor(source.element, source.shape, bytes: Bytes(buffers[index]))
      else { return nil }
      table.set(source.layer, source.key, WeightVariable(name: source.name, tensor: tensor))
    }
    return table
  }
}
